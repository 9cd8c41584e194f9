"""What a change set would add: only that, and nothing that was there before."""

from __future__ import annotations

from collections.abc import Mapping

from spark.core.paths import ProjectPath
from spark.engines.unity.engine import Unity
from tests.engines.memory_project import FakeIndex, FakeProject
from tests.engines.unity.checks.assets import MATERIAL, PREFAB, behaviour, folder_meta, meta
from tests.engines.unity.checks.test_project import CS, GOOD, LOST, MAT, THING, line, project, refer

RED = "Assets/Art/Red.mat"
BROKEN = PREFAB.replace("m_Father: {fileID: 11}", "m_Father: {fileID: 0}")


def said(of: FakeProject, changes: Mapping[str, str | None]) -> list[tuple[str, str, str]]:
    given = {ProjectPath(path): None if text is None else text.encode() for path, text in changes.items()}
    found = Unity(of.files, of.index).check_changes(given)
    assert found == sorted(found, key=lambda f: (f.path, f.line))
    return [(f.code, f.severity, f.path) for f in found]


def test_good_changes_add_nothing() -> None:
    """A new asset with its meta that refers to another new one, an edit, a move with what it leaves, a deletion."""
    new = {
        "Assets/N.mat": MATERIAL,
        "Assets/N.mat.meta": meta(LOST),
        "Assets/N.prefab": refer(LOST),
        "Assets/N.prefab.meta": meta("77" * 16),
    }
    assert said(project(), new) == []
    assert said(project(), {THING: str(GOOD[THING]).replace("y: 1.5", "y: 2")}) == []
    moved = {RED: None, f"{RED}.meta": None, "Assets/Blue.mat": MATERIAL, "Assets/Blue.mat.meta": meta(MAT)}
    assert said(project(), moved) == []
    gone = {THING: None, f"{THING}.meta": None}
    assert said(project(), gone) == []
    art: dict[str, str | None] = {path: None for path in GOOD if path.startswith("Assets/Art")}
    assert said(project(), art) == []
    assert said(project(), {**art, **{path.replace("Art", "Kit"): str(GOOD[path]) for path in art}}) == []
    folder = {"Assets/New.meta": folder_meta(LOST), "Assets/New/a.txt": "x", "Assets/New/a.txt.meta": meta("77" * 16)}
    assert said(project(), folder) == []


def test_faults_inside_of_new_bytes() -> None:
    """A fault of the file is told as it is; a reference inside of it that leads nowhere is an error here."""
    assert said(project(), {THING: BROKEN + behaviour(31, 0, CS)}) == [("yaml/hierarchy", "error", THING)]
    lost = PREFAB + behaviour(31, 0, CS, "  a: {fileID: 99}\n")
    assert said(project(), {THING: lost}) == [("yaml/dangling-reference", "error", THING)]
    assert said(project(), {"Assets/Hero.cs": "class Hero {"}) == [("csharp/bracket", "error", "Assets/Hero.cs")]


def test_what_was_wrong_before_is_not_told() -> None:
    """Neither faults of the file, nor references that were lost already, nor missing metas; also where the file moves."""
    old = BROKEN + behaviour(31, 0, LOST, f"  x: {{fileID: 1, guid: {'77' * 16}, type: 2}}\n  y: {{fileID: 99}}\n")
    of = project({THING: old})
    assert said(of, {THING: old.replace("y: 1.5", "y: 2")}) == []
    assert (
        said(of, {THING: None, f"{THING}.meta": None, "Assets/T.prefab": old, "Assets/T.prefab.meta": meta("b2" * 16)})
        == []
    )
    unmeta = project({f"{RED}.meta": None, THING: PREFAB})
    assert said(unmeta, {RED: MATERIAL.replace("r: 1", "r: 0")}) == []


def test_new_references_that_lead_nowhere_are_errors() -> None:
    """To an unknown asset, to an object that the asset has not, to a script that is not there."""
    assert said(project(), {THING: refer(LOST)}) == [("reference/missing-asset", "error", THING)]
    assert said(project(), {THING: refer(MAT, 5)}) == [("reference/missing-object", "error", THING)]
    script = PREFAB + behaviour(31, 0, LOST)
    assert said(project(), {THING: script}) == [("reference/missing-script", "error", THING)]
    # What may lie in a package that is not at hand cannot be judged.
    away = project({"Packages/manifest.json": '{"dependencies": {"com.acme.away": "1.0.0"}}'})
    assert said(away, {THING: script}) == []


