"""Guids of packages that lie outside of the project's own folders lead to the paths that Unity shows for them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from spark.adapters.file_index import PACKAGES_CACHE, FileIndex, finish
from spark.adapters.package_folders import PackageFolders
from spark.adapters.package_guids import PackageGuids
from spark.adapters.package_table import PackageTable, read_package
from spark.adapters.project_files import FencedFiles
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.engine import open_unity
from tests.adapters.watch_kit import guid, make_project, meta, scene, write
from tests.fakes.project import FakeProject

OLD_NS = 1_600_000_000_000_000_000


def package(folder: Path, name: str, number: int, *, version: str = "1.0.0") -> Path:
    """A package with one script `Runtime/Thing.cs`, not changed for years."""
    write(folder / "package.json", json.dumps({"name": name, "version": version}))
    write(folder / "Runtime/Thing.cs", f"class Thing{number} {{}}\n")
    write(folder / "Runtime/Thing.cs.meta", meta(number))
    os.utime(folder, ns=(OLD_NS, OLD_NS))
    return folder


def manifest(root: Path, dependencies: Mapping[str, str], lock: Mapping[str, object] | None = None) -> None:
    write(root / "Packages/manifest.json", json.dumps({"dependencies": dict(dependencies)}))
    if lock is not None:
        write(root / "Packages/packages-lock.json", json.dumps({"dependencies": lock}))


def of(packages: PackageGuids, number: int) -> str | None:
    found = packages.path_of_guid(bytes.fromhex(guid(number)))
    return found.text if found is not None else None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "game")


def test_every_kind_of_package_is_found_under_its_own_name(root: Path) -> None:
    """The cache, `file:` packages beside and inside the project (also those that only the lock names), and embedded ones."""
    package(root / "Library/PackageCache/com.cached@1.2.3", "com.cached", 70)
    package(root / "Library/PackageCache/com.hashed@0123456789ab", "com.hashed", 71)
    package(root / "Library/PackageCache/com.builtin", "com.builtin", 72)
    package(root.parent / "beside", "com.beside", 73)
    package(root / "Local/inside", "com.inside", 74)
    package(root.parent / "absolute", "com.absolute", 75)
    package(root.parent / "locked", "com.locked", 76)
    package(root / "Packages/my-folder", "com.embedded", 77)
    manifest(
        root,
        {
            "com.beside": "file:../../beside",
            "com.inside": "file:../Local/inside",
            "com.absolute": f"file:{root.parent}/absolute",
            "com.embedded": "file:my-folder",
            "com.cached": "1.2.3",
        },
        {"com.locked": {"version": "file:../../locked", "source": "local"}},
    )
    index = FileIndex(root)
    finish(index.full_scan())
    found = {number: index.path_of_guid(guid(number)) for number in range(70, 79)}
    assert {number: path.text for number, path in found.items() if path is not None} == {
        70: "Packages/com.cached/Runtime/Thing.cs",
        71: "Packages/com.hashed/Runtime/Thing.cs",
        72: "Packages/com.builtin/Runtime/Thing.cs",
        73: "Packages/com.beside/Runtime/Thing.cs",
        74: "Packages/com.inside/Runtime/Thing.cs",
        75: "Packages/com.absolute/Runtime/Thing.cs",
        76: "Packages/com.locked/Runtime/Thing.cs",
        77: "Packages/my-folder/Runtime/Thing.cs",
    }


def test_what_a_guid_leads_to_can_be_read_where_it_is_inside_the_project(root: Path) -> None:
    """Packages of the cache, `file:` packages inside the project, and embedded ones also by the name that Unity shows; of
    packages elsewhere nothing is read, and the refusal says why."""
    package(root / "Library/PackageCache/com.cached@1.2.3", "com.cached", 70)
    package(root / "Local/inside", "com.inside", 74)
    package(root / "Packages/my-folder", "com.embedded", 77)
    package(root.parent / "beside", "com.beside", 73)
    manifest(root, {"com.inside": "file:../Local/inside", "com.beside": "file:../../beside"})
    files = FencedFiles(root)
    for name, number in (("com.cached", 70), ("com.inside", 74), ("com.embedded", 77), ("my-folder", 77)):
        path = files.parse(f"Packages/{name}/Runtime/Thing.cs")
        assert files.read(path) == b"class Thing%d {}\n" % number
        assert files.stat(path) is not None
        assert files.names(ProjectPath(f"Packages/{name}")) == ["Runtime", "package.json"]
    for ask in (files.read, files.stat, files.names):
        with pytest.raises(ToolRejected) as refused:
            ask(ProjectPath("Packages/com.beside/Runtime"))
        assert refused.value.code == "path_outside_project"
        assert "guids" in refused.value.hint
    assert files.read(ProjectPath("Packages/com.nowhere/a.cs")) is None


@pytest.mark.parametrize("place", ["../Library/Spark", "../.git", "../.spark/stage", "../UserSettings", "../../home"])
def test_a_manifest_opens_neither_private_folders_nor_the_disk(root: Path, place: str) -> None:
    """A project that comes from a stranger may name any folder: what the Editor and SPARK keep for themselves is no package,
    nor is a folder that does not call itself so."""
    named = "com.other" if place == "../../home" else "com.evil"
    package((root / "Packages" / place).resolve(), named, 80)
    manifest(root, {"com.evil": f"file:{place}"})
    assert "com.evil" not in PackageFolders(str(root)).by_name()
    assert of(PackageGuids(root), 80) is None
    assert FencedFiles(root).read(ProjectPath("Packages/com.evil/Runtime/Thing.cs")) is None


def test_of_several_cached_folders_the_one_of_the_lock_counts(root: Path) -> None:
    """By version, by the hash of a git package, by the version in its `package.json`; without a lock the last by name."""
    cache = root / "Library/PackageCache"
    for name, suffix, number, version in (
        ("com.a", "1.0.0", 60, "1.0.0"),
        ("com.a", "2.0.0", 61, "2.0.0"),
        ("com.b", "0a0a0a0a0a", 62, "1.0.0"),
        ("com.b", "1b1b1b1b1b", 63, "1.0.0"),
        ("com.c", "0c0c", 64, "3.0.0"),
        ("com.c", "1c1c", 65, "4.0.0"),
        ("com.d", "1", 66, "1"),
        ("com.d", "2", 67, "2"),
    ):
        package(cache / f"{name}@{suffix}", name, number, version=version)
    manifest(
        root,
        {},
        {
            "com.a": {"version": "1.0.0"},
            "com.b": {"version": "https://host/b.git", "hash": "0a0a0a0a0affffff"},
            "com.c": {"version": "3.0.0"},
        },
    )
    packages = PackageGuids(root)
    assert [number for number in range(60, 68) if of(packages, number)] == [60, 62, 64, 67]
    assert FencedFiles(root).read(ProjectPath("Packages/com.a/Runtime/Thing.cs")) == b"class Thing60 {}\n"


def test_an_embedded_package_hides_the_cached_one(root: Path) -> None:
    """Unity uses the embedded copy, whatever its folder is called: the cached one's guids are not a second time."""
    package(root / "Library/PackageCache/com.mine@1.0.0", "com.mine", 2)
    package(root / "Packages/work", "com.mine", 2)
    (root / "Assets/Scripts/Player.cs.meta").unlink()
    index = FileIndex(root)
    finish(index.full_scan())
    finish(index.full_scan())
    assert index.path_of_guid(guid(2)) == ProjectPath("Packages/work/Runtime/Thing.cs")
    assert index.duplicate_guids() == {}


