"""Landing: what reaches the project, what the history says of it, and what happens when the user is faster."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spark.adapters.beneath import Folder
from spark.adapters.exchange import LinkExchange, native_exchange
from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.diagnostics import Finding
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.versions import Author, Observed, Provenance
from spark.text.merge import Merge
from tests.adapters.store_kit import USER, Checkout

A = "Assets/a.cs"
ONE, TWO = b"one\n", b"two\n"
LINES = b"".join(b"line %d\n" % number for number in range(10))
TOP, END = b"top\n" + LINES, LINES + b"end\n"


@pytest.fixture(params=["exchange", "hard link"])
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """With the platform's exchange and with the fallback for file systems without one."""
    rig = Checkout(tmp_path, exchange=LinkExchange() if request.param == "hard link" else None)
    rig.landing.recover()
    yield rig
    rig.close()


def refused(code: str, call: Callable[[], object]) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def at_point(rig: Checkout, point: str, act: Callable[[], object], *, times: int = 1) -> None:
    """Runs `act` when the landing passes a point, the first `times` times."""
    left = [times]

    def hook(passed: str) -> None:
        if passed == point and left[0]:
            left[0] -= 1
            act()

    rig.hook = hook


# -- what lands ---------------------------------------------------------------------------------------------------


def test_create_modify_delete(rig: Checkout) -> None:
    """Each write is on disk, answered with its hashes, and one version whose parent holds what it replaced."""
    created = rig.write(A, ONE).changes[0]
    modified = rig.write(A, TWO, turn_id="t_2", call_id="c_2").changes[0]
    deleted = rig.write(A, None).changes[0]
    assert rig.on_disk(A) is None
    assert [c.action for c in (created, modified, deleted)] == ["created", "modified", "deleted"]
    assert (created.sha256_before, created.sha256_after) == (None, sha256_of(ONE))
    assert (modified.sha256_before, modified.sha256_after) == (sha256_of(ONE), sha256_of(TWO))
    assert (deleted.sha256_before, deleted.sha256_after) == (sha256_of(TWO), None)
    versions = rig.versions()
    assert [v.version_id for v in versions] == [c.version_id for c in (created, modified, deleted)]
    assert [v.parent_id for v in versions] == [None, created.version_id, modified.version_id]
    assert [rig.before(v) for v in versions] == [None, ONE, TWO]
    assert versions[1].author == Author("model", "test-model")
    assert rig.store.turn_versions("t_2") == [versions[1]] == rig.store.call_versions("c_2")


def test_bytes_without_a_version_are_recorded_as_the_users_first(rig: Checkout) -> None:
    """Where a write replaces bytes that no version has, the user's version of them comes first, also for a deletion by the
    user that nobody saw."""
    rig.save(A, ONE)
    rig.write(A, TWO)
    user, ours = rig.versions()
    assert (user.author, user.action, user.turn_id) == (Author("user", USER), "modified", None)
    assert (ours.parent_id, rig.before(ours)) == (user.version_id, ONE)
    (rig.root / A).unlink()
    rig.write(A, b"three")
    gone, again = rig.versions()[2:]
    assert (gone.author.kind, gone.action, again.parent_id, rig.before(again)) == (
        "user",
        "deleted",
        gone.version_id,
        None,
    )


def test_bytes_that_git_brought_are_gits(rig: Checkout) -> None:
    """Replaced bytes that came with a branch switch are recorded as git's, not as the user's."""
    from spark.core.versions import GitPlace

    rig.save(A, ONE)
    rig.store.record_git_event(GitPlace(), GitPlace("b" * 40, "topic"), {A: sha256_of(ONE)})
    rig.write(A, TWO)
    assert rig.versions(A)[0].author == Author("git", "topic")


def test_a_move_is_one_set(rig: Checkout) -> None:
    """A move with its .meta lands together; folders are made on the way and the emptied one goes with its .meta."""
    for name, content in (("Old/a.cs", ONE), ("Old/a.cs.meta", b"guid"), ("Old.meta", b"folder")):
        rig.save(f"Assets/{name}", content)
    changes = [rig.change(f"Assets/{name}", None) for name in ("Old/a.cs", "Old/a.cs.meta", "Old.meta")]
    for old, new in (
        ("Assets/Old/a.cs", "Assets/New/Deep/b.cs"),
        ("Assets/Old/a.cs.meta", "Assets/New/Deep/b.cs.meta"),
    ):
        changes.append(FileChange(ProjectPath(new), None, rig.on_disk(old), moved_from=ProjectPath(old)))
    landed = rig.land(*changes)
    assert rig.tree() == {"Assets/New/Deep/b.cs": ONE, "Assets/New/Deep/b.cs.meta": b"guid"}
    assert not (rig.root / "Assets" / "Old").exists()
    assert [c.action for c in landed.changes] == ["deleted"] * 3 + ["moved"] * 2
    assert [c.path for c in landed.changes] == [c.path for c in changes]


def test_the_order_keeps_guids(rig: Checkout) -> None:
    """Deletions come first (asset before .meta), then new files (.meta before asset): Unity never sees an asset alone and
    never the same GUID twice."""
    rig.save("Assets/x.cs", ONE)
    rig.save("Assets/x.cs.meta", b"guid")
    trees: list[set[str]] = []
    rig.hook = lambda point: trees.append(set(rig.tree())) if point == "exchanged" else None
    rig.land(
        *[rig.change("Assets/y.cs", ONE), rig.change("Assets/y.cs.meta", b"guid")],
        *[rig.change("Assets/x.cs.meta", None), rig.change("Assets/x.cs", None)],
    )
    assert trees == [{"Assets/x.cs.meta"}, set(), {"Assets/y.cs.meta"}, {"Assets/y.cs.meta", "Assets/y.cs"}]