def test_references_that_a_deletion_cuts() -> None:
    """The file that refers to what goes away is named, with the line; not one that goes with it."""
    gone: dict[str, str | None] = {RED: None, f"{RED}.meta": None}
    assert said(project(), gone) == [("reference/missing-asset", "error", THING)]
    given = {ProjectPath(path): None for path in gone}
    [finding] = Unity(project().files, project().index).check_changes(dict(given))
    assert finding.line == line(str(GOOD[THING]), "  red:")
    assert RED in finding.message
    assert said(project(), {**gone, THING: None, f"{THING}.meta": None}) == []
    assert said(project(), {**gone, THING: PREFAB}) == []
    script: dict[str, str | None] = {"Assets/Hero.cs": None, "Assets/Hero.cs.meta": None}
    assert said(project(), script) == [("reference/missing-script", "error", THING)]


def test_references_that_another_guid_cuts() -> None:
    """An asset whose meta gets a new guid loses those who refer to it, and that is told of the meta as well."""
    found = said(project(), {f"{RED}.meta": meta(LOST)})
    assert found == [("meta/guid-changed", "warning", f"{RED}.meta"), ("reference/missing-asset", "error", THING)]


def test_references_to_an_object_that_goes_away() -> None:
    """An asset that loses a document which others refer to."""
    two = MATERIAL + "--- !u!114 &77\nMonoBehaviour:\n  m_Name: \n"
    of = project({RED: two, THING: refer(MAT, 77)})
    assert said(of, {RED: MATERIAL}) == [("reference/missing-object", "error", THING)]
    assert said(of, {RED: MATERIAL, THING: refer(MAT)}) == []
    assert said(of, {RED: two.replace("m_Name: Red", "m_Name: Rot")}) == []


def test_guids_that_are_taken() -> None:
    """By an asset that stays, or twice within the set; an asset that moves keeps its own."""
    taken = {"Assets/N.mat": MATERIAL, "Assets/N.mat.meta": meta(MAT)}
    assert said(project(), taken) == [("meta/guid-taken", "error", "Assets/N.mat.meta")]
    twice = {"Assets/A.txt": "a", "Assets/A.txt.meta": meta(LOST), "Assets/B.txt": "b", "Assets/B.txt.meta": meta(LOST)}
    assert {one[0] for one in said(project(), twice)} == {"meta/guid-taken"}
    assert len(said(project(), twice)) == 2


def test_metas_that_are_forgotten() -> None:
    """An asset without its meta, a meta without its asset, and either left behind: warnings."""
    assert said(project(), {"Assets/A.txt": "a"}) == [("meta/missing", "warning", "Assets/A.txt")]
    assert said(project(), {"Assets/A.txt.meta": meta(LOST)}) == [("meta/orphan", "warning", "Assets/A.txt.meta")]
    assert ("meta/orphan", "warning", f"{RED}.meta") in said(project(), {RED: None, THING: PREFAB})
    assert ("meta/missing", "warning", RED) in said(project(), {f"{RED}.meta": None, THING: PREFAB})
    assert said(project(), {"ProjectSettings/A.asset": MATERIAL}) == []


def test_only_the_changed_files_and_those_that_refer_to_them_are_read() -> None:
    """It runs before every landing: other files are left alone."""
    many = {f"Assets/Other{at}.prefab": PREFAB for at in range(30)}
    of = project({**many, **{f"{path}.meta": meta(f"{at:032x}"[::-1]) for at, path in enumerate(many)}})
    of.reads.clear()
    said(of, {RED: None, f"{RED}.meta": None})
    assert not [path for path in of.reads if "Other" in path]


INSTANCE = (
    "--- !u!1001 &500\nPrefabInstance:\n  m_ObjectHideFlags: 0\n  m_Modification:\n    m_TransformParent: {{fileID: 11}}\n"
    "    m_Modifications: []\n  m_SourcePrefab: {{fileID: 100100000, guid: {}, type: 3}}\n"
)