def test_what_unity_changes_shows_with_the_next_question(root: Path) -> None:
    """A package that is added to the cache, taken away, or moved by the manifest."""
    package(root / "Library/PackageCache/com.a@1", "com.a", 60)
    packages = PackageGuids(root)
    assert (of(packages, 60), of(packages, 61)) == ("Packages/com.a/Runtime/Thing.cs", None)
    package(root / "Library/PackageCache/com.b@1", "com.b", 61)
    assert of(packages, 61) == "Packages/com.b/Runtime/Thing.cs"
    shutil.rmtree(root / "Library/PackageCache/com.a@1")
    assert of(packages, 60) is None
    package(root.parent / "beside", "com.a", 60)
    manifest(root, {"com.a": "file:../../beside"})
    assert of(packages, 60) == "Packages/com.a/Runtime/Thing.cs"
    manifest(root, {})
    assert (of(packages, 60), of(packages, 61)) == (None, "Packages/com.b/Runtime/Thing.cs")


def test_what_the_user_changes_in_a_file_package_shows_after_the_next_full_scan(root: Path) -> None:
    """Nobody watches folders outside of the project; a scan looks at them, and reads only what changed."""
    beside = package(root.parent / "beside", "com.a", 60)
    manifest(root, {"com.a": "file:../../beside"})
    index = FileIndex(root)
    finish(index.full_scan())
    assert index.path_of_guid(guid(60)) is not None
    write(beside / "Runtime/Deep/New.cs.meta", meta(61))
    write(beside / "Runtime/Thing.cs.meta", meta(62))
    finish(index.full_scan())
    found = [index.path_of_guid(guid(number)) for number in (60, 61, 62)]
    assert found == [None, *map(ProjectPath, ("Packages/com.a/Runtime/Deep/New.cs", "Packages/com.a/Runtime/Thing.cs"))]


