"""Real assets of public projects, where a folder of them is at hand: tests over them are extra, never the only ones."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_NAMED = os.environ.get("SPARK_UNITY_CORPUS")
CORPUS = Path(_NAMED) if _NAMED else Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "unity"


@cache
def corpus_files(*suffixes: str) -> tuple[Path, ...]:
    """All files below the corpus with one of the suffixes (all assets and metas without), sorted; empty where it is absent."""
    if not CORPUS.is_dir():
        return ()
    found = (path for path in CORPUS.rglob("*") if path.is_file() and path.parent != CORPUS)
    return tuple(sorted(path for path in found if not suffixes or path.suffix in suffixes))
