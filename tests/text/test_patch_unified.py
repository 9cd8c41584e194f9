"""Unified diffs: byte for byte what `git apply` makes, or a refusal; and the near misses that models write."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.text.diff import unified_diff
from spark.text.patch import FilePatch, Patched, apply_hunks, parse_unified
from spark.text.preserve import decode
from tests.text.git_oracle import FEW, SOURCE, Git, edited, text_of

_text = st.lists(st.sampled_from(["", "a", "b", "}", "    line"]), max_size=25).map("\n".join)


def apply(content: bytes | str, patch: str) -> Patched:
    (section,) = parse_unified(patch)
    return apply_hunks(decode(content if isinstance(content, bytes) else content.encode()), section.hunks)


def result(content: bytes | str, patch: str) -> str:
    return apply(content, patch).document.encode().decode()


@pytest.mark.parametrize("seed", range(4))
def test_same_bytes_as_git_or_refused(seed: int, tmp_path: Path) -> None:
    """Over random histories (offsets, CRLF, mixed line ends, no final newline) a diff that git applies gives git's bytes
    or is refused; a diff of the very file always applies."""
    git, chance = Git(tmp_path), random.Random(seed)
    git.init()
    seen: Counter[tuple[bool, bool]] = Counter()
    for _ in range(90):
        lines = chance.choice([FEW, SOURCE])
        base = text_of(chance, lines, chance.randint(0, 40), chance.choice([0, 0, 1, 0.5]))
        target = edited(chance, base, lines, chance.randint(1, 5))
        now = base if chance.random() < 0.3 else edited(chance, base, lines, chance.randint(0, 4))
        patch = git.diff_of(base, target)
        if not patch:
            continue
        expected = git.apply(now, patch)
        ours: bytes | None = None
        with contextlib.suppress(ToolRejected):
            ours = apply(now, patch).document.encode()
        if now == base:
            assert ours == expected == target
        if expected is not None:
            assert ours in (None, expected)
        seen[expected is not None, ours is not None] += 1
    assert seen[True, True] > 20
    assert seen[True, False] <= seen[True, True] // 10


@settings(deadline=None)
@given(_text, _text)
def test_applying_a_diff_gives_the_other_text(before: str, after: str) -> None:
    """`apply(diff(a, b), a) == b` for any two texts, final newline and all."""
    diff = unified_diff(before.encode(), after.encode(), "f", max_bytes=None)
    if diff:
        assert result(before, diff) == after


@settings(deadline=None)
@given(_text, _text)
def test_applying_a_diff_twice_changes_once(before: str, after: str) -> None:
    """A diff on its own result is recognised, refused, or at least never crashes; where it is recognised nothing changes."""
    diff = unified_diff(before.encode(), after.encode(), "f", max_bytes=None)
    if not diff:
        return
    try:
        again = apply(after, diff)
    except ToolRejected:
        return
    if again.matched == "alreadyApplied":
        assert again.document.raw == after


PATCH = "--- a/f\n+++ b/f\n@@ -2,3 +2,4 @@\n alpha one\n-beta two\n+beta 2\n+beta 3\n gamma three\n"
FILE = "top line\nalpha one\nbeta two\ngamma three\nlast line\n"
DONE = "top line\nalpha one\nbeta 2\nbeta 3\ngamma three\nlast line\n"


def test_line_ends_and_bom_are_the_files() -> None:
    """A diff written with LF applies to a CRLF file with BOM, and the file keeps its form."""
    crlf = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    patched = apply(crlf, PATCH)
    assert patched.document.encode() == b"\xef\xbb\xbf" + DONE.replace("\n", "\r\n").encode()
    assert result(FILE, PATCH.replace("\n", "\r\n")) == DONE


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("@@ -200,3 +200,4 @@", "wrong numbers"),
        ("@@ -2,9 +2,1 @@", "wrong counts"),
        ("@@ @@", "no numbers"),
        ("@@", "nothing"),
        ("@@ top line @@", "an anchor in place of numbers"),
    ],
)
def test_headers_of_models_are_forgiven(header: str, why: str) -> None:
    """Where the place is plain from the lines, a header that is wrong or empty does no harm."""
    assert result(FILE, PATCH.replace("@@ -2,3 +2,4 @@", header)) == DONE, why


def test_hunks_alone_are_enough() -> None:
    """A patch without file headers is one section with empty names."""
    body = PATCH.split("\n", 2)[2]
    assert parse_unified(body)[0].old_path == ""
    assert result(FILE, body) == DONE


def test_stripped_context_and_indentation() -> None:
    """Context whose trailing spaces or indentation differ is found where it is unique, and said."""
    spaced = FILE.replace("alpha one", "alpha one  ")
    assert apply(spaced, PATCH).matched == "trailingSpace"
    assert result(spaced, PATCH) == DONE.replace("alpha one", "alpha one  ")
    indented = "".join(f"    {line}\n" for line in FILE.splitlines())
    assert apply(indented, PATCH).matched == "indentation"
    assert result(indented, PATCH) == "".join(f"    {line}\n" for line in DONE.splitlines())


def test_a_hunk_that_fits_twice_is_refused() -> None:
    """Where the header's line does not decide between two places, it is refused with both."""
    twice = "x\n" * 5 + FILE + "y\n" * 5 + FILE
    with pytest.raises(ToolRejected) as refusal:
        apply(twice, PATCH)
    assert refusal.value.code == "ambiguous_match"
    assert refusal.value.details["lines"] == [7, 17]