def test_nothing_to_do_is_no_version(rig: Checkout) -> None:
    """A change whose bytes are already there makes no version and is left out of the answer; the rest of the set lands."""
    rig.save(A, ONE)
    landed = rig.land(rig.change(A, ONE), rig.change("Assets/b.cs", TWO))
    assert [c.path.text for c in landed.changes] == ["Assets/b.cs"]
    assert [v.path for v in rig.versions()] == ["Assets/b.cs"]
    assert rig.land(FileChange(ProjectPath(A), sha256_of(TWO), ONE)).changes == ()


def test_listeners_hear_of_own_writes(rig: Checkout) -> None:
    """Each landed file is told with its hash, deletions with None, so that the watcher knows them by content; and what the
    watcher sees in the middle of a landing is not taken for the user's."""
    rig.save(A, ONE)
    heard: list[tuple[str, str | None]] = []
    rig.landing.on_landed.append(lambda path, sha256: heard.append((path.text, sha256)))
    by = Provenance(Author("user", USER))
    seen = Observed(ProjectPath("Assets/b.cs"), sha256_of(TWO), len(TWO), TWO)
    early: list[object] = []
    at_point(rig, "synced", lambda: early.extend(rig.store.record_observed([seen], by)))
    rig.land(rig.change(A, None), rig.change("Assets/b.cs", TWO))
    assert heard == [(A, None), ("Assets/b.cs", sha256_of(TWO))]
    assert early == []
    assert [v.author.kind for v in rig.versions("Assets/b.cs")] == ["model"]


# -- refusals -----------------------------------------------------------------------------------------------------


def test_creating_never_overwrites(rig: Checkout) -> None:
    """An existing file, a folder of the name, and a file that appears meanwhile are `already_exists`, nothing changed."""
    rig.save(A, ONE)
    new = FileChange(ProjectPath(A), None, TWO)
    refused("already_exists", lambda: rig.land(new))
    (rig.root / "Assets" / "Folder").mkdir()
    refused("already_exists", lambda: rig.land(FileChange(ProjectPath("Assets/Folder"), None, TWO)))
    refused("already_exists", lambda: rig.land(FileChange(ProjectPath(f"{A}/x.cs"), None, TWO)))
    at_point(rig, "before exchange", lambda: rig.save("Assets/new.cs", ONE))
    refused("already_exists", lambda: rig.write("Assets/new.cs", TWO))
    assert rig.tree() == {A: ONE, "Assets/new.cs": ONE}


def test_a_name_that_differs_by_case(rig: Checkout) -> None:
    """A new name equal to a neighbour's but for case is refused; a move that only changes the case lands."""
    rig.save("Assets/Player.cs", ONE)
    new = FileChange(ProjectPath("Assets/player.cs"), None, ONE, moved_from=ProjectPath("Assets/Player.cs"))
    assert refused("already_exists", lambda: rig.land(new)).details["existing"] == "Assets/Player.cs"
    rig.land(rig.change("Assets/Player.cs", None), new)
    assert os.listdir(rig.root / "Assets") == ["player.cs"]


def test_a_folder_is_renamed_by_case(rig: Checkout) -> None:
    """A folder that goes as a whole leaves its name to one that differs only by case; one in which a file stays does not."""
    names = ("Scripts/A.cs", "Scripts/A.cs.meta", "Scripts/Deep/B.cs", "Scripts/Deep.meta", "Scripts.meta")
    for name in names:
        rig.save(f"Assets/{name}", name.encode())

    def moves(*, back: bool = False) -> ChangeSet:
        changes: list[FileChange] = []
        for name in names:
            old, new = ProjectPath(f"Assets/{name}"), ProjectPath(f"Assets/{name.lower()}")
            if back:
                old, new = new, old
            changes.append(rig.change(old.text, None))
            changes.append(FileChange(new, None, name.encode(), moved_from=old))
        if back:
            # As an undo makes it: which folders go follows from their metas.
            return ChangeSet(tuple(changes), merge=False)
        folders = {ProjectPath("Assets/Scripts"), ProjectPath("Assets/Scripts/Deep")}
        return ChangeSet(tuple(changes), merge=False, leaves=frozenset(folders))

    by = Provenance(Author("tool", "moveAsset"), "t_1", "c_1")
    before = rig.tree()
    rig.save("Assets/Scripts/Deep/stays.txt", b"")
    refusal = refused("already_exists", lambda: rig.landing.land(moves(), by))
    if sys.platform in ("darwin", "win32"):
        # The two names are one there, and a folder that stays keeps its own.
        return
    assert refusal.details["existing"] == "Assets/Scripts"
    (rig.root / "Assets/Scripts/Deep/stays.txt").unlink()
    assert rig.tree() == before
    rig.landing.land(moves(), by)
    assert rig.tree() == {f"Assets/{name.lower()}": name.encode() for name in names}
    assert sorted(os.listdir(rig.root / "Assets")) == ["scripts", "scripts.meta"]
    rig.landing.land(moves(back=True), by)
    assert rig.tree() == before


