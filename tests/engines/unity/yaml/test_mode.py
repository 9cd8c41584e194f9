"""What a file's bytes tell about how it is written."""

from __future__ import annotations

import pytest

from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.mode import Mode, mode_of
from tests.engines.unity.yaml.samples import HEADER, OWN


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("fold.prefab", Mode()),
        ("one_line_6000.prefab", Mode(fold=False, quoting="brackets")),
        ("old_scalars.prefab", Mode(scalars="old")),
        ("unfolded_scalars.prefab", Mode(scalars="none")),
        ("crlf.prefab", Mode(newline="\r\n")),
        ("bom.vfx", Mode(bom=True)),
        ("no_final_newline.prefab", Mode(final_newline=False)),
        ("loose.prefab", Mode(quoting="loose")),
        ("empty_quotes.prefab.meta", Mode(quoting="empty")),
        ("bom_no_newline.cs.meta", Mode(bom=True, final_newline=False)),
    ],
)
def test_each_mode_is_told_from_the_bytes(name: str, mode: Mode) -> None:
    """Every field of the record is inferred from a file that shows it."""
    assert mode_of((OWN / name).read_bytes()) == mode


def test_what_a_file_does_not_tell_is_the_default_s() -> None:
    """A short file takes over the project's mode, but its own line ends."""
    default = Mode(fold=False, scalars="old", quoting="brackets", newline="\r\n")
    assert mode_of(HEADER + b"--- !u!1 &1\nA:\n  b: 1\n", default) == Mode(
        fold=False, scalars="old", quoting="brackets"
    )


def test_a_name_in_brackets_is_no_evidence_for_the_bracket_rule() -> None:
    """A text is quoted for its first character in every version: only one that is quoted for its end tells."""
    head = HEADER + b"--- !u!1 &1\nA:\n"
    assert mode_of(head + b"  m_Name: '[Network]'\n").quoting == "current"
    assert mode_of(head + b"  m_Path: 'm_List.data[0]'\n").quoting == "brackets"


def test_a_line_with_many_marks_is_looked_at_once() -> None:
    """A mark that a quoted text may hold is asked of each line, not of each place: half a million of them in one line, and
    the line behind still tells."""
    line = b'  m_Text: "' + b"a #" * 500_000 + b'"\n'
    assert mode_of(HEADER + b"--- !u!1 &1\nA:\n" + line).quoting == "current"
    assert mode_of(HEADER + b"--- !u!1 &1\nA:\n" + line + b"  m_B: a #b\n").quoting == "loose"


def test_a_trailing_space_in_front_of_a_fold_is_no_evidence_for_loose_quoting() -> None:
    """Unity leaves all spaces of a run but the last one before the line end that it puts in."""
    text = b"  m_Text: some words that fill the line until it is long enough to be broken here  \n    and go on\n"
    assert mode_of(HEADER + b"--- !u!1 &1\nA:\n" + text).quoting == "current"


def test_the_mode_of_new_files_follows_project_and_version() -> None:
    """One-line mappings are the project's setting; 6000.x quotes a closing bracket."""
    assert Mode.for_project(EditorVersion(2022, 3), one_line=False) == Mode()
    assert Mode.for_project(EditorVersion(6000, 0), one_line=True) == Mode(fold=False, quoting="brackets")
