"""Edits of text files: every patch type, what must be known before, what is checked after, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core.changes import Change, sha256_of
from spark.core.paths import ProjectPath
from spark.core.ports import Landed
from tests.fakes.project import FakeProject

HERO = "class Hero\n{\n    float speed = 5f;\n    int lives = 3;\n}\n"
PATH = "Assets/Hero.cs"


def patch(kind: str, **fields: Any) -> dict[str, Any]:
    return {"filePath": PATH, "patchType": kind, **fields}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (patch("replace", oldContent="5f", newContent="6f"), HERO.replace("5f", "6f")),
        (patch("replace", oldContent=" = ", newContent="=", replaceAll=True), HERO.replace(" = ", "=")),
        (
            patch("insertAfter", oldContent="    int lives = 3;", newContent="    int x;"),
            HERO.replace("3;\n", "3;\n    int x;\n"),
        ),
        (
            patch("insertBefore", oldContent="    int lives = 3;", newContent="    int x;"),
            HERO.replace("    int", "    int x;\n    int"),
        ),
        (patch("delete", oldContent="    int lives = 3;"), HERO.replace("    int lives = 3;\n", "")),
        (
            patch("unified", patch="@@ -3,1 +3,1 @@\n-    float speed = 5f;\n+    float speed = 6f;\n"),
            HERO.replace("5f", "6f"),
        ),
        (patch("v4a", patch="@@\n-    float speed = 5f;\n+    float speed = 6f;\n"), HERO.replace("5f", "6f")),
        (patch("whole", newContent="class Hero { }\n"), "class Hero { }\n"),
    ],
    ids=lambda value: value["patchType"] if isinstance(value, dict) else "",
)
async def test_each_patch_type(project: FakeProject, arguments: dict[str, Any], expected: str) -> None:
    """Every patch type changes the file as it says, and the answer has hash, diff, findings and the new text."""
    project.write(PATH, HERO, meta=True)
    result = await project.call("applyCodePatch", arguments, own_turn=True)
    assert project.read(PATH) == expected.encode()
    assert result["sha256"] == sha256_of(expected.encode())
    assert result["newContent"] == expected
    assert result["matched"] == "exact"
    assert result["diff"].startswith("diff --git a/Assets/Hero.cs b/Assets/Hero.cs\n")
    assert result["diagnostics"] == []


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", ["replace", "unified", "v4a", "whole", "insertAfter"])
async def test_the_files_form_is_kept(project: FakeProject, encoding: str, bom: bytes, newline: str, kind: str) -> None:
    """Encoding, BOM, line ends and a missing final newline stay, whatever way an edit with LF is written."""
    text = HERO.rstrip("\n").replace("\n", newline)
    project.write(PATH, bom + text.encode(encoding))
    hunk = " {\n     float speed = 5f;\n+    int x;\n     int lives = 3;\n"
    new = HERO.replace("5f;\n", "5f;\n    int x;\n")
    fields = {
        "replace": {"oldContent": "5f;\n    int lives", "newContent": "5f;\n    int x;\n    int lives"},
        "unified": {"patch": f"@@ -2,3 +2,4 @@\n{hunk}".replace(" {", " {")},
        "v4a": {"patch": f"@@\n{hunk}"},
        "whole": {"newContent": new},
        "insertAfter": {"oldContent": "    float speed = 5f;", "newContent": "    int x;"},
    }[kind]
    await project.call("applyCodePatch", patch(kind, **fields), own_turn=True)
    assert project.read(PATH) == bom + new.rstrip("\n").replace("\n", newline).encode(encoding)


# -- what must be known ----------------------------------------------------------------------------------------------

EDIT = patch("replace", oldContent="5f", newContent="6f")


async def test_an_edit_needs_a_read(project: FakeProject) -> None:
    """In a conversation a file that was not read, or was changed since, is not edited; after a read it is."""
    project.write(PATH, HERO)
    error = await project.refused("applyCodePatch", EDIT)
    assert (error.code, "readFile" in error.hint) == ("conflict", True)
    await project.call("readFile", {"path": PATH})
    project.user_saves(PATH, (HERO + "// mine\n").encode())
    error = await project.refused("applyCodePatch", EDIT)
    assert "changed since" in error.message
    await project.call("readFile", {"path": PATH})
    await project.call("applyCodePatch", EDIT)
    await project.call("applyCodePatch", patch("replace", oldContent="6f", newContent="7f"))


async def test_expected_sha256_stands_for_a_read(project: FakeProject) -> None:
    """The hash of the present bytes is as good as a read; another is refused with both hashes, also in a turn of its own."""
    project.write(PATH, HERO)
    present = sha256_of(HERO.encode())
    error = await project.refused("applyCodePatch", {**EDIT, "expectedSha256": "0" * 64}, own_turn=True)
    assert error.code == "conflict"
    assert error.details["presentSha256"] == present
    await project.call("applyCodePatch", {**EDIT, "expectedSha256": present})


async def test_every_file_of_a_patch_needs_a_read(project: FakeProject) -> None:
    """`expectedSha256` speaks for `filePath` alone; other files of the patch must have been read."""
    project.write(PATH, HERO)
    project.write("Assets/B.cs", "class B { }\n")
    text = f"*** Update File: {PATH}\n@@\n-    float speed = 5f;\n+    float speed = 6f;\n*** Update File: Assets/B.cs\n@@\n-class B {{ }}\n+class B {{ int x; }}\n"
    error = await project.refused("applyCodePatch", patch("v4a", patch=text, expectedSha256=sha256_of(HERO.encode())))
    assert (error.code, error.details["path"]) == ("conflict", "Assets/B.cs")


async def test_the_change_names_the_bytes_it_was_made_from(project: FakeProject) -> None:
    """The change set carries the hash of the bytes that were read here, and may be merged."""
    project.write(PATH, HERO)
    answer = await project.prepare("applyCodePatch", EDIT, own_turn=True)
    (change,) = answer.changes.files
    assert change.before_sha256 == sha256_of(HERO.encode())
    assert answer.changes.merge


async def test_a_merge_while_landing_is_told(project: FakeProject) -> None:
    """Where the user's newer bytes were merged in, the answer has the merged file's hash and no outdated text."""
    project.write(PATH, HERO)
    answer = await project.prepare("applyCodePatch", EDIT, own_turn=True)
    assert answer.complete is not None
    path = ProjectPath(PATH)
    landed = Landed((Change(path, "modified", "v_1", "0" * 64, "1" * 64),), frozenset({path}))
    final = answer.complete(answer.result, landed)
    assert (final["sha256"], final["merged"]) == ("1" * 64, [PATH])
    assert "newContent" not in final


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (patch("replace", oldContent=";", newContent=""), "ambiguous_match", "lines"),
        (patch("replace", oldContent="float sped = 5f;", newContent="x"), "patch_does_not_apply", "nearest"),
        (patch("replace", oldContent="5f"), "invalid_arguments", "newContent"),
        (patch("unified"), "invalid_arguments", "patch"),
        (patch("unified", patch="nonsense"), "invalid_arguments", "patch"),
        (patch("delete", oldContent=""), "invalid_arguments", "oldContent"),
        (patch("replace", oldContent="3;\n}", newContent="3;\n"), "invalid_script", "findings"),
        (patch("replace", oldContent="5f", newContent="\ud800"), "invalid_arguments", "newContent"),
        ({"filePath": "Assets/none.cs", "patchType": "delete", "oldContent": "x"}, "not_found", "alike"),
        ({"filePath": "../x", "patchType": "whole", "newContent": "x"}, "path_outside_project", "filePath"),
        ({"filePath": "Assets", "patchType": "whole", "newContent": "x"}, "protected_path", "path"),
        ({"filePath": "Assets/hero.cs", "patchType": "whole", "newContent": "class A { }"}, "already_exists", "existing"),
        ({"filePath": "Assets/Hero.cs/x.txt", "patchType": "whole", "newContent": "x"}, "invalid_arguments", "filePath"),
        (patch("unified", patch="--- a/Assets/B.cs\n+++ b/Assets/B.cs\n@@ -1 +1 @@\n-class B { }\n+class C { }\n"), "invalid_arguments", "filePath"),
        (patch("unified", patch="diff --git a/Assets/Hero.cs b/Assets/Hero.cs\nBinary files a/Assets/Hero.cs and b/Assets/Hero.cs differ\n"), "unsupported_asset", ""),
        (patch("v4a", patch="*** Add File: Assets/Hero.cs\n+x\n"), "already_exists", "path"),
        (patch("v4a", patch="*** Update File: ../x\n@@\n-a\n+b\n"), "path_outside_project", "patch"),
        (patch("unified", patch="--- a/Assets/Hero.cs\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-class Hero\n-{\n"), "patch_does_not_apply", "path"),
        ({"filePath": "Assets/pic.txt", "patchType": "replace", "oldContent": "a", "newContent": "b"}, "unsupported_asset", "path"),
        ({"filePath": "Assets/lfs.txt", "patchType": "replace", "oldContent": "a", "newContent": "b"}, "unsupported_asset", "path"),
        ({"filePath": "Assets/latin.txt", "patchType": "replace", "oldContent": "a", "newContent": "b"}, "unsupported_asset", "path"),
        ({"filePath": "Assets/big.txt", "patchType": "replace", "oldContent": "a", "newContent": "b"}, "too_large", ""),
        (patch("whole", newContent="x" * (2 * 1024 * 1024 + 1)), "too_large", "limitBytes"),
    ],
)  # fmt: skip
async def test_refusals(project: FakeProject, arguments: dict[str, Any], code: str, detail: str) -> None:
    """Each thing that cannot be done is refused by its code, with the field or what would help; nothing is written."""
    project.write(PATH, HERO)
    project.write("Assets/B.cs", "class B { }\n")
    project.write("Assets/pic.txt", b"a\x00b")
    project.write("Assets/lfs.txt", "version https://git-lfs.github.com/spec/v1\n")
    project.write("Assets/latin.txt", b"caf\xe9 a")
    project.write("Assets/big.txt", "a" * (2 * 1024 * 1024 + 1))
    error = await project.refused("applyCodePatch", arguments, own_turn=True)
    assert error.code == code
    assert not detail or detail in {**error.details, **error.details.get("fields", {})}


async def test_validation_can_be_left_out(project: FakeProject) -> None:
    """With validate=false a file with new errors is written; old errors never stop an edit."""
    broken = HERO.replace("}", "")
    project.write(PATH, HERO)
    await project.call("applyCodePatch", patch("whole", newContent=broken, validate=False), own_turn=True)
    assert project.read(PATH) == broken.encode()
    await project.call("applyCodePatch", EDIT, own_turn=True)


async def test_a_broken_asset(project: FakeProject) -> None:
    """New errors in other text assets are refused as such."""
    project.write("Assets/a.asset", "x: 1\n")
    arguments = {"filePath": "Assets/a.asset", "patchType": "replace", "oldContent": "1", "newContent": "BROKEN"}
    error = await project.refused("applyCodePatch", arguments, own_turn=True)
    assert (error.code, error.details["findings"][0]["code"]) == ("invalid_asset", "SP0100")


# -- repeated calls --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        patch("replace", oldContent="speed = 5f", newContent="speed = 6f"),
        patch("replace", oldContent="speed = 5f", newContent="speed = 5f * boost"),
        patch("insertAfter", oldContent="    int lives = 3;", newContent="    int more;"),
        patch("unified", patch="@@ -3,1 +3,1 @@\n-    float speed = 5f;\n+    float speed = 6f;\n"),
        patch("v4a", patch="@@\n-    float speed = 5f;\n+    float speed = 6f;\n"),
        patch("whole", newContent="class Hero { }\n"),
        patch("v4a", patch=f"*** Update File: {PATH}\n@@\n-    float speed = 5f;\n+    float speed = 6f;\n*** Add File: Assets/N.txt\n+new\n"),
    ],
)  # fmt: skip
async def test_a_repeated_call_changes_nothing(project: FakeProject, arguments: dict[str, Any]) -> None:
    """The same call again succeeds, says that it was applied before, and changes nothing."""
    project.write(PATH, HERO, meta=True)
    await project.call("applyCodePatch", arguments, own_turn=True)
    after = project.snapshot()
    result = await project.call("applyCodePatch", arguments, own_turn=True)
    assert (result["matched"], result["unchanged"]) == ("alreadyApplied", True)
    assert project.snapshot() == after


async def test_whole_counts_as_overwriting(project: FakeProject) -> None:
    """Files that are overwritten whole or deleted are marked, so that many of them are asked for; edits are not."""
    project.write(PATH, HERO, meta=True)
    whole = await project.prepare("applyCodePatch", patch("whole", newContent="class Hero { }"), own_turn=True)
    edit = await project.prepare("applyCodePatch", EDIT, own_turn=True)
    gone = await project.prepare("applyCodePatch", patch("v4a", patch=f"*** Delete File: {PATH}\n"), own_turn=True)
    assert whole.changes.overwrites == {ProjectPath(PATH)}
    assert edit.changes.overwrites == frozenset()
    assert gone.changes.overwrites == {ProjectPath(PATH), ProjectPath(PATH + ".meta")}


async def test_large_answers_are_left_out(project: FakeProject) -> None:
    """The new text is only in the answer where it is small, and the diff is cut with a word about it."""
    project.write(PATH, HERO)
    text = "class Hero { }\n" + "// line\n" * 3000
    result = await project.call("applyCodePatch", patch("whole", newContent=text), own_turn=True)
    assert "newContent" not in result
    assert len(result["diff"]) < 25_000
    assert "left out" in result["diff"]