def test_a_stale_base_without_its_bytes_is_a_conflict(rig: Checkout) -> None:
    """A change made from bytes that are neither in place nor known is refused with all three hashes; so is one of a file
    that was deleted or never was."""
    rig.save(A, ONE)
    stale = FileChange(ProjectPath(A), sha256_of(b"never seen"), TWO)
    details = refused("conflict", lambda: rig.land(stale)).details
    assert {key: details[key] for key in ("path", "base", "ours", "theirs")} == {
        "path": A,
        "base": sha256_of(b"never seen"),
        "ours": sha256_of(ONE),
        "theirs": sha256_of(TWO),
    }
    gone = FileChange(ProjectPath("Assets/gone.cs"), sha256_of(ONE), TWO)
    assert "deleted" in refused("conflict", lambda: rig.land(gone)).message
    refused("conflict", lambda: rig.land(FileChange(ProjectPath("Assets/gone.cs"), sha256_of(ONE), None)))
    assert rig.tree() == {A: ONE}
    assert rig.versions() == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("ProjectSettings/ProjectSettings.asset", "protected_path"),
        ("ProjectSettings/ProjectVersion.txt", "protected_path"),
        ("Packages/com.x/a.cs", "protected_path"),
        ("Packages/manifest.json", "protected_path"),
        ("Assets/.git/config", "protected_path"),
        ("Assets", "protected_path"),
    ],
)
def test_protected_places(rig: Checkout, path: str, code: str) -> None:
    """The landing itself refuses what is not writable, whoever made the change set."""
    refused(code, lambda: rig.land(FileChange(ProjectPath(path), None, ONE)))
    assert rig.tree() == {}


def test_embedded_packages_are_writable(rig: Checkout) -> None:
    """A folder in Packages/ with a package.json may be written."""
    rig.save("Packages/com.x/package.json", b"{}")
    rig.write("Packages/com.x/a.cs", ONE)
    assert rig.on_disk("Packages/com.x/a.cs") == ONE


def test_links_are_never_written_through(rig: Checkout, tmp_path: Path) -> None:
    """A link as target or on the way is refused with the reason, and what it points to stays as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.cs").write_bytes(ONE)
    (rig.root / "Assets" / "Linked").symlink_to(outside)
    (rig.root / "Assets" / "link.cs").symlink_to(outside / "a.cs")
    for path, before in (
        ("Assets/Linked/a.cs", sha256_of(ONE)),
        ("Assets/Linked/new.cs", None),
        ("Assets/link.cs", sha256_of(ONE)),
    ):
        refusal = refused("path_outside_project", lambda p=path, b=before: rig.land(FileChange(ProjectPath(p), b, TWO)))  # type: ignore[misc]
        assert refusal.details["reason"] == "link"
    assert [p.name for p in outside.iterdir()] == ["a.cs"]
    assert (outside / "a.cs").read_bytes() == ONE


def test_a_folder_swapped_for_a_link_during_a_landing(rig: Checkout, tmp_path: Path) -> None:
    """Where somebody puts a link in the folder's place after the checks, nothing is written outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    rig.save("Assets/S/a.cs", ONE)

    def swap() -> None:
        (rig.root / "Assets" / "S").rename(rig.root / "Assets" / "Moved")
        (rig.root / "Assets" / "S").symlink_to(outside)

    at_point(rig, "put on stage", swap)
    refused("path_outside_project", lambda: rig.write("Assets/S/a.cs", TWO))
    assert list(outside.iterdir()) == []
    assert rig.on_disk("Assets/Moved/a.cs") == ONE


def test_one_file_twice_in_a_set(rig: Checkout) -> None:
    """A set that names a file twice, or two new files that some platforms take for one, is refused."""
    refused("invalid_arguments", lambda: rig.land(rig.change(A, ONE), rig.change(A, TWO)))
    refused("invalid_arguments", lambda: rig.land(rig.change(A, ONE), rig.change("Assets/A.cs", TWO)))
    assert rig.tree() == {}


