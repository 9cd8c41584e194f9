"""`merge`: three files in, one out; what it says of conflicts; that nothing is written when something is wrong."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spark.cli.merge import MAX_READ_BYTES
from tests.cli.conftest import Spark
from tests.engines.unity.merge.assets import asset, edited, resolved, within

TANK = asset("Tank.prefab")
OURS = within(TANK, 6501, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
THEIRS = within(TANK, 6501, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
OTHER = within(TANK, 6501, ("m_IsTrigger: 0", "m_IsTrigger: 2"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no project, with a space in its name, and the current folder in it."""
    place = tmp_path / "kein Projékt"
    place.mkdir()
    monkeypatch.chdir(place)
    for name, content in (("base", TANK), ("ours", OURS), ("theirs", THEIRS), ("other", OTHER)):
        (place / name).write_bytes(content)
    return place


def test_clean(spark: Spark, folder: Path) -> None:
    """Outside a project, without a daemon: status 0, the merged bytes in OUT, nothing said."""
    result = spark("merge", "base", "ours", "theirs", "-o", "out.prefab")
    assert (result.status, result.stdout, result.stderr) == (0, b"", "")
    merged = within(OURS, 6501, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
    assert (folder / "out.prefab").read_bytes() == merged
    assert sorted(path.name for path in folder.iterdir()) == ["base", "other", "ours", "out.prefab", "theirs"]
    document = spark("merge", "base", "ours", "theirs", "-o", "ours", "--json").document
    assert document["success"] is True
    assert document["conflicts"] == []
    assert (folder / "ours").read_bytes() == merged


def test_conflict(spark: Spark, folder: Path) -> None:
    """Status 1, marks in OUT, and on stderr the line, object, document, property and both values; as JSON the same."""
    result = spark("merge", "base", "ours", "other", "-o", "out", "--path", "Assets/Tank.prefab")
    assert result.status == 1
    assert result.stdout == b""
    for part in ("Assets/Tank.prefab: 1 conflict,", "“Tank”", "BoxCollider &6501", "m_IsTrigger: 1", "m_IsTrigger: 2"):
        assert part in result.stderr
    assert resolved((folder / "out").read_bytes()) == (OURS, OTHER)
    error = spark("merge", "base", "ours", "other", "-o", "out", "--json").document["error"]
    assert error["code"] == "conflict"
    (conflict,) = error["details"]["conflicts"]
    assert (conflict["fileId"], conflict["type"], conflict["object"]) == ("6501", "BoxCollider", "Tank")
    assert conflict["property"] == "m_IsTrigger"
    assert OURS.splitlines()[conflict["oursLine"] - 1] == b"  m_IsTrigger: 1"


def test_binary_leaves_ours(spark: Spark, folder: Path) -> None:
    """What cannot hold marks is left as ours, said so, and status 1."""
    (folder / "a").write_bytes(b"\x00a")
    (folder / "b").write_bytes(b"\x00b")
    (folder / "empty").write_bytes(b"")
    result = spark("merge", "empty", "a", "b", "-o", "out")
    assert result.status == 1
    assert (folder / "out").read_bytes() == b"\x00a"
    assert "binary" in result.stderr
    assert "git checkout --theirs" in result.stderr


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_unreadable_input_writes_nothing(spark: Spark, folder: Path, missing: int) -> None:
    """An input that cannot be read is wrong usage, named; OUT stays as it is."""
    names = ["base", "ours", "theirs"]
    names[missing] = "not there"
    (folder / "out").write_bytes(b"kept")
    result = spark("merge", *names, "-o", "out", "--json")
    assert result.status == 2
    assert "not there" in result.document["error"]["message"]
    assert (folder / "out").read_bytes() == b"kept"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_pipes_and_devices_are_refused(spark: Spark, folder: Path, place: int) -> None:
    """A pipe that nobody writes into and a device without an end are wrong usage at once, by name; OUT stays as it is."""
    os.mkfifo(folder / "pipe")
    (folder / "endless").symlink_to("/dev/zero")
    (folder / "out").write_bytes(b"kept")
    for odd in ("pipe", "endless", "."):
        names = ["base", "ours", "theirs"]
        names[place] = odd
        result = spark("merge", *names, "-o", "out")
        assert result.status == 2
        assert f"{odd} cannot be read (it is no regular file)" in result.stderr
    assert spark("merge", "base", "ours", "theirs", "-o", "pipe").status == 2
    assert (folder / "out").read_bytes() == b"kept"


def test_files_without_measure_are_refused(spark: Spark, folder: Path) -> None:
    """A file larger than a file of Unity's ever is: said with the limit, before anything is merged."""
    with (folder / "ours").open("r+b") as stream:
        stream.truncate(MAX_READ_BYTES + 1)
    result = spark("merge", "base", "ours", "theirs", "-o", "out")
    assert result.status == 2
    assert "larger than 256 MB" in result.stderr
    assert not (folder / "out").exists()


def test_out_that_cannot_be_written(spark: Spark, folder: Path) -> None:
    """A folder, or a place in a folder that does not exist, is wrong usage; no staged file stays behind."""
    (folder / "there").mkdir()
    for out in ("there", "nowhere/out"):
        assert spark("merge", "base", "ours", "theirs", "-o", out).status == 2
    assert not list(folder.rglob(".spark-merge-*"))


def test_out_keeps_permissions_and_links(spark: Spark, folder: Path) -> None:
    """An existing OUT keeps its permissions; a link stays a link and its target gets the bytes."""
    (folder / "ours").chmod(0o640)
    (folder / "link").symlink_to("ours")
    assert spark("merge", "base", "link", "theirs", "-o", "link").status == 0
    assert (folder / "link").is_symlink()
    assert stat.S_IMODE(os.stat(folder / "ours").st_mode) == 0o640
    assert b"m_ProvidesContacts: 1" in (folder / "ours").read_bytes()


def test_kind_by_path(spark: Spark, folder: Path) -> None:
    """`--path` says what a temporary file is, in either spelling of separators; a meta is merged by key."""
    meta = asset("Tank.prefab.meta")
    (folder / "b").write_bytes(meta)
    (folder / "o").write_bytes(edited(meta, ("  userData: \n", "  userData: mine\n")))
    (folder / "t").write_bytes(edited(meta, ("  assetBundleName: \n", "  assetBundleName: tanks\n")))
    assert spark("merge", "b", "o", "t", "-o", "o", "--path", "Assets\\Tank.prefab.meta").status == 0
    assert b"  userData: mine\n  assetBundleName: tanks\n" in (folder / "o").read_bytes()
