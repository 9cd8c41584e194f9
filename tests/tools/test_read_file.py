"""Reading: windows of lines, C# symbols and outlines; and what a read is remembered for."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core.changes import sha256_of
from spark.core.paths import ProjectPath
from tests.fakes.project import FakeProject

SOURCE = "using X;\n\nclass Hero\n{\n    Hero() { }\n    void Run()\n    {\n        Go();\n    }\n    void Run(int x) { }\n}\n"


async def test_a_whole_file(project: FakeProject) -> None:
    """A small file comes whole, with the hash of its bytes; the read is remembered."""
    project.write("Assets/a.cs", b"\xef\xbb\xbf" + SOURCE.replace("\n", "\r\n").encode())
    result = await project.call("readFile", {"path": "Assets/a.cs"})
    assert result["content"] == SOURCE
    assert (result["totalLines"], result["startLine"], result["lineEnds"]) == (11, 1, "crlf")
    assert result["sha256"] == sha256_of(project.read("Assets/a.cs") or b"")
    assert project.reads.known_sha256(ProjectPath("Assets/a.cs")) == {result["sha256"]}
    assert "next" not in result


async def test_windows_join_to_the_file(project: FakeProject) -> None:
    """Going on with `next` gives every line once, in answers of bounded size."""
    text = "".join(f"line {number} {'ä' * 40}\n" for number in range(3000))
    project.write("Assets/a.txt", text)
    parts: list[str] = []
    start: int | None = 1
    while start is not None:
        result = await project.call("readFile", {"path": "Assets/a.txt", "startLine": start})
        assert len(result["content"].encode()) <= 32 * 1024
        parts.append(result["content"])
        start = result.get("next")
    assert "".join(parts) == text
    assert len(parts) > 3


async def test_lines_and_symbols(project: FakeProject) -> None:
    """A range of lines, or the lines of a class or a method by name; overloads are told."""
    project.write("Assets/a.cs", SOURCE)

    async def content(**fields: Any) -> Any:
        return await project.call("readFile", {"path": "Assets/a.cs", **fields})

    assert (await content(startLine=3, endLine=4))["content"] == "class Hero\n{\n"
    method = await content(symbol="Hero.Run")
    assert method["content"] == "    void Run()\n    {\n        Go();\n    }\n"
    assert (method["startLine"], method["alsoAt"]) == (6, [10])
    assert (await content(symbol="Hero"))["startLine"] == 3
    outline = await content(view="outline")
    assert outline["content"] == "3: class Hero\n5:   Hero()\n6:   void Run()\n10:   void Run(int x)\n"


async def test_a_line_that_is_too_long(project: FakeProject) -> None:
    """A line longer than an answer is cut, and that is said; the lines after it can be read."""
    project.write("Assets/a.json", "x" * 100_000 + "\nlast\n")
    result = await project.call("readFile", {"path": "Assets/a.json"})
    assert (len(result["content"]), result["cutLine"], result["next"]) == (32 * 1024, True, 2)
    assert (await project.call("readFile", {"path": "Assets/a.json", "startLine": 2}))["content"] == "last\n"


async def test_an_empty_file(project: FakeProject) -> None:
    """An empty file is read as empty."""
    project.write("Assets/a.txt", b"")
    result = await project.call("readFile", {"path": "Assets/a.txt"})
    assert (result["content"], result["totalLines"]) == ("", 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"path": "Assets/none.cs"}, "not_found"),
        ({"path": "Assets"}, "not_found"),
        ({"path": "Assets/pic.png"}, "unsupported_asset"),
        ({"path": "Assets/big.txt"}, "too_large"),
        ({"path": "Assets/a.cs", "startLine": 99}, "invalid_arguments"),
        ({"path": "Assets/a.cs", "startLine": 3, "endLine": 2}, "invalid_arguments"),
        ({"path": "Assets/a.cs", "symbol": "Nope"}, "not_found"),
        ({"path": "Assets/a.txt", "symbol": "Hero"}, "unsupported_asset"),
        ({"path": "Assets/a.txt", "view": "outline"}, "unsupported_asset"),
        ({"path": "Library/x"}, "path_outside_project"),
        ({"path": "Assets/link.cs"}, "path_outside_project"),
    ],
)
async def test_refusals(project: FakeProject, arguments: dict[str, Any], code: str) -> None:
    """What cannot be read is refused by its code."""
    project.write("Assets/a.cs", SOURCE)
    project.write("Assets/a.txt", "x\n")
    project.write("Assets/pic.png", b"\x89PNG\x00")
    project.write("Assets/big.txt", "a" * (2 * 1024 * 1024 + 1))
    (project.root / "Assets/link.cs").symlink_to(project.root / "Assets/a.cs")
    assert (await project.refused("readFile", arguments)).code == code


async def test_a_missing_file_of_the_same_name(project: FakeProject) -> None:
    """Where the file lies elsewhere, the refusal says where."""
    project.write("Assets/Scripts/Hero.cs", SOURCE)
    error = await project.refused("readFile", {"path": "Assets/Hero.cs"})
    assert "Assets/Scripts/Hero.cs" in error.hint


async def test_text_of_an_older_encoding_is_called_what_it_is(project: FakeProject) -> None:
    """A Latin-1 script is no binary: the refusal says which byte is not UTF-8 and what mends it."""
    project.write("Assets/Old.cs", "// für\nclass Old {}\n".encode("latin-1"))
    refusal = await project.refused("readFile", {"path": "Assets/Old.cs"})
    assert refusal.code == "unsupported_asset"
    assert "not UTF-8" in refusal.message
    assert "UTF-8" in refusal.hint
