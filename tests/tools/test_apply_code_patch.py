"""Edits of text files: every patch type, what must be known before, what is checked after, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from spark.core.changes import Change, sha256_of
from spark.core.paths import ProjectPath
from spark.core.ports import Landed
from tests.fakes.project import FakeProject
from tests.text.git_oracle import SOURCE, Git, edited, text_of

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


# -- new, moved, deleted files ---------------------------------------------------------------------------------------


async def test_whole_makes_a_new_asset(project: FakeProject) -> None:
    """`whole` on a new path makes the file as given, its meta and its folders' metas."""
    arguments = {"filePath": "Assets/Data/Sub/n.json", "patchType": "whole", "newContent": "{}\r\n"}
    await project.call("applyCodePatch", arguments)
    assert project.read("Assets/Data/Sub/n.json") == b"{}\r\n"
    assert {"Assets/Data.meta", "Assets/Data/Sub.meta", "Assets/Data/Sub/n.json.meta"} <= set(project.snapshot())


async def test_hidden_files_get_no_meta(project: FakeProject) -> None:
    """Unity keeps no metas in hidden folders, and neither do we."""
    await project.call("applyCodePatch", {"filePath": "Assets/Docs~/a.md", "patchType": "whole", "newContent": "x"})
    assert set(project.snapshot()) == {"Assets/Docs~/a.md"}


async def test_gits_patch_of_several_files(project: FakeProject, tmp_path: Path) -> None:
    """A real commit's diff (edit, rename with edit, new file, deletion, odd names, modes) lands as one change set: the
    same files as `git apply` leaves, with metas that moved, came and went."""
    text = "".join(f"// line {number}\n" for number in range(20))
    files = {
        "Assets/A.cs": text,
        "Assets/Old.cs": text + "// old\n",
        "Assets/Gone.txt": "gone\n",
        "Assets/ä b.txt": "ä\nö\n",
    }
    git = Git(tmp_path / "git")
    git.folder.mkdir()
    git.init()
    git.write({name: content.encode() for name, content in files.items()})
    git.commit_all()
    guids = {name: project.write(name, content, meta=True) for name, content in files.items()}
    (git.folder / "Assets/In").mkdir()
    (git.folder / "Assets/Old.cs").rename(git.folder / "Assets/In/New.cs")
    git.write(
        {"Assets/A.cs": text.replace("line 7\n", "seven\n").encode(), "Assets/In/New.cs": (text + "// new\n").encode()}
    )
    git.write({"Assets/ä b.txt": "ä\nö\nü".encode(), "Assets/Fresh.txt": b"fresh"})
    (git.folder / "Assets/Gone.txt").unlink()
    (git.folder / "Assets/A.cs").chmod(0o755)
    git.run("add", "-A")
    diff = git.run("diff", "--cached", "-M", "--no-color").stdout.decode()
    result = await project.call(
        "applyCodePatch", {"filePath": "Assets/A.cs", "patchType": "unified", "patch": diff}, own_turn=True
    )
    expected = {
        p.relative_to(git.folder).as_posix(): p.read_bytes() for p in git.folder.rglob("Assets/**/*") if p.is_file()
    }
    assert {name: content for name, content in project.snapshot().items() if not name.endswith(".meta")} == expected
    metas = {name for name in project.snapshot() if name.endswith(".meta")}
    assert metas == {f"{name}.meta" for name in expected} | {"Assets/In.meta"}
    assert guids["Assets/Old.cs"].encode() in (project.read("Assets/In/New.cs.meta") or b"")
    assert {item["path"] for item in result["files"]} == {*files, "Assets/In/New.cs", "Assets/Fresh.txt"}


@pytest.mark.parametrize("seed", range(2))
async def test_same_bytes_as_git_apply(project: FakeProject, tmp_path: Path, seed: int) -> None:
    """Through the function, diffs of random edits of files with CRLF, BOM or no final newline give git's bytes."""
    chance = random.Random(seed)
    git = Git(tmp_path / "git")
    git.folder.mkdir()
    git.init()
    for _ in range(12):
        bom = chance.choice([b"", b"\xef\xbb\xbf"])
        before = bom + text_of(chance, SOURCE, chance.randint(4, 30), chance.choice([0, 1]))
        after = edited(chance, before, SOURCE, 3)
        project.write("Assets/f.txt", before)
        diff = git.diff_of(before, after).replace("a/f", "a/Assets/f.txt").replace("b/f", "b/Assets/f.txt")
        if diff:
            arguments = {"filePath": "Assets/f.txt", "patchType": "unified", "patch": diff, "validate": False}
            await project.call("applyCodePatch", arguments, own_turn=True)
            assert project.read("Assets/f.txt") == after


