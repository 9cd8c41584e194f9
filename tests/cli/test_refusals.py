"""Details of refusals for people: short readable lines, never JSON."""

from __future__ import annotations

from typing import Any

import pytest

from spark.cli.refusals import detail_lines

LONG = [f"Assets/{number}.cs" for number in range(30)]


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        ({"fields": {"path": "an existing file"}}, ["path: an existing file"]),
        ({"fields": {"path": "said already"}}, []),
        ({"expectedSha256": "0" * 64, "approvalId": "a", "note": None}, []),
        ({"limitBytes": 10}, ["limitBytes: 10"]),
        ({"force": True}, ["force: yes"]),
        (
            {"findings": [{"path": "Assets/A.cs", "line": 3, "message": "no }", "severity": "error"}]},
            ["Assets/A.cs:3: no }"],
        ),
        ({"changes": [{"path": "Assets/A.cs", "action": "created"}]}, ["  created Assets/A.cs"]),
        ({"diff": "--- a\n+++ b\x1b[2J\n"}, ["--- a", "+++ b\ufffd[2J"]),
        ({"alike": ["a", "b"]}, ["alike: a, b"]),
        ({"nearest": {"line": 4, "text": "x\ny"}}, ["line: 4", "text: x y"]),
        (
            {"conflicts": [{"path": "Assets/A.cs", "reason": "it is gone", "lines": []}]},
            ["Assets/A.cs: it is gone"],
        ),
    ],
)
def test_what_a_person_can_use(details: dict[str, Any], lines: list[str]) -> None:
    """Fields, findings, changes and diffs become lines; hashes, ids and what the message says already are left out."""
    assert list(detail_lines(details, "said already")) == lines


def test_long_details_are_cut() -> None:
    """Nothing fills the screen: lists, diffs and texts are shortened, and say so."""
    details = {
        "symbols": LONG,
        "changes": [{"path": path, "action": "deleted"} for path in LONG],
        "diff": "\n".join("x" * 500 for _ in range(200)),
        "text": "y" * 5000,
    }
    lines = list(detail_lines(details))
    assert lines[0].endswith("and 20 more")
    assert "... and 20 more" in lines
    assert "... and 160 more" in lines
    assert len(lines) < 60
    assert max(len(line) for line in lines) < 300
