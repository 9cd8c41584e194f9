"""The fence: what is read lies in the project, whatever the path, and links lead nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spark.adapters.project_files import FencedFiles
from spark.core.errors import FatalError, ToolRejected
from spark.core.paths import ProjectPath, check_writable

SECRET = b"outside the project"


@pytest.fixture(params=["openat2", "name by name"])
def files(tmp_path: Path, request: pytest.FixtureRequest) -> FencedFiles:
    """A project with a secret beside it, read by the kernel's call and by the way of older systems."""
    root = tmp_path / "project"
    (root / "Assets" / "Scripts").mkdir(parents=True)
    (root / "Packages").mkdir()
    (root / "Assets" / "Scripts" / "a.cs").write_bytes(b"inside")
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_bytes(SECRET)
    return FencedFiles(root, use_openat2=request.param == "openat2")


def path(text: str) -> ProjectPath:
    return ProjectPath(text)


def test_reading_what_is_there(files: FencedFiles) -> None:
    """Files give their bytes, stat and names; what is not there gives None and an empty list."""
    assert files.read(path("Assets/Scripts/a.cs")) == b"inside"
    assert files.read(path("Assets/Scripts/b.cs")) is None
    assert files.read(path("Assets/No/b.cs")) is None
    assert files.read(path("Assets/Scripts/a.cs/b.cs")) is None
    assert files.names(path("Assets")) == ["Scripts"]
    assert files.names(path("Assets/No")) == []
    assert files.names(path("Assets/Scripts/a.cs")) == []
    found = files.stat(path("Assets/Scripts/a.cs"))
    real = (files.root / "Assets/Scripts/a.cs").stat()
    assert found is not None
    assert (found.size, found.mtime_ns, found.inode, found.is_folder) == (6, real.st_mtime_ns, real.st_ino, False)
    folder = files.stat(path("Assets/Scripts"))
    assert folder is not None
    assert folder.is_folder
    assert files.stat(path("Assets/No/b.cs")) is None


def test_a_folder_is_no_file(files: FencedFiles) -> None:
    """Reading a folder is refused as `not_found`, and a pipe does not make the daemon wait for ever."""
    with pytest.raises(ToolRejected) as caught:
        files.read(path("Assets/Scripts"))
    assert caught.value.code == "not_found"
    os.mkfifo(files.root / "Assets" / "pipe")
    with pytest.raises(ToolRejected) as caught:
        files.read(path("Assets/pipe"))
    assert caught.value.code == "not_found"


def test_a_file_over_the_limit_is_refused(files: FencedFiles) -> None:
    """A limit refuses what is larger and names both sizes; a file of exactly the limit passes."""
    assert files.read(path("Assets/Scripts/a.cs"), limit_bytes=6) == b"inside"
    with pytest.raises(ToolRejected) as caught:
        files.read(path("Assets/Scripts/a.cs"), limit_bytes=5)
    assert caught.value.code == "too_large"
    assert (caught.value.details["sizeBytes"], caught.value.details["limitBytes"]) == (6, 5)


@pytest.mark.parametrize(
    ("link", "target", "asked"),
    [
        ("Assets/link.txt", "../../secret.txt", "Assets/link.txt"),
        ("Assets/Linked", "../../outside", "Assets/Linked/secret.txt"),
        ("Assets/Linked", "Scripts", "Assets/Linked/a.cs"),
        ("Assets/loop", "loop", "Assets/loop/x"),
        ("Assets/dangling", "nowhere", "Assets/dangling"),
        ("Assets/Abs", "/etc", "Assets/Abs/passwd"),
    ],
)
def test_links_are_refused_with_the_reason(files: FencedFiles, link: str, target: str, asked: str) -> None:
    """Neither the last part nor one on the way may be a link, also not one that stays inside; the refusal names the link."""
    (files.root / link).symlink_to(target)
    with pytest.raises(ToolRejected) as caught:
        files.read(path(asked))
    assert caught.value.code == "path_outside_project"
    assert caught.value.details == {"path": link, "reason": "link"}
    assert "is a link" in caught.value.message
    with pytest.raises(ToolRejected):
        files.stat(path(asked))
    if asked != link:
        with pytest.raises(ToolRejected):
            files.names(path(link))


