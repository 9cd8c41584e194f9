"""Gives memory back to the system that a big file or an index scan left in the C library's pools (Linux with glibc)."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Cheap where there is nothing to give back; does nothing on other systems."""
    if sys.platform != "linux":
        return
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        # musl has none and needs none.
        return
    trim(0)