def test_a_move_that_makes_an_asset_useless() -> None:
    """A script that is none by its new name, a prefab that is none, an asset where Unity does not look: an error for each file
    that refers to it, and none where nobody does."""
    hero = str(GOOD["Assets/Hero.cs"])
    move = {"Assets/Hero.cs": None, "Assets/Hero.cs.meta": None}
    text = {**move, "Assets/Hero.txt": hero, "Assets/Hero.txt.meta": meta(CS, "MonoImporter")}
    found = said(project(), text)
    assert ("reference/missing-script", "error", THING) in found
    assert ("meta/importer", "warning", "Assets/Hero.txt.meta") in found
    away = {**move, "Assets/.hid/Hero.cs": hero, "Assets/.hid/Hero.cs.meta": meta(CS, "MonoImporter")}
    assert said(project(), away) == [("reference/missing-script", "error", THING)]
    beside = {**move, "Assets/Art/Hero.cs": hero, "Assets/Art/Hero.cs.meta": meta(CS, "MonoImporter")}
    assert said(project(), beside) == []
    outer = {"Assets/Outer.prefab": PREFAB + INSTANCE.format("b2" * 16), "Assets/Outer.prefab.meta": meta("77" * 16)}
    thing = str(GOOD[THING])
    turned = {THING: None, f"{THING}.meta": None, "Assets/T.asset": thing, "Assets/T.asset.meta": meta("b2" * 16)}
    assert ("reference/missing-prefab", "error", "Assets/Outer.prefab") in said(project(outer), turned)
    assert ("reference/missing-prefab", "error", "Assets/Outer.prefab") not in said(project(), turned)


def test_a_prefab_within_itself() -> None:
    """Directly, and with another between: the change that closes the ring is refused."""
    outer = {"Assets/Outer.prefab": PREFAB + INSTANCE.format("b2" * 16), "Assets/Outer.prefab.meta": meta("77" * 16)}
    nested = [("reference/nested-in-itself", "error", THING)]
    assert said(project(), {THING: PREFAB + INSTANCE.format("b2" * 16)}) == nested
    assert said(project(outer), {THING: PREFAB + INSTANCE.format("77" * 16)}) == nested
    assert said(project(outer), {"Assets/Outer.prefab": outer["Assets/Outer.prefab"].replace("y: 1.5", "y: 2")}) == []


class Behind(FakeIndex):
    """An index that does not know yet what happened to some files."""

    def __init__(self, now: FakeProject, known: FakeProject) -> None:
        super().__init__(known)
        self.now = now


def test_a_reference_to_what_the_user_made_a_moment_ago() -> None:
    """The index does not know it yet; it lies there, and is found."""
    now = project({"Assets/New/N.mat": MATERIAL, "Assets/New/N.mat.meta": meta(LOST)})
    changes = {ProjectPath(THING): refer(LOST).encode()}
    assert Unity(now.files, Behind(now, project())).check_changes(changes) == []
    hidden = project({"Assets/New~/N.mat": MATERIAL, "Assets/New~/N.mat.meta": meta(LOST)})
    [finding] = Unity(hidden.files, Behind(hidden, project())).check_changes(changes)
    assert finding.code == "reference/missing-asset"


def test_a_reference_to_what_the_user_removed_a_moment_ago() -> None:
    """The index still knows it; its meta is gone, or has another guid."""
    changes = {
        ProjectPath("Assets/N.prefab"): refer(MAT).encode(),
        ProjectPath("Assets/N.prefab.meta"): meta(LOST).encode(),
    }
    for left in ({RED: None, f"{RED}.meta": None}, {f"{RED}.meta": None}, {f"{RED}.meta": meta("77" * 16)}):
        now = project(left)
        found = Unity(now.files, Behind(now, project())).check_changes(changes)
        assert [(one.code, one.path) for one in found] == [("reference/missing-asset", "Assets/N.prefab")]
    now = project()
    assert Unity(now.files, Behind(now, project())).check_changes(changes) == []