async def test_a_v4a_patch_of_several_files(project: FakeProject) -> None:
    """Update, add, delete and move of one envelope land together; a refusal of one writes none."""
    guid = project.write(PATH, HERO, meta=True)
    project.write("Assets/Gone.txt", "x\n", meta=True)
    text = (
        f"*** Begin Patch\n*** Update File: {PATH}\n*** Move to: Assets/New/Hero2.cs\n@@\n-    float speed = 5f;\n+    float speed = 6f;\n"
        "*** Add File: Assets/New/n.txt\n+one\n*** Delete File: Assets/Gone.txt\n*** End Patch\n"
    )
    await project.refused("applyCodePatch", patch("v4a", patch=text.replace("5f;", "9f;")), own_turn=True)
    result = await project.call("applyCodePatch", patch("v4a", patch=text), own_turn=True)
    assert result["path"] == "Assets/New/Hero2.cs"
    assert set(project.snapshot()) == {
        "Assets/New.meta",
        "Assets/New/Hero2.cs",
        "Assets/New/Hero2.cs.meta",
        "Assets/New/n.txt",
        "Assets/New/n.txt.meta",
    }
    assert guid.encode() in (project.read("Assets/New/Hero2.cs.meta") or b"")


async def test_a_bare_file_name_in_the_header(project: FakeProject) -> None:
    """A diff of one file whose header has only the file's name is taken for `filePath`."""
    project.write(PATH, HERO)
    text = "--- a/Hero.cs\n+++ b/Hero.cs\n@@ -3,1 +3,1 @@\n-    float speed = 5f;\n+    float speed = 6f;\n"
    await project.call("applyCodePatch", patch("unified", patch=text), own_turn=True)
    assert b"6f" in (project.read(PATH) or b"")


async def test_deleting_what_is_referred_to(project: FakeProject) -> None:
    """A patch that deletes a file that others refer to is refused as a broken reference, unless they go too."""
    guid = project.write("Assets/a.mat", "a\n", meta=True)
    project.write("Assets/b.prefab", f"guid: {guid}\n", meta=True)
    text = "*** Delete File: Assets/a.mat\n"
    arguments = {"filePath": "Assets/a.mat", "patchType": "v4a", "patch": text}
    error = await project.refused("applyCodePatch", arguments, own_turn=True)
    assert (error.code, error.details["referrers"]) == ("broken_reference", {"Assets/a.mat": ["Assets/b.prefab"]})
    await project.call(
        "applyCodePatch", {**arguments, "patch": text + "*** Delete File: Assets/b.prefab\n"}, own_turn=True
    )
    assert project.snapshot() == {}


@pytest.mark.parametrize(
    "arguments",
    [
        {"filePath": "Assets/Hero.cs.meta", "patchType": "replace", "oldContent": "0" * 31 + "1", "newContent": "f" * 32},
        {"filePath": "Assets/Hero.cs.meta", "patchType": "whole", "newContent": "fileFormatVersion: 2\n"},
        {"filePath": "Assets/Hero.cs.meta", "patchType": "v4a", "patch": "*** Delete File: Assets/Hero.cs.meta\n"},
        {"filePath": "Assets/None.cs.meta", "patchType": "whole", "newContent": "guid: " + "a" * 32 + "\n"},
        {"filePath": "Assets/N.txt", "patchType": "v4a", "patch": f"*** Add File: Assets/N.txt\n+x\n*** Add File: Assets/N.txt.meta\n+guid: {1:032x}\n"},
    ],
)  # fmt: skip
async def test_guids_are_left_alone(project: FakeProject, arguments: dict[str, Any]) -> None:
    """Changing, losing, inventing or doubling a guid is refused."""
    project.write(PATH, HERO, meta=True)
    assert (await project.refused("applyCodePatch", arguments, own_turn=True)).code == "broken_reference"


async def test_the_rest_of_a_meta_may_be_edited(project: FakeProject) -> None:
    """Import settings in a meta are text like any other; a new asset may bring its own meta with a free guid."""
    project.write(PATH, HERO, meta=True)
    arguments = {
        "filePath": PATH + ".meta",
        "patchType": "insertAfter",
        "oldContent": "fileFormatVersion: 2",
        "newContent": "executionOrder: 5",
    }
    await project.call("applyCodePatch", arguments, own_turn=True)
    own = (
        "*** Add File: Assets/N.txt\n+x\n*** Add File: Assets/N.txt.meta\n+fileFormatVersion: 2\n+guid: "
        + "a" * 32
        + "\n"
    )
    await project.call("applyCodePatch", {"filePath": "Assets/N.txt", "patchType": "v4a", "patch": own}, own_turn=True)
    assert b"a" * 32 in (project.read("Assets/N.txt.meta") or b"")


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