@pytest.mark.parametrize(
    ("marker", "content", "line"),
    [
        ("", "", "chmod u+w 'Assets/a b.unity'"),
        (".p4config", "P4PORT=x", "p4 edit 'Assets/a b.unity'"),
        (".plastic/plastic.workspace", "", "cm checkout 'Assets/a b.unity'"),
        (".gitattributes", "*.unity lockable filter=lfs", "git lfs lock 'Assets/a b.unity'"),
        (".gitattributes", "[attr]big lfs lockable\n*.unity big", "git lfs lock 'Assets/a b.unity'"),
        (".gitattributes", "*.unity lockable\n/project/Assets/* -lockable", "chmod u+w 'Assets/a b.unity'"),
    ],
)
def test_a_write_protected_file_names_the_line_that_fits(
    rig: Checkout, marker: str, content: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without the owner's write bit is refused (also for the superuser) with the line of the user's version
    control, wherever its marker lies upwards; nothing is changed."""
    for name in ("P4CONFIG", "P4CLIENT", "P4PORT"):
        monkeypatch.delenv(name, raising=False)
    path = "Assets/a b.unity"
    rig.save(path, ONE)
    (rig.root.parent / ".git").mkdir()
    if marker:
        (rig.root.parent / marker).parent.mkdir(exist_ok=True)
        (rig.root.parent / marker).write_text(content)
    (rig.root / path).chmod(0o444)
    for after in (TWO, None):
        refusal = refused("read_only", lambda a=after: rig.write(path, a))  # type: ignore[misc]
        assert refusal.hint == f"Run: {line}"
        assert refusal.details["command"] == line
    assert rig.on_disk(path) == ONE
    (rig.root / path).chmod(0o644)
    rig.write(path, TWO)


def test_perforce_by_its_environment(rig: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Perforce is also known by its environment variables."""
    monkeypatch.setenv("P4CLIENT", "workspace")
    rig.save(A, ONE)
    (rig.root / A).chmod(0o444)
    assert refused("read_only", lambda: rig.write(A, TWO)).hint == f"Run: p4 edit {A}"


def test_a_system_refusal_in_the_middle_takes_all_back(rig: Checkout) -> None:
    """Where the system refuses the second file, the first goes back and the refusal says so."""
    rig.save(A, ONE)
    rig.save("Assets/D/b.cs", ONE)

    class Refusing:
        method = "refusing"

        def __init__(self) -> None:
            self.inner = rig.exchange or native_exchange()
            self.take = self.inner.take
            self.place = self.inner.place

        def swap(self, stage: object, staged: str, folder: object, name: str) -> None:
            if name == "b.cs":
                raise PermissionError(1, "Operation not permitted")
            self.inner.swap(stage, staged, folder, name)  # type: ignore[arg-type]

    rig.landing._steps.exchange = Refusing()
    refusal = refused("read_only", lambda: rig.land(rig.change(A, TWO), rig.change("Assets/D/b.cs", TWO)))
    assert "Assets/D/b.cs" in refusal.message
    assert rig.tree() == {A: ONE, "Assets/D/b.cs": ONE}


# -- the user is faster -------------------------------------------------------------------------------------------


def test_a_save_before_the_landing_is_merged(rig: Checkout) -> None:
    """Where the user saved since the change was made and the base is known, both changes are in place, and the history has
    the base, the user's and the merged bytes in order."""
    rig.write(A, LINES)
    rig.save(A, TOP)
    landed = rig.land(rig.change(A, END, base=LINES))
    assert landed.merged == {ProjectPath(A)}
    assert rig.on_disk(A) == b"top\n" + END
    assert landed.changes[0].sha256_before == sha256_of(TOP)
    assert rig.contents() == [LINES, TOP, b"top\n" + END]
    assert [v.author.kind for v in rig.versions()] == ["model", "user", "model"]


def test_keeping_bases_makes_a_waiting_change_mergeable(rig: Checkout) -> None:
    """A change set that waits for an approval can still be merged when its bases were kept."""
    rig.save(A, LINES)
    waiting = rig.change(A, END)
    rig.landing.keep_bases(ChangeSet((waiting,)))
    rig.save(A, TOP)
    assert rig.land(waiting).merged == {ProjectPath(A)}
    assert rig.on_disk(A) == b"top\n" + END


def test_the_bytes_that_a_call_read_are_a_base(rig: Checkout) -> None:
    """Bytes that no history has can be merged from when the change brings them; others than it was made from cannot."""
    rig.save(A, TOP)
    change = rig.change(A, END, base=LINES)
    assert "not known any more" in refused("conflict", lambda: rig.land(change)).message
    wrong = replace(change, base=LINES + b"more\n")
    assert "not known any more" in refused("conflict", lambda: rig.land(wrong)).message
    assert rig.on_disk(A) == TOP
    assert rig.land(replace(change, base=LINES)).merged == {ProjectPath(A)}
    assert rig.on_disk(A) == b"top\n" + END
    assert rig.contents() == [TOP, b"top\n" + END]


def test_a_user_who_saves_all_the_time_refuses_no_call_that_fits(rig: Checkout) -> None:
    """Each call was made from bytes that are old when it lands, and more saves fall into the landing: each lands, and no save
    is lost."""
    now = [LINES]

    def save() -> None:
        now[0] = (rig.on_disk(A) or b"").replace(b"line 0", b"line 0 saved", 1)
        rig.save(A, now[0])

    rig.save(A, LINES)
    for number in range(5):
        read = rig.on_disk(A) or b""
        save()
        at_point(rig, "before exchange", save, times=4)
        change = rig.change(A, read + b"call %d\n" % number, base=read)
        assert rig.land(replace(change, base=read)).merged
    assert rig.on_disk(A) == LINES.replace(b"line 0", b"line 0" + b" saved" * 25) + b"".join(
        b"call %d\n" % number for number in range(5)
    )


@pytest.mark.parametrize("saves", [1, 2, 8])
def test_saves_in_the_last_moment_are_merged(rig: Checkout, saves: int) -> None:
    """A save between the last look and the exchange comes out, goes back in place, and is merged; up to eight times."""
    rig.save(A, LINES)
    numbers = iter(range(10))
    current = [LINES]

    def save() -> None:
        current[0] = b"user %d\n" % next(numbers) + current[0]
        rig.save(A, current[0])

    at_point(rig, "before exchange", save, times=saves)
    landed = rig.write(A, END)
    assert landed.merged == {ProjectPath(A)}
    assert rig.on_disk(A) == current[0] + b"end\n"
    versions = rig.versions()
    assert [v.author.kind for v in versions] == ["user"] * (saves + 1) + ["model"]
    assert rig.before(versions[-1]) == current[0]
    assert landed.changes[0].version_id == versions[-1].version_id


def test_the_ninth_save_in_a_row_is_a_conflict(rig: Checkout) -> None:
    """After eight merges the landing gives up and says why: the user's newest bytes are in place and every save is in the
    history."""
    rig.save(A, LINES)
    saved = [b"user %d\n" % number + LINES for number in range(9)]
    left = list(saved)
    at_point(rig, "before exchange", lambda: rig.save(A, left.pop(0)), times=9)
    refusal = refused("conflict", lambda: rig.write(A, END))
    assert "saved again faster" in refusal.message
    assert "at rest" in refusal.hint
    assert rig.on_disk(A) == saved[-1]
    assert rig.contents() == [LINES, *saved]
    assert {v.author.kind for v in rig.versions()} == {"user"}


@pytest.mark.parametrize("merge", [True, False])
def test_a_save_that_does_not_fit_is_a_conflict(rig: Checkout, merge: bool) -> None:
    """Where both changed the same line (or merging is not wanted) the user's bytes stay, are kept, and the refusal shows
    all three hashes and, after a merge, the lines."""
    rig.save(A, LINES)
    users, ours = LINES.replace(b"line 5", b"user 5"), LINES.replace(b"line 5", b"model 5")
    at_point(rig, "before exchange", lambda: rig.save(A, users))
    details = refused("conflict", lambda: rig.land(rig.change(A, ours), merge=merge)).details
    assert [details[key] for key in ("base", "ours", "theirs")] == [sha256_of(c) for c in (LINES, users, ours)]
    if merge:
        assert "user 5" in details["conflicts"][0]["ours"]
        assert "model 5" in details["conflicts"][0]["theirs"]
    assert rig.on_disk(A) == users
    assert rig.contents() == [LINES, users]


def test_a_merge_that_breaks_the_file_is_a_conflict(rig: Checkout) -> None:
    """Every automatic merge is checked; an error that it brought makes it a conflict with the findings."""
    rig.save(A, LINES)
    rig.landing.merging.check = lambda path, content, before: [Finding("x", "error", path.text, 3, 1, "broken")]
    at_point(rig, "before exchange", lambda: rig.save(A, TOP))
    details = refused("conflict", lambda: rig.write(A, END)).details
    assert details["findings"][0]["message"] == "broken"
    assert rig.on_disk(A) == TOP


@pytest.mark.parametrize("after", [TWO, None])
def test_a_deletion_by_the_user_stands(rig: Checkout, after: bytes | None) -> None:
    """Where the user deletes the file in the last moment, it stays deleted and its bytes are in the history."""
    rig.save(A, ONE)
    at_point(rig, "before exchange", lambda: (rig.root / A).unlink())
    refused("conflict", lambda: rig.write(A, after))
    assert rig.tree() == {}
    assert rig.contents() == [ONE]


def test_a_save_in_the_last_moment_before_a_deletion(rig: Checkout) -> None:
    """A deletion is never carried out on bytes that the caller has not seen: the newer ones go back in place."""
    rig.save(A, ONE)
    at_point(rig, "before exchange", lambda: rig.save(A, TWO))
    refused("conflict", lambda: rig.write(A, None))
    assert rig.on_disk(A) == TWO
    assert rig.contents() == [ONE, TWO]


def test_something_else_in_the_targets_place(rig: Checkout) -> None:
    """Where the user puts a link in the file's place in the last moment, the link is back in place afterwards."""
    rig.save(A, ONE)

    def link() -> None:
        (rig.root / A).unlink()
        (rig.root / A).symlink_to("elsewhere")

    at_point(rig, "before exchange", link)
    with pytest.raises(ToolRejected):
        rig.write(A, TWO)
    assert os.readlink(rig.root / A) == "elsewhere"


# -- several files ------------------------------------------------------------------------------------------------


def three(rig: Checkout) -> list[FileChange]:
    rig.save("Assets/mod.cs", ONE)
    rig.save("Assets/del.cs", ONE)
    return [rig.change("Assets/mod.cs", TWO), rig.change("Assets/N/new.cs", TWO), rig.change("Assets/del.cs", None)]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_conflict_takes_the_whole_set_back(rig: Checkout, number: int) -> None:
    """Whichever file the user touches in the middle, the others are as they were, the new folder is gone, the user's bytes
    stay, and no version of the set exists."""
    changes = three(rig)
    order = ["Assets/del.cs", "Assets/mod.cs", "Assets/N/new.cs"]
    seen = [0]

    def hook(point: str) -> None:
        if point == "before exchange":
            if seen[0] == number:
                rig.save(order[number], b"by the user")
            seen[0] += 1

    rig.hook = hook
    with pytest.raises(ToolRejected) as caught:
        rig.land(*changes, merge=False)
    assert caught.value.code in ("conflict", "already_exists")
    expected = {"Assets/mod.cs": ONE, "Assets/del.cs": ONE, order[number]: b"by the user"}
    assert rig.tree() == expected
    assert (rig.root / "Assets" / "N").exists() == (number == 2)
    assert {v.author.kind for v in rig.versions()} == {"user"}
    rig.hook = lambda _point: None
    rig.clock.advance(3)
    rig.landing.sweep()
    assert rig.staged() == []


def test_a_file_changed_after_its_exchange_is_left_on_the_way_back(rig: Checkout) -> None:
    """On the way back a file that the user has saved since is left as it is and named; the rest goes back."""
    changes = three(rig)
    points = iter(range(100))

    def hook(point: str) -> None:
        if point == "exchanged" and next(points) == 1:
            rig.save("Assets/mod.cs", b"user after")
            rig.save("Assets/N/new.cs", b"user new")

    rig.hook = hook
    with pytest.raises(ToolRejected) as caught:
        rig.land(*changes, merge=False)
    assert caught.value.details["leftChanged"] == ["Assets/mod.cs"]
    assert rig.tree() == {"Assets/mod.cs": b"user after", "Assets/del.cs": ONE, "Assets/N/new.cs": b"user new"}
    assert ONE in rig.contents("Assets/mod.cs")


def test_a_group_merges_the_one_file_that_changed(rig: Checkout) -> None:
    """A merge in the middle of a set lets the whole set land."""
    rig.save("Assets/mod.cs", LINES)
    rig.save("Assets/del.cs", ONE)
    changes = [rig.change("Assets/mod.cs", END), rig.change("Assets/new.cs", TWO), rig.change("Assets/del.cs", None)]
    at_point(rig, "put on stage", lambda: rig.save("Assets/mod.cs", TOP))
    landed = rig.land(*changes)
    assert landed.merged == {ProjectPath("Assets/mod.cs")}
    assert rig.tree() == {"Assets/mod.cs": b"top\n" + END, "Assets/new.cs": TWO}


# -- mode, owner, attributes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o606])
def test_mode_bits_survive(rig: Checkout, mode: int) -> None:
    """A changed file keeps its mode bits, whatever the umask."""
    rig.save(A, ONE)
    (rig.root / A).chmod(mode)
    rig.write(A, TWO)
    assert stat.S_IMODE((rig.root / A).stat().st_mode) == mode


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_files_get_the_mode_of_the_umask(rig: Checkout, umask: int) -> None:
    """A new file has the mode that any program's file would have; a new folder that of its parent."""
    (rig.root / "Assets").chmod(0o2750)
    old = os.umask(umask)
    try:
        rig.write("Assets/New/a.cs", ONE)
    finally:
        os.umask(old)
    assert stat.S_IMODE((rig.root / "Assets/New/a.cs").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((rig.root / "Assets/New").stat().st_mode) & 0o777 == 0o750


def test_the_owner_survives(rig: Checkout) -> None:
    """A changed file keeps owner and group: as superuser those of another user, else any group that this user has."""
    rig.save(A, ONE)
    owner, group = 12345, 23456
    try:
        os.chown(rig.root / A, owner, group)
    except PermissionError:
        owner, group = os.getuid(), (os.getgroups() or [os.getgid()])[-1]
        os.chown(rig.root / A, owner, group)
    rig.write(A, TWO)
    found = (rig.root / A).stat()
    assert (found.st_uid, found.st_gid) == (owner, group)


def test_extended_attributes_and_acls_survive(rig: Checkout) -> None:
    """User attributes and the POSIX ACL are the same after a write, where the file system has them."""
    rig.save(A, ONE)
    if sys.platform != "linux":
        return
    # Version 2, then (tag, permissions, id) for owner, user 4321, group, mask, others: as setfacl writes it.
    entries = [(1, 6, -1), (2, 6, 4321), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + who.to_bytes(4, "little", signed=True)
        for tag, bits, who in entries
    )
    wanted = {}
    for name, value in (("user.spark-test", b"value"), ("system.posix_acl_access", acl)):
        try:
            os.setxattr(rig.root / A, name, value)
        except OSError:  # a file system without them
            continue
        wanted[name] = value
    rig.write(A, TWO)
    assert {name: os.getxattr(rig.root / A, name) for name in wanted} == wanted


def test_a_moved_file_keeps_its_mode_and_attributes(rig: Checkout) -> None:
    """The new end of a move has mode, group and user attributes of the old one; so has the file that an undo brings back."""
    new = "Assets/New/b.cs"
    for mode in (0o600, 0o755):
        rig.save(A, ONE)
        (rig.root / A).chmod(mode)
        wanted = {}
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a file system without them
                os.setxattr(rig.root / A, "user.spark-test", b"value")
                wanted["user.spark-test"] = b"value"
        moved = FileChange(ProjectPath(new), None, ONE, moved_from=ProjectPath(A))
        rig.land(rig.change(A, None), moved)
        assert stat.S_IMODE((rig.root / new).stat().st_mode) == mode
        assert {name: os.getxattr(rig.root / new, name) for name in wanted} == wanted
        back = FileChange(ProjectPath(A), None, ONE, moved_from=ProjectPath(new))
        rig.land(rig.change(new, None), back)
        assert stat.S_IMODE((rig.root / A).stat().st_mode) == mode
        assert {name: os.getxattr(rig.root / A, name) for name in wanted} == wanted


@pytest.mark.parametrize("mode", [0o600, 0o755])
def test_a_file_that_comes_back_has_its_old_mode(rig: Checkout, mode: int) -> None:
    """Where a path is made anew after a deletion, by SPARK or by the user, it gets the bits that the file had; a refusal that
    must take its bytes from the history gives them back too."""
    rig.save(A, ONE)
    (rig.root / A).chmod(mode)
    rig.write(A, None)
    rig.write(A, ONE)
    assert stat.S_IMODE((rig.root / A).stat().st_mode) == mode
    (rig.root / A).unlink()
    rig.store.record_observed([Observed(ProjectPath(A), None, 0, None)], Provenance(Author("user", USER)))
    rig.write(A, TWO)
    assert stat.S_IMODE((rig.root / A).stat().st_mode) == mode

    def lose() -> None:
        shutil.rmtree(rig.root / ".spark")
        rig.save("Assets/b.cs", b"in the way")

    at_point(rig, "exchanged", lose)
    refused("already_exists", lambda: rig.land(rig.change(A, None), rig.change("Assets/b.cs", ONE)))
    assert (rig.on_disk(A), stat.S_IMODE((rig.root / A).stat().st_mode)) == (TWO, mode)


# -- the stage ----------------------------------------------------------------------------------------------------


def test_the_stage_hides_itself_from_git(rig: Checkout) -> None:
    """The stage lies in `.spark` with a .gitignore of everything, for this user only."""
    rig.write(A, ONE)
    assert (rig.root / ".spark" / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE((rig.root / ".spark").stat().st_mode) == 0o700


def test_old_bytes_are_looked_at_again_after_two_seconds(rig: Checkout) -> None:
    """An editor that held the file open and writes into it after the exchange loses nothing: its bytes become a version,
    without being taken for what the path holds; then the stage is empty."""
    rig.save(A, ONE)
    with (rig.root / A).open("r+b") as editor:
        rig.write(A, TWO)
        editor.write(b"late words of an editor")
    rig.clock.advance(1.9)
    rig.landing.sweep()
    assert len(rig.staged()) == 1
    rig.clock.advance(0.2)
    rig.landing.sweep()
    assert rig.staged() == []
    late = rig.versions(A)[-1]
    assert (late.action, late.author.kind) == ("recovered", "user")
    assert rig.store.content(late.sha256 or "") == b"late words of an editor"
    latest = rig.store.latest(ProjectPath(A))
    assert latest is not None
    assert latest.sha256 == sha256_of(TWO)
    assert rig.db.query("SELECT count(*) FROM op")[0][0] == 0


def test_closing_sweeps(rig: Checkout) -> None:
    """A clean stop drops what is due and leaves what is not to the next start, also when the project's folder is gone by
    then."""
    rig.save(A, ONE)
    rig.write(A, TWO)
    rig.clock.advance(3)
    rig.write("Assets/b.cs", ONE)
    rig.write("Assets/b.cs", TWO)
    rig.landing.close()
    assert len(rig.staged()) == 1
    rig.restart()
    assert rig.staged() == []
    assert rig.db.query("SELECT count(*) FROM change_group")[0][0] == 0
    rig.write(A, ONE)
    rig.root.rename(rig.root.with_name("elsewhere"))
    rig.landing.close()


POINTS = ["intent", "put on stage", "staged", "before exchange", "exchanged", "synced", "done"]


@pytest.mark.parametrize("point", POINTS)
def test_deleting_the_stage_at_any_moment_loses_nothing(rig: Checkout, point: str) -> None:
    """Somebody who deletes `.spark` in the middle of a landing changes nothing about its end."""
    changes = three(rig)
    at_point(rig, point, lambda: shutil.rmtree(rig.root / ".spark"), times=2)
    try:
        rig.land(*changes)
    except FileNotFoundError:
        pytest.fail("the deleted stage was noticed by the caller")
    assert rig.tree() == {"Assets/mod.cs": TWO, "Assets/N/new.cs": TWO}
    rig.hook = lambda _point: None
    rig.write(A, ONE)
    assert rig.on_disk(A) == ONE


@pytest.mark.parametrize("point", ["exchanged"])
def test_deleting_the_stage_before_a_way_back(rig: Checkout, point: str) -> None:
    """Where the stage is gone when a set must go back, the old bytes come from the history."""
    changes = three(rig)
    count = [0]

    def hook(passed: str) -> None:
        if passed == point:
            count[0] += 1
            if count[0] == 2:
                shutil.rmtree(rig.root / ".spark")
                rig.save("Assets/N/new.cs", b"in the way")

    rig.hook = hook
    refused("already_exists", lambda: rig.land(*changes))
    assert rig.tree() == {"Assets/mod.cs": ONE, "Assets/del.cs": ONE, "Assets/N/new.cs": b"in the way"}


def test_a_link_in_the_stages_place(rig: Checkout, tmp_path: Path) -> None:
    """A `.spark` that is a link (a project from elsewhere may bring one) is not followed: nothing is written outside."""
    shutil.rmtree(rig.root / ".spark")
    outside = tmp_path / "outside"
    outside.mkdir()
    (rig.root / ".spark").symlink_to(outside)
    refusal = refused("forbidden", lambda: rig.write(A, ONE))
    assert "Delete .spark" in refusal.hint
    rig.landing.sweep()
    assert list(outside.iterdir()) == []
    assert rig.tree() == {}


def test_a_stage_that_is_replaced_while_running(rig: Checkout) -> None:
    """Where `.spark` becomes a file in the middle of a landing, it is refused by name with everything as it was; sweeping
    goes on; when the file is gone, writing works again."""
    changes = three(rig)
    spark = rig.root / ".spark"

    def replace() -> None:
        shutil.rmtree(spark)
        spark.write_bytes(b"x")

    at_point(rig, "intent", replace)
    refused("forbidden", lambda: rig.land(*changes))
    rig.hook = lambda _point: None
    assert refused("forbidden", lambda: rig.land(*changes)).details["path"] == ".spark"
    rig.clock.advance(3)
    rig.landing.sweep()
    assert (rig.on_disk("Assets/mod.cs"), rig.on_disk("Assets/del.cs")) == (ONE, ONE)
    spark.unlink()
    rig.land(*changes)
    assert rig.tree() == {"Assets/mod.cs": TWO, "Assets/N/new.cs": TWO}


def test_a_failed_copy_leaves_no_part(rig: Checkout) -> None:
    """Where the user deletes a file while it is being staged, no half copy stays behind."""
    rig.save(A, ONE)
    at_point(rig, "intent", lambda: (rig.root / A).unlink())
    refused("conflict", lambda: rig.write(A, TWO))
    rig.save(A, ONE)
    stage = rig.landing._stage
    with rig.files.folder(ProjectPath("Assets")) as folder:
        assert folder is not None
        like = folder.lstat("a.cs")
        (rig.root / A).unlink()
        with pytest.raises(FileNotFoundError):
            stage._put("o_X.new", TWO, folder, "a.cs", like, None)
    assert [name for name in rig.staged() if name.endswith(".part")] == []


def test_a_folder_in_a_deleted_files_place_is_reported(rig: Checkout) -> None:
    """Where a folder took the file's place in the very moment of its deletion, and a new file the folder's, the folder stays in
    the stage and is reported, now and at each start, until somebody moves it away."""
    rig.save(A, ONE)
    inner = rig.exchange or native_exchange()

    class Racing:
        method = "racing"
        swap = staticmethod(inner.swap)
        place = staticmethod(inner.place)

        def take(self, folder: Folder, name: str, stage: Folder, staged: str) -> None:
            (rig.root / A).unlink()
            (rig.root / A).mkdir()
            (rig.root / A / "theirs").write_bytes(TWO)
            inner.take(folder, name, stage, staged)
            (rig.root / A).write_bytes(TWO)

    rig.landing._steps.exchange = Racing()
    refused("conflict", lambda: rig.write(A, None))
    rig.landing._steps.exchange = inner
    rig.clock.advance(3)
    rig.landing.sweep()
    (name,) = rig.staged()
    assert name in rig.landing.problem
    rig.restart()
    assert name in rig.report.problems[0]
    assert (rig.root / ".spark" / "stage" / name / "theirs").read_bytes() == TWO
    shutil.rmtree(rig.root / ".spark" / "stage" / name)
    rig.restart()
    assert rig.report.problems == []
    assert rig.landing.problem == ""


def test_a_folder_with_names_that_are_no_text_stays_whole(rig: Checkout) -> None:
    """A folder that holds a file without a path, however deep, can be neither deleted nor moved as a whole; the refusal names
    the folder."""
    rig.save("Assets/F/a.cs", ONE)
    rig.save("Assets/F/Deep/b.cs", ONE)
    bad = Path(os.fsdecode(os.fsencode(rig.root / "Assets/F/Deep/Only") + b"/bad\xff.cs"))
    bad.parent.mkdir()
    try:
        bad.write_bytes(ONE)
    except OSError:
        return  # a file system that takes UTF-8 only
    leaves = frozenset({ProjectPath("Assets/F"), ProjectPath("Assets/F/Deep")})
    changes = (rig.change("Assets/F/a.cs", None), rig.change("Assets/F/Deep/b.cs", None))
    by = Provenance(Author("model", "test-model"), "t_1", "c_1")
    details = refused("unsupported_asset", lambda: rig.landing.land(ChangeSet(changes, leaves=leaves), by)).details
    assert details == {"path": "Assets/F/Deep/Only", "undecodableNames": 1}
    assert (rig.on_disk("Assets/F/a.cs"), rig.on_disk("Assets/F/Deep/b.cs")) == (ONE, ONE)
    bad.unlink()
    rig.landing.land(ChangeSet(changes, leaves=leaves), by)


def test_a_pipe_named_as_gits_attributes(rig: Checkout) -> None:
    """Asking whether a protected file is lockable never waits for a pipe."""
    (rig.root / ".git").mkdir()
    os.mkfifo(rig.root / ".gitattributes")
    rig.save(A, ONE)
    (rig.root / A).chmod(0o444)
    assert refused("read_only", lambda: rig.write(A, TWO)).hint == f"Run: chmod u+w {A}"


def test_a_file_system_without_exchange_is_found_out(tmp_path: Path) -> None:
    """Where the exchange turns out to be missing only at a write, the fallback takes over and status says so."""
    rig = Checkout(tmp_path)
    report = rig.landing.recover()
    assert report.exchange_method == rig.landing.method == native_exchange().method

    class Missing:
        method = "missing"

        def swap(self, *args: object) -> None:
            raise OSError(22, "Invalid argument")

        def place(self, *args: object) -> None:
            raise OSError(22, "Invalid argument")

        def take(self, *args: object) -> None:
            raise AssertionError("a plain rename needs no fallback")

    rig.landing._steps.exchange = Missing()
    rig.save(A, ONE)
    rig.write(A, TWO)
    assert rig.on_disk(A) == TWO
    assert rig.landing.method == LinkExchange.method
    rig.landing._steps.exchange = Missing()
    rig.write("Assets/b.cs", TWO)
    assert rig.on_disk("Assets/b.cs") == TWO
    rig.close()


def test_the_meta_of_a_folder_brings_the_folder_even_when_it_is_empty(rig: Checkout) -> None:
    """A folder without files lands by its .meta alone, and deleting that .meta takes the empty folder away again."""
    meta = b"fileFormatVersion: 2\nguid: 0123456789abcdef0123456789abcdef\nfolderAsset: yes\n"
    path = ProjectPath("Assets/Empty.meta")
    rig.land(FileChange(path, None, meta))
    assert (rig.root / "Assets/Empty").is_dir()
    assert list((rig.root / "Assets/Empty").iterdir()) == []
    rig.land(FileChange(path, sha256_of(meta), None))
    assert not (rig.root / "Assets/Empty").exists()


def test_a_merge_is_made_by_what_the_file_means(rig: Checkout) -> None:
    """The engine's merge is asked with the path and the three sides, and its bytes land."""
    rig.write(A, TOP)
    rig.save(A, TOP + b"user\n")
    asked: list[tuple[str, bytes, bytes, bytes]] = []

    def merge(path: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merge:
        asked.append((path.text, base, ours, theirs))
        return Merge(b"by meaning\n")

    rig.landing.merging.merge = merge
    rig.land(FileChange(ProjectPath(A), sha256_of(TOP), END))
    assert asked == [(A, TOP, TOP + b"user\n", END)]
    assert rig.on_disk(A) == b"by meaning\n"