def test_a_hunk_that_does_not_fit_names_itself() -> None:
    """The refusal names the hunk and the nearest lines."""
    with pytest.raises(ToolRejected) as refusal:
        apply(FILE.replace("beta two", "beta too"), PATCH)
    assert refusal.value.code == "patch_does_not_apply"
    assert refusal.value.details["hunk"] == "hunk 1"
    assert refusal.value.details["nearest"]


def test_another_end_of_file_is_refused() -> None:
    """A hunk that says the file ends without a newline is refused where it ends with one, and says why."""
    patch = (
        "@@ -1,2 +1,2 @@\n alpha one\n-beta two\n\\ No newline at end of file\n+beta 2\n\\ No newline at end of file\n"
    )
    assert result("alpha one\nbeta two", patch) == "alpha one\nbeta 2"
    with pytest.raises(ToolRejected) as refusal:
        apply("alpha one\nbeta two\n", patch)
    assert "without a newline" in refusal.value.message


def test_applied_before() -> None:
    """A diff that was applied before changes nothing and says so, also when it only adds lines."""
    assert apply(DONE, PATCH).matched == "alreadyApplied"
    only_adds = "@@ -1,2 +1,3 @@\n top line\n alpha one\n+added line\n"
    once = result(FILE, only_adds)
    assert apply(once, only_adds).matched == "alreadyApplied"
    assert once.count("added line") == 1


def test_additions_need_context() -> None:
    """New lines without any context are refused, except in an empty file."""
    with pytest.raises(ToolRejected) as refusal:
        apply(FILE, "@@ -3,0 +4,1 @@\n+new\n")
    assert refusal.value.code == "patch_does_not_apply"
    assert result("", "@@ -0,0 +1 @@\n+new\n") == "new\n"


def sections(patch: str) -> list[tuple[str | None, str | None, int]]:
    return [(part.old_path, part.new_path, len(part.hunks)) for part in parse_unified(patch)]


def test_gits_own_patches_are_read_whole(tmp_path: Path) -> None:
    """Of a real commit (rename, rename with edit, deletion, new and empty files, odd names, modes) every section is read."""
    git = Git(tmp_path)
    git.init()
    text = b"".join(b"line %d\n" % number for number in range(20))
    git.write({"moved.cs": text, "edited.cs": text[5:], "gone.cs": b"x\n", "mode.sh": b"x\n", "ä b.cs": text[9:]})
    git.commit_all()
    for old, new in (("moved.cs", "in/moved.cs"), ("edited.cs", "in/edited.cs")):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / old).rename(tmp_path / new)
    git.write({"in/edited.cs": text[5:] + b"more\n", "ä b.cs": b"other\n" + text[9:], "new.cs": b"n", "empty.cs": b""})
    (tmp_path / "gone.cs").unlink()
    (tmp_path / "mode.sh").chmod(0o755)
    git.run("add", "-A")
    patch = git.run("diff", "--cached", "-M", "--no-color").stdout.decode()
    found = {(old, new): hunks for old, new, hunks in sections(patch)}
    assert found == {
        ("a/edited.cs", "b/in/edited.cs"): 1,
        ("moved.cs", "in/moved.cs"): 0,
        (None, "b/empty.cs"): 0,
        (None, "b/new.cs"): 1,
        ("a/gone.cs", None): 1,
        ("a/mode.sh", "b/mode.sh"): 0,
        ("a/ä b.cs", "b/ä b.cs"): 1,
    }


def test_lines_that_look_like_headers() -> None:
    """A removed line `-- a` and an added line `++ b` are lines where the counts say so."""
    patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- a\n+++ b\n x\n"
    assert result("-- a\nx\n", patch) == "++ b\nx\n"


def test_mail_around_a_patch_is_passed_over() -> None:
    """The text and the signature of a mailed patch mean nothing."""
    mail = f"Subject: x\n\nwords\n---\n f | 2 +-\n\ndiff --git a/f b/f\n{PATCH}-- \n2.39.5\n\n"
    assert result(FILE, mail) == DONE


@pytest.mark.parametrize(
    "patch", ["", "hello", "--- a/f\n", "@@ -1 +1 @@\n", "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n"]
)
def test_what_is_no_diff_is_refused(patch: str) -> None:
    """Text that is no diff is the caller's fault, named by its field."""
    with pytest.raises(ToolRejected) as refusal:
        parse_unified(patch)
    assert refusal.value.code == "invalid_arguments"
    assert "patch" in refusal.value.details["fields"]


def test_binary_sections_are_marked() -> None:
    """A section without text is told as binary."""
    patch = "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n"
    assert parse_unified(patch) == (FilePatch("a/x.png", "b/x.png", (), binary=True, strip=True),)


@settings(deadline=None, max_examples=300)
@given(st.text("@-+ ab\\1,\n\r", max_size=80), _text)
def test_garbage_is_refused_or_applied(patch: str, content: str) -> None:
    """Any text is either a patch or refused with a code; nothing else is raised."""
    with contextlib.suppress(ToolRejected):
        for section in parse_unified(patch):
            apply_hunks(decode(content.encode()), section.hunks)
