"""The files of a project together: guids, objects in other files, metas, packages, names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from spark.core.changes import sha256_of
from spark.core.diagnostics import Checked
from spark.core.paths import ProjectPath
from spark.core.ports import IndexEntry
from spark.engines.unity.checks.cache import FactsCache
from spark.engines.unity.checks.facts import FileFacts
from spark.engines.unity.engine import Unity
from tests.engines.memory_project import FakeIndex, FakeProject
from tests.engines.unity.checks.assets import HEAD, MATERIAL, PREFAB, behaviour, folder_meta, meta

MAT, PRE, CS, LOST = "a1" * 16, "b2" * 16, "c3" * 16, "d4" * 16
GOOD: dict[str, bytes | str] = {
    "Packages/manifest.json": '{"dependencies": {"com.unity.modules.physics": "1.0.0"}}',
    "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.41f1\n",
    "Assets/Hero.cs": "class Hero : UnityEngine.MonoBehaviour { }\n",
    "Assets/Hero.cs.meta": meta(CS, "MonoImporter"),
    "Assets/Art.meta": folder_meta("e5" * 16),
    "Assets/Art/Red.mat": MATERIAL,
    "Assets/Art/Red.mat.meta": meta(MAT),
    "Assets/Art/Thing.prefab": PREFAB
    + behaviour(31, 0, CS, f"  red: {{fileID: 2100000, guid: {MAT}, type: 2}}\n  self: {{fileID: 20}}\n"),
    "Assets/Art/Thing.prefab.meta": meta(PRE),
}


def project(changes: Mapping[str, bytes | str | None] | None = None, **given: tuple[str, ...]) -> FakeProject:
    files = {**GOOD, **(changes or {})}
    return FakeProject({path: content for path, content in files.items() if content is not None}, **given)


def check(of: FakeProject, *paths: str) -> Checked:
    return Unity(of.files, of.index).check_project([ProjectPath(path) for path in paths] or None)


def said(of: FakeProject, *paths: str) -> list[tuple[str, str, str, int]]:
    return [(f.code, f.severity, f.path, f.line) for f in check(of, *paths).findings]


def refer(guid: str, file_id: int = 2100000, key: str = "x") -> str:
    return PREFAB + behaviour(31, 0, CS, f"  {key}: {{fileID: {file_id}, guid: {guid}, type: 2}}\n")


def line(content: bytes | str | None, text: str) -> int:
    assert isinstance(content, str)
    return content[: content.index(text)].count("\n") + 1


def test_a_project_that_fits_together_has_no_finding() -> None:
    """The twin of all tests below: every file is looked at, and nothing is said."""
    of = project()
    assert check(of) == Checked((), len(GOOD))


THING = "Assets/Art/Thing.prefab"
CASES: list[tuple[str, str, str, str, dict[str, bytes | str | None]]] = [
    # code, severity, path, text in the line, what is changed
    ("reference/missing-asset", "warning", THING, "  x:", {THING: refer(LOST)}),
    ("reference/missing-asset", "warning", THING, "  red:", {"Assets/Art/Red.mat": None}),
    ("reference/missing-script", "error", THING, "m_Script", {"Assets/Hero.cs": None}),
    ("reference/missing-script", "error", THING, "m_Script", {THING: PREFAB + behaviour(31, 0, LOST)}),
    ("reference/missing-prefab", "error", THING, "m_SourcePrefab", {THING: refer(LOST, 100100000, "m_SourcePrefab")}),
    ("reference/missing-object", "warning", THING, "  x:", {THING: refer(MAT, 2100002)}),
    ("reference/missing-object", "warning", THING, "m_Script", {THING: (PREFAB + behaviour(31, 0, CS)).replace("11500000", "115")}),
    ("meta/missing", "warning", "Assets/Hero.cs", "", {"Assets/Hero.cs.meta": None, THING: PREFAB}),
    ("meta/missing", "warning", "Assets/Art", "", {"Assets/Art.meta": None}),
    ("meta/orphan", "warning", "Assets/Old.cs.meta", "", {"Assets/Old.cs.meta": meta(LOST)}),
    ("meta/orphan-folder", "info", "Assets/Empty.meta", "", {"Assets/Empty.meta": folder_meta(LOST)}),
    ("meta/case", "warning", "Assets/New.txt", "", {"Assets/New.txt": "x", "Assets/new.txt.meta": meta(LOST)}),
    ("unity/name-clash", "warning", "Assets/hero.cs", "",
     {"Assets/hero.cs": "class A { }\n", "Assets/hero.cs.meta": meta(LOST)}),
    ("csharp/bracket", "error", "Assets/Hero.cs", "class", {"Assets/Hero.cs": "class Hero {\n"}),
    ("yaml/duplicate-id", "error", "Assets/Art/Red.mat", "&2100000\nMaterial:\n  m_Name: Two",
     {"Assets/Art/Red.mat": MATERIAL + "--- !u!21 &2100000\nMaterial:\n  m_Name: Two\n"}),
    ("json/syntax", "error", "Assets/a.json", "{", {"Assets/a.json": "{", "Assets/a.json.meta": meta(LOST)}),
    ("reference/missing-asset", "warning", "Assets/A.asmdef", "GUID",
     {"Assets/A.asmdef": json.dumps({"name": "A", "references": [f"GUID:{LOST}"]}), "Assets/A.asmdef.meta": meta("99" * 16)}),
    ("reference/missing-asset", "warning", "Assets/Art/Red.mat.meta", "  x:",
     {"Assets/Art/Red.mat.meta": meta(MAT) + f"  x: {{fileID: 1, guid: {LOST}, type: 2}}\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "severity", "path", "text", "changes"), CASES)
def test_findings_of_files_together(
    code: str, severity: str, path: str, text: str, changes: dict[str, bytes | str | None]
) -> None:
    """Each fault is told once, where it stands, and asking only for that file tells the same."""
    of = project(changes)
    where = line({**GOOD, **changes}[path], text) if text else 0
    expected = (code, severity, path, where)
    assert expected in said(of)
    assert expected in said(of, path)
    assert expected not in said(of, "ProjectSettings")
    assert [one for one in said(of) if one[:3] == expected[:3]] == [expected]


def test_a_guid_that_two_assets_have() -> None:
    """Both metas are named, each with the other."""
    of = project({"Assets/Copy.mat": MATERIAL, "Assets/Copy.mat.meta": meta(MAT)})
    found = check(of).findings
    assert [(f.code, f.severity, f.path) for f in found] == [
        ("meta/guid-taken", "error", "Assets/Art/Red.mat.meta"),
        ("meta/guid-taken", "error", "Assets/Copy.mat.meta"),
    ]
    assert "Assets/Copy.mat" in found[0].message
    assert said(of, "Assets/Copy.mat.meta") == [("meta/guid-taken", "error", "Assets/Copy.mat.meta", 2)]


@pytest.mark.parametrize(
    "content",
    [
        refer("0000000000000000f000000000000000", 10303),
        refer("0" * 32, 5),
        refer(PRE, 100100000),
        refer(LOST, 5, "target"),
        refer(LOST, 5, "m_CorrespondingSourceObject"),
        PREFAB + behaviour(31, 0, CS, f"  m_RemovedComponents:\n  - {{fileID: 5, guid: {MAT}, type: 2}}\n"),
    ],
)
def test_references_that_are_fine(content: str) -> None:
    """Built-in resources, none at all, a prefab as a whole, and what an instance keeps of a prefab that has moved on."""
    assert said(project({THING: content})) == []


def test_objects_of_imported_assets_and_of_instances_are_not_judged() -> None:
    """Only a file whose ids are those that stand in it can lack one."""
    nested = HEAD + f"--- !u!1001 &5\nPrefabInstance:\n  m_SourcePrefab: {{fileID: 100100000, guid: {PRE}, type: 3}}\n"
    other = {"Assets/N.prefab": nested, "Assets/N.prefab.meta": meta("77" * 16)}
    assert said(project({**other, "Assets/Art/Red.mat": MATERIAL, "Assets/H.unity": refer("77" * 16, 4242),
                         "Assets/H.unity.meta": meta("88" * 16)})) == []  # fmt: skip
    model: dict[str, bytes | str | None] = {
        "Assets/M.fbx": b"\0\1",
        "Assets/M.fbx.meta": meta("77" * 16),
        THING: refer("77" * 16, 100002),
    }
    assert said(project(model)) == []
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"
    assert said(project({"Assets/Art/Red.mat": pointer})) == [("text/lfs-pointer", "info", "Assets/Art/Red.mat", 0)]


def test_packages_that_are_not_on_disk_are_told_once_each() -> None:
    """References that may lead into them are counted, not judged; what is on disk is not named."""
    manifest = '{\n  "dependencies": {\n    "com.acme.here": "1.0.0",\n    "com.acme.away": "2.0.0"\n  }\n}\n'
    lock = json.dumps({"dependencies": {"com.acme.away": {"version": "2.0.0"}, "com.acme.deep": {"version": "3.1.0"}}})
    of = project(
        {
            "Packages/manifest.json": manifest,
            "Packages/packages-lock.json": lock,
            "Packages/com.acme.here/package.json": "{}",
            "Packages/com.acme.here/package.json.meta": meta("66" * 16),
            THING: refer(LOST, 1) + behaviour(32, 0, LOST),
            "Assets/Art/Red.mat": None,
        }
    )
    found = [f for f in check(of).findings if f.code == "reference/package-not-on-disk"]
    assert [(f.severity, f.path, f.line) for f in found] == [
        ("info", "Packages/manifest.json", 4),
        ("info", "Packages/packages-lock.json", 1),
    ]
    assert all("2 references to 1 guids" in f.message for f in found)
    # What is known to be gone is told all the same; with all packages at hand, the rest is too.
    assert ("meta/orphan", "warning", "Assets/Art/Red.mat.meta", 0) in said(of)
    of.write("Packages/com.acme.away/package.json", "{}")
    of.write("Packages/com.acme.deep/package.json", "{}")
    assert {f.code for f in check(of, THING).findings} == {"reference/missing-script"}


def test_without_a_manifest_nothing_is_known_of_packages() -> None:
    """A copy without its manifest is told so once; it is not flooded with lost references."""
    of = project({"Packages/manifest.json": None, THING: refer(LOST)})
    [finding] = check(of).findings
    assert (finding.code, finding.severity) == ("reference/package-not-on-disk", "info")


def test_what_unity_ignores_needs_no_meta() -> None:
    """Hidden files, samples, temporary files, plug-in bundles, settings and foreign packages."""
    names = ("Assets/.hidden/a.txt", "Assets/Samples~/a.txt", "Assets/x.tmp", "Assets/.gitkeep", "ProjectSettings/A.asset",
             "Packages/not-embedded/a.txt", "Assets/P.bundle/Contents/a.txt")  # fmt: skip
    files: dict[str, bytes | str | None] = dict.fromkeys(names, "{}")
    assert said(project({**files, "Assets/P.bundle.meta": meta(LOST)})) == []


def test_an_empty_folder_that_is_there_keeps_its_meta() -> None:
    """A folder without files is looked up on disk before its meta is called an orphan."""
    assert said(project({"Assets/Empty.meta": folder_meta(LOST)}, folders=("Assets/Empty",))) == []


def test_new_folders_on_the_way_are_told_with_the_file() -> None:
    """Who asks for a file hears that a folder above it has no meta, and nothing of its neighbours."""
    of = project({"Assets/New/A.txt": "x", "Assets/New/A.txt.meta": meta(LOST), "Assets/New/B.txt": "y"})
    assert said(of, "Assets/New/A.txt") == [("meta/missing", "warning", "Assets/New", 0)]


def test_embedded_packages_are_checked_as_assets_are() -> None:
    """Their files need metas, and their guids count."""
    package: dict[str, bytes | str | None] = {
        "Packages/com.acme/package.json": "{}",
        "Packages/com.acme/package.json.meta": meta("66" * 16),
        "Packages/com.acme/A.mat": MATERIAL,
    }
    assert said(project(package)) == [("meta/missing", "warning", "Packages/com.acme/A.mat", 0)]
    package["Packages/com.acme/A.mat.meta"] = meta(LOST)
    assert said(project({**package, THING: refer(LOST)})) == []


def test_many_places_of_one_lost_asset_are_one_finding() -> None:
    """The first is named, the others are counted."""
    places = "".join(f"  x{at}: {{fileID: 1, guid: {LOST}, type: 2}}\n" for at in range(5))
    [finding] = check(project({THING: PREFAB + behaviour(31, 0, CS, places)})).findings
    assert finding.message.endswith("(and 4 more places)")


class Hashed(FakeIndex):
    """An index that knows the hash of every file, as the daemon's does."""

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        for entry in super().entries(folder):
            yield replace(entry, sha256=sha256_of(self._project.contents[entry.path.text]))