names = st.sampled_from(
    ["..", ".", "", "Assets", "Scripts", "a.cs", "Linked", "secret.txt", "link.txt", "outside", "~", "\\", "C:"]
)
texts = st.one_of(
    st.lists(names, max_size=6).map("/".join), st.text(max_size=20), st.text(max_size=10).map(lambda t: f"Assets/{t}")
)


@given(text=texts)
@example(text="Assets/../../secret.txt")
@example(text="Assets/Linked/../secret.txt")
@example(text="/etc/passwd")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_reads_outside(files: FencedFiles, text: str) -> None:
    """Whatever the text, with or without the lexical check before it, the bytes outside are never read."""
    for name, target in (("Linked", "../../outside"), ("link.txt", "../../secret.txt")):
        if not (files.root / "Assets" / name).is_symlink():
            (files.root / "Assets" / name).symlink_to(target)
    try:
        read, code = files.read(files.parse(text)), ""
    except ToolRejected as refused:
        read, code = None, refused.code
    assert read in (None, b"inside")
    assert code in ("", "path_outside_project", "invalid_arguments", "not_found")
    try:
        content, _ = files.beneath.read(tuple(text.split("/")))
    except (OSError, ValueError):
        return
    assert content == b"inside"


def test_a_folder_that_turns_into_a_link_while_it_is_read(tmp_path: Path, files: FencedFiles) -> None:
    """While another process swaps a folder with a link to outside all the time, no read ever gives the outside's bytes."""
    inside = files.root / "Assets" / "Swap"
    inside.mkdir()
    (inside / "secret.txt").write_bytes(b"inside")
    (files.root / "link").symlink_to(tmp_path / "outside")
    script = (
        "import ctypes, sys\n"
        "c = ctypes.CDLL(None)\n"
        "a, b = (x.encode() for x in sys.argv[1:])\n"
        "while True: c.renameat2(-100, a, -100, b, 2)\n"
    )
    swapper = subprocess.Popen([sys.executable, "-c", script, str(inside), str(files.root / "link")])
    seen = {"read": 0, "refused": 0}
    try:
        while min(seen.values()) < 50 and swapper.poll() is None:
            try:
                content = files.read(path("Assets/Swap/secret.txt"))
            except ToolRejected:
                seen["refused"] += 1
            else:
                assert content in (b"inside", None)
                seen["read"] += 1
    finally:
        swapper.kill()
        swapper.wait()
    assert min(seen.values()) >= 50


def test_absolute_paths_in_the_project_become_relative(tmp_path: Path, files: FencedFiles) -> None:
    """Absolute paths are taken by the project's real path and by the path it was opened with; others are outside."""
    (tmp_path / "alias").symlink_to(files.root)
    aliased = FencedFiles(tmp_path / "alias")
    assert aliased.root == files.root
    for root in (files.root, tmp_path / "alias"):
        assert aliased.parse(f"{root}/Assets/Scripts/a.cs") == path("Assets/Scripts/a.cs")
    for text in (f"{files.root}x/Assets/a.cs", f"{tmp_path}/secret.txt", f"{files.root}/../secret.txt"):
        with pytest.raises(ToolRejected) as caught:
            aliased.parse(text, field="filePath")
        assert caught.value.code == "path_outside_project"
        assert "filePath" in caught.value.details["fields"]


def test_short_names_only_where_such_a_file_exists(files: FencedFiles) -> None:
    """`~1` may be Windows' alias of another file: refused, unless a file of exactly that name is there."""
    with pytest.raises(ToolRejected) as caught:
        files.parse("Assets/PLAYER~1.CS")
    assert caught.value.code == "invalid_arguments"
    with pytest.raises(ToolRejected):
        files.parse("Assets/SCRIPT~1/a.cs")
    (files.root / "Assets" / "backup~1").write_bytes(b"")
    assert files.parse("Assets/backup~1").text == "Assets/backup~1"


