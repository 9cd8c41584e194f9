"""The table of codes is the whole truth."""

from __future__ import annotations

import re
from pathlib import Path

import spark.engines.unity
from spark.engines.unity.checks.codes import CODES

_CODE = re.compile(r'"((?:asmdef|csharp|json|meta|reference|text|unity|yaml)/[a-z-]+)"')
_MADE = {f"reference/missing-{kind}" for kind in ("asset", "prefab", "script")}
"""Codes that are put together in the code."""


def test_every_code_that_is_used_is_listed_and_no_other() -> None:
    """A finding never has a code that SARIF and the documentation do not know, and none is listed that cannot come."""
    sources = [path for path in Path(spark.engines.unity.__file__).parent.rglob("*.py") if path.name != "codes.py"]
    used = {code for path in sources for code in _CODE.findall(path.read_text(encoding="utf-8"))}
    assert used | _MADE == set(CODES)
    assert list(CODES) == sorted(CODES)
    assert all(text.endswith(".") and len(text) < 100 for text in CODES.values())
