"""Memory that was used for a moment goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

from spark.adapters.memory import give_back


def test_giving_back_never_fails_and_frees_what_a_big_burst_left() -> None:
    """After many small blocks were freed, the resident size is not larger than before giving back."""
    blocks = [bytes(1000 + number % 7) for number in range(50_000)]
    keep = blocks[::5000]
    blocks.clear()
    before = _resident_pages()
    give_back()
    assert _resident_pages() <= before
    assert keep


def _resident_pages() -> int:
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
