"""After every operation the hierarchy in memory is the one that a fresh reading of the file finds."""

from __future__ import annotations

from collections.abc import Iterator
from cProfile import Profile

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.assets import ObjectOp
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_prefab, ops
from spark.engines.unity.hierarchy.find import path_of
from spark.engines.unity.hierarchy.objects import GameObject
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.structure import Hierarchy
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetFile
from tests.engines.unity.hierarchy.consistency import problems
from tests.engines.unity.hierarchy.garage import fixture, garage, world

_KINDS = (
    "add", "instance", "add", "remove", "move", "rename", "addComponent", "removeComponent", "reorder", "place", "override",
    "name", "revert",
)  # fmt: skip
_STEP = st.tuples(st.sampled_from(_KINDS), st.integers(0, 10**6), st.integers(0, 10**6))


@given(
    st.sampled_from(["2021", "6000"]),
    st.sampled_from(["Car.prefab", "RaceCar.prefab", "Level.unity"]),
    st.lists(_STEP, min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=25)
def test_the_hierarchy_keeps_in_step_with_the_file(form: str, name: str, steps: list[tuple[str, int, int]]) -> None:
    """Paths, ids, components and order: what the next operation is told is what stands in the file."""
    here = world(garage(form), form)
    path = ProjectPath(f"Assets/{name}")
    content = fixture(form, name)
    session = _session(path, content, here)
    for kind, first, second in steps:
        every = list(_all(session.hierarchy, None))
        if not every:
            return
        op = _op(kind, session, every, first, second)
        try:
            ops.apply(session, op)
        except SparkError:
            # Of a refused operation nothing is kept.
            session = _session(path, content, here)
            continue
        content = session.asset.to_bytes()
        assert problems(content) == [], op
        fresh = Hierarchy(AssetFile.open(content, path.text), here.sources)
        assert _shown(session.hierarchy) == _shown(fresh), op
        assert set(session.hierarchy.documents) == {d.file_id for d in session.asset.documents} == set(fresh.documents)
        assert session.hierarchy.stripped.keys() == fresh.stripped.keys(), op


def _session(path: ProjectPath, content: bytes, here: World) -> Session:
    return Session(path, AssetFile.open(content, path.text), here)


def _op(kind: str, session: Session, every: list[GameObject], first: int, second: int) -> ObjectOp:
    at = session.path_of(every[first % len(every)])
    other = session.path_of(every[second % len(every)])
    if kind == "add":
        return ObjectOp("add", f"{at}/New{second % 5}", component="Light" if second % 2 else None)
    if kind == "instance":
        prefab = ("Assets/Wheel.prefab", "Assets/Car.prefab")[second % 2]
        return ObjectOp("add", f"{at}/Nested{second % 5}", prefab=prefab)
    if kind == "place":
        return ObjectOp("add", f"{at}/Placed", to=str(second % 4))
    if kind == "reorder":
        return ObjectOp("move", at, value=second % 4)
    if kind == "move":
        return ObjectOp("move", at, to=other if second % 5 else "/")
    if kind == "rename":
        return ObjectOp("rename", at, to=f"Called{second % 3}")
    if kind in ("override", "name"):
        name, value = ("m_Name", "Named") if kind == "name" else ("position", [1, 2, 3])
        return ObjectOp("set", at, property=name, value=value, has_value=True)
    if kind == "revert":
        return ObjectOp("revert", at, property="m_Name")
    if kind in ("addComponent", "removeComponent"):
        component = ("Light", "Rigidbody", "SphereCollider", "Canvas")[second % 4]
        return ObjectOp(kind, at, component=component)  # type: ignore[arg-type]
    return ObjectOp("remove", at)


def _all(hierarchy: Hierarchy, parent: GameObject | None) -> Iterator[GameObject]:
    for at in hierarchy.siblings(parent).order:
        yield at
        yield from _all(hierarchy, at)


def _shown(hierarchy: Hierarchy) -> list[tuple[object, ...]]:
    return [
        (
            path_of(hierarchy, at),
            at.file_id,
            at.transform_id,
            [(c.class_name, c.file_id, c.document is not None) for c in hierarchy.components(at)],
        )
        for at in _all(hierarchy, None)
    ]


def test_the_work_grows_with_the_number_of_objects_and_no_faster() -> None:
    """Twice as many objects are made, changed and removed with about twice as many calls of functions."""
    for name in ("Car.prefab", "Level.unity"):
        _calls(name, 2)
        few, many = _calls(name, 20), _calls(name, 40)
        assert many < 2.5 * few, name


def _calls(name: str, count: int) -> int:
    at = "Car/Body" if name == "Car.prefab" else "Cars"
    ids = range(count)
    made = [ObjectOp("add", f"{at}/N{i}", component="Light") for i in ids]
    nested = [ObjectOp("add", f"{at}/W{i}", prefab="Assets/Wheel.prefab") for i in ids]
    inside = [ObjectOp("add", f"{at}/W{i}/Hub/L") for i in ids]
    moved = [ObjectOp("move", f"{at}/N{i}", to=f"{at}/W{i}") for i in ids if i]
    gone = [ObjectOp("remove", f"{at}/W{i}") for i in ids]
    here = world(garage("6000"), "6000")
    profile = Profile()
    profile.enable()
    edit_prefab(ProjectPath(f"Assets/{name}"), fixture("6000", name), [*made, *nested, *inside, *moved, *gone], here)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())
