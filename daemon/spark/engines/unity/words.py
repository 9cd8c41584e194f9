"""A set of words written in one string: long tables of names stay readable."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())