def test_a_package_that_is_still_being_filled_is_looked_at_again(root: Path) -> None:
    """What was read of a folder that changed a moment ago may be half of it: it is read again, but not with every question."""
    half = package(root / "Library/PackageCache/com.a@1", "com.a", 60)
    now_ns, now_s = OLD_NS + 1_000_000_000, 0.0
    packages = PackageGuids(root, root / "cache", wall_ns=lambda: now_ns, monotonic_s=lambda: now_s)
    assert (of(packages, 60), of(packages, 61)) == ("Packages/com.a/Runtime/Thing.cs", None)
    write(half / "Runtime/Late.cs.meta", meta(61))
    assert of(packages, 61) is None
    now_s = 2.0
    assert of(packages, 61) == "Packages/com.a/Runtime/Late.cs"
    now_ns, now_s = OLD_NS + 60_000_000_000, 4.0
    assert of(packages, 61) == "Packages/com.a/Runtime/Late.cs"
    write(half / "Runtime/Never.cs.meta", meta(62))
    now_s = 100.0
    assert of(packages, 62) is None


def test_the_cache_is_read_once_and_kept_for_the_next_start(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second daemon opens no `.meta` of a package that is still the same; a new package is read, a damaged file ignored."""
    snapshot = root / "index.snapshot"
    package(root / "Library/PackageCache/com.a@1", "com.a", 60)
    finish((first := FileIndex(root, snapshot=snapshot)).full_scan())
    assert first.path_of_guid(guid(60)) is not None
    package(root / "Library/PackageCache/com.b@1", "com.b", 61)
    opened: list[str] = []
    real_open = os.open

    def noting(path: str, *rest: int) -> int:
        opened.append(str(path))
        return real_open(path, *rest)

    second = FileIndex(root, snapshot=snapshot)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", noting)
        assert second.path_of_guid(guid(60)) == ProjectPath("Packages/com.a/Runtime/Thing.cs")
        assert second.path_of_guid(guid(61)) == ProjectPath("Packages/com.b/Runtime/Thing.cs")
    metas = [path for path in opened if path.endswith(".meta")]
    assert metas == [f"{root}/Library/PackageCache/com.b@1/Runtime/Thing.cs.meta"]
    (root / PACKAGES_CACHE).write_bytes(b"damaged")
    assert FileIndex(root, snapshot=snapshot).path_of_guid(guid(61)) is not None


def test_nothing_of_packages_is_read_before_somebody_asks(root: Path) -> None:
    """The first scan and the status leave them alone; a project without any has no trouble."""
    package(root / "Library/PackageCache/com.a@1", "com.a", 60)
    packages_cache = root / PACKAGES_CACHE
    index = FileIndex(root, snapshot=root / "index.snapshot")
    finish(index.full_scan())
    index.duplicate_guids()
    assert index.path_of_guid(guid(2)) is not None
    assert not packages_cache.exists()
    assert index.path_of_guid(guid(60)) is not None
    assert packages_cache.exists()
    assert of(PackageGuids(root.parent / "nothing"), 60) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"dependencies": []}', '{"dependencies": {"a": 7, "b": {"version": 1}}}', "[" * 9000]
)
def test_broken_manifests_name_no_packages(root: Path, text: str) -> None:
    """A manifest in the middle of a merge is Unity's to complain about."""
    write(root / "Packages/manifest.json", text)
    write(root / "Packages/packages-lock.json", text)
    package(root / "Library/PackageCache/com.a@1", "com.a", 60)
    assert of(PackageGuids(root), 60) == "Packages/com.a/Runtime/Thing.cs"


def test_the_table_finds_every_guid_and_no_other(tmp_path: Path) -> None:
    """Thousands of guids in many packages, names of any alphabet, folders that Unity leaves out."""
    expected: dict[bytes, str] = {}
    for number in range(40):
        for part in range(30):
            name = f"Ordner {part % 3}/Größe{number}-{part}"
            write(tmp_path / f"p{number}" / f"{name}.png.meta", meta(1_000_003 * (number * 30 + part) + 1))
            key = bytes.fromhex(guid(1_000_003 * (number * 30 + part) + 1))
            expected[key] = f"Packages/p{number}/{name}.png"
        write(tmp_path / f"p{number}" / "Samples~" / "a.cs.meta", meta(7))
        write(tmp_path / f"p{number}" / ".hidden" / "a.cs.meta", meta(8))

    def read(number: int) -> tuple[str, object]:
        steps = read_package(str(tmp_path / f"p{number}"), lambda: False)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return f"p{number}", stop.value

    table = PackageTable([read(number) for number in range(40)])  # type: ignore[misc]
    assert len(table) == len(expected)
    assert {key: table.paths(key) for key in expected} == {key: [path] for key, path in expected.items()}
    assert list(table.guids()) == sorted(expected)
    assert all(table.paths(bytes.fromhex(guid(number))) == [] for number in (0, 7, 8, 2**128 - 1))


async def test_who_refers_to_an_asset_of_a_package_is_found_by_its_path(root: Path) -> None:
    """Assets that cannot be written have references too: by the path that Unity shows, or by guid."""
    package(root / "Library/PackageCache/com.cached@1.2.3", "com.cached", 70)
    write(root / "Assets/Use.prefab", scene(70))
    (root / "Linked").mkdir()
    write(root / "Linked/Far.prefab", scene(70))
    (root / "Assets/Linked").symlink_to(root / "Linked", target_is_directory=True)
    index = FileIndex(root)
    finish(index.full_scan())
    files = FencedFiles(root)
    fake = FakeProject(root)
    context = replace(fake.context(), files=files, index=index, engine=open_unity(files, index))
    tool = fake.registry.get("searchProject")
    for query in ("Packages/com.cached/Runtime/Thing.cs", guid(70), f"{guid(70)}#11500000"):
        answer = await tool.run(tool.parse({"query": query, "kind": "references"}), context)
        assert answer.result["asset"] == "Packages/com.cached/Runtime/Thing.cs"
        linked, match = answer.result["matches"]
        assert linked == {"path": "Assets/Linked/Far.prefab", "unread": True}
        assert (match["path"], match["line"], match["fileId"]) == ("Assets/Use.prefab", 5, "11500000")
