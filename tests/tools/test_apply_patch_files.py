"""Patches that make, move and delete files: one change set, with metas; git is the judge of its own diffs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.project import FakeProject
from tests.text.git_oracle import SOURCE, Git, edited, text_of

HERO = "class Hero\n{\n    float speed = 5f;\n    int lives = 3;\n}\n"
PATH = "Assets/Hero.cs"


def patch(kind: str, **fields: Any) -> dict[str, Any]:
    return {"filePath": PATH, "patchType": kind, **fields}


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