def test_unchanged_files_are_not_read_again() -> None:
    """What was found for the same bytes is kept: a second check reads the files that changed."""
    of = project()
    unity = Unity(of.files, Hashed(of))
    assert unity.check_project().findings == ()
    of.write("Assets/Art/Red.mat", MATERIAL + "--- !u!21 &2100000\nMaterial:\n  m_Name: Two\n")
    of.reads.clear()
    assert [finding.code for finding in unity.check_project().findings] == ["yaml/duplicate-id"]
    assert {path for path in of.reads if path.startswith("Assets/")} == {"Assets/Art/Red.mat"}


def test_a_check_that_must_stop_says_so() -> None:
    """What was found until then is answered, as not complete."""
    asked = iter([False, False, True])
    of = project()
    found = Unity(of.files, of.index).check_project(None, lambda: next(asked))
    assert (found.checked, found.complete) == (2, False)


def test_what_is_kept_is_bounded() -> None:
    """The facts that were asked for longest ago go first."""
    cache = FactsCache(limit_bytes=2_000)
    for number in range(50):
        cache.put((str(number), None), FileFacts("other", ids=b"x" * 100))
        cache.get(("0", None))
    assert len(cache) < 8
    assert cache.get(("0", None)) is not None
    assert cache.get(("1", None)) is None
    assert cache.get(("49", None)) is not None