def test_embedded_packages_follow_the_disk(files: FencedFiles) -> None:
    """Embedded packages are the real folders with a package.json, and a new or removed one shows at once."""
    assert files.embedded_packages == frozenset()
    mine = files.root / "Packages" / "com.mine"
    mine.mkdir()
    assert files.embedded_packages == frozenset()
    (mine / "package.json").write_text("{}")
    assert files.embedded_packages == {"com.mine"}
    (files.root / "Packages" / "com.linked").symlink_to(mine)
    assert files.embedded_packages == {"com.mine"}
    (mine / "package.json").unlink()
    assert files.embedded_packages == frozenset()


@pytest.mark.parametrize("existing", ["Assets/scripts", "Assets/Scripts/A.cs", "Assets/Scripts/Café.cs"])
def test_names_that_only_differ_by_case(files: FencedFiles, existing: str) -> None:
    """A new name that some platforms would take for an existing one is `already_exists` with the existing spelling."""
    wanted = {
        "Assets/scripts": "Assets/SCRIPTS/new.cs",
        "Assets/Scripts/A.cs": "Assets/Scripts/a.CS",
        "Assets/Scripts/Café.cs": "Assets/Scripts/café.cs",
    }[existing]
    target = files.root / existing
    if target.suffix:
        target.write_bytes(b"")
    else:
        (files.root / "Assets" / "Scripts" / "a.cs").unlink()
        (files.root / "Assets" / "Scripts").rmdir()
        target.mkdir()
    with pytest.raises(ToolRejected) as caught:
        files.check_spelling(path(wanted))
    assert caught.value.code == "already_exists"
    assert caught.value.details["existing"] in (existing, "Assets/Scripts/a.cs")
    files.check_spelling(path("Assets/Scripts/other.cs" if target.suffix else "Assets/scripts/other.cs"))


def test_a_root_that_is_no_folder(tmp_path: Path) -> None:
    """Opening something that is not a folder is a set-up error; a project that vanishes later is the world's."""
    with pytest.raises(FatalError):
        FencedFiles(tmp_path / "none")
    (tmp_path / "p").mkdir()
    files = FencedFiles(tmp_path / "p")
    (tmp_path / "p").rmdir()
    assert files.read(path("Assets/a.cs")) is None


def test_packages_of_a_registry_are_read_where_unity_keeps_them(tmp_path: Path) -> None:
    """Packages/<name>/… of a cached package is readable under its own path, never writable; an embedded one wins."""
    cache = tmp_path / "Library/PackageCache/com.unity.sample@1.2.3/Runtime"
    cache.mkdir(parents=True)
    (cache / "A.cs").write_text("class A {}\n")
    (tmp_path / "Packages").mkdir()
    files = FencedFiles(tmp_path)
    path = files.parse("Packages/com.unity.sample/Runtime/A.cs")
    assert files.read(path) == b"class A {}\n"
    assert files.names(ProjectPath("Packages/com.unity.sample")) == ["Runtime"]
    found = files.stat(path)
    assert found is not None
    assert found.size == 11
    with pytest.raises(ToolRejected) as refused:
        check_writable(path, embedded_packages=files.embedded_packages)
    assert refused.value.code == "protected_path"
    embedded = tmp_path / "Packages/com.unity.sample/Runtime"
    embedded.mkdir(parents=True)
    (embedded / "A.cs").write_text("class Mine {}\n")
    assert files.read(path) == b"class Mine {}\n"


def test_names_that_are_no_text_are_left_out_and_counted(tmp_path: Path) -> None:
    """A name that is no UTF-8 is in no listing (nobody could send or store it), but its folder tells that it is there; making
    a file beside it works."""
    files = FencedFiles(tmp_path)
    (tmp_path / "Assets").mkdir()
    (tmp_path / "Assets" / "\u00e4.cs").touch()
    folder = ProjectPath("Assets")
    assert files.undecodable_names(folder) == 0
    try:
        Path(os.fsdecode(os.fsencode(tmp_path / "Assets") + b"/bad\xff.cs")).touch()
    except OSError:
        return  # a file system that takes UTF-8 only
    assert files.names(folder) == ["\u00e4.cs"]
    assert files.undecodable_names(folder) == 1
    assert files.undecodable_names(ProjectPath("Assets/None")) == 0
    files.check_spelling(ProjectPath("Assets/new.cs"))