def test_findings_are_in_order_of_place() -> None:
    """By path, then line: the same on every machine."""
    of = project({"Assets/Hero.cs": "class Hero {\n", "Assets/Old.cs.meta": meta(LOST), THING: refer("77" * 16)})
    found = check(of).findings
    assert len(found) > 2
    assert list(found) == sorted(found, key=lambda f: (f.path, f.line))


def test_guids_below_folders_that_unity_ignores_lead_nowhere() -> None:
    """A script in a hidden folder is no script of the project; the finding says where it lies."""
    of = project({"Assets/Hero.cs": None, "Assets/Hero.cs.meta": None})
    of.write("Assets/.old/Hero.cs", "class Hero { }")
    of.write("Assets/.old/Hero.cs.meta", meta(CS, "MonoImporter"))
    [finding] = check(of).findings
    assert (finding.code, finding.path) == ("reference/missing-script", "Assets/Art/Thing.prefab")


def test_scripts_and_prefabs_that_are_none() -> None:
    """By the name of what their guid leads to."""
    of = project({"Assets/Hero.cs": None, "Assets/Hero.cs.meta": None})
    of.write("Assets/Hero.txt", "class Hero { }")
    of.write("Assets/Hero.txt.meta", meta(CS, "MonoImporter"))
    found = [(one.code, one.severity) for one in check(of).findings]
    assert found == [("reference/missing-script", "error"), ("meta/importer", "warning")]


def test_prefabs_that_hold_themselves() -> None:
    """Each prefab of the ring is named; one that only leads into it is not."""
    nested = (
        "--- !u!1001 &500\nPrefabInstance:\n  m_ObjectHideFlags: 0\n  m_Modification:\n"
        "    m_TransformParent: {{fileID: 11}}\n    m_Modifications: []\n"
        "  m_SourcePrefab: {{fileID: 100100000, guid: {}, type: 3}}\n"
    )
    one, two, three = "71" * 16, "72" * 16, "73" * 16
    of = project()
    for name, guid, held in (("A", one, two), ("B", two, one), ("C", three, one), ("D", "74" * 16, PRE)):
        of.write(f"Assets/{name}.prefab", PREFAB + nested.format(held))
        of.write(f"Assets/{name}.prefab.meta", meta(guid))
    found = check(of).findings
    assert [(f.code, f.severity, f.path) for f in found] == [
        ("reference/nested-in-itself", "error", "Assets/A.prefab"),
        ("reference/nested-in-itself", "error", "Assets/B.prefab"),
    ]
    assert found[0].line > 0
    assert [f.path for f in check(of, "Assets/B.prefab").findings] == ["Assets/B.prefab"]
