"""Files that somebody cut, merged badly or edited by hand: refused, never a crash, never without an end."""

from __future__ import annotations

import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.assets import ObjectOp, PropertyEdit
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset, edit_prefab, outline
from tests.engines.unity.hierarchy.garage import fixture, garage, world

_OPS = (
    ObjectOp("add", "Car/Body/Lamp", component="Light"),
    ObjectOp("add", "Car/Spare", prefab="Assets/Wheel.prefab"),
    ObjectOp("remove", "Car/Front"),
    ObjectOp("move", "Car/Body", to="Car/Back"),
    ObjectOp("set", "Car/Front", component="SphereCollider", property="radius", value=2, has_value=True),
    ObjectOp("set", "Car", component="Health", property="spawn", value="#Car/Front/Hub", has_value=True),
    ObjectOp("removeComponent", "Car", component="Health"),
)


@given(
    st.sampled_from(["Car.prefab", "Wheel.prefab"]),
    st.sampled_from(["cut", "line", "twice", "ids"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(_OPS),
)
@settings(deadline=None, max_examples=120)
def test_a_damaged_file_is_refused_or_edited_but_never_crashes(
    name: str, how: str, first: int, second: int, op: ObjectOp
) -> None:
    """Every failure is one of the contract's, whatever is missing, doubled or pointing elsewhere."""
    project = garage("6000")
    project.write(f"Assets/{name}", _damaged(fixture("6000", name), how, first, second))
    path = ProjectPath("Assets/Car.prefab")
    content = project.contents[path.text]
    with suppress(SparkError):
        outline(path, content, None, world(project, "6000"))
    with suppress(SparkError):
        edit_prefab(path, content, [op], world(project, "6000"))
    with suppress(SparkError):
        edit_asset(path, content, [PropertyEdit("mass", 3, component="Rigidbody")], world(project, "6000"))


def _damaged(content: bytes, how: str, first: int, second: int) -> bytes:
    if how == "cut":
        at = first % len(content)
        return content[:at] + content[at + 1 + second % 300 :]
    if how == "ids":
        ids = re.findall(rb"fileID: -?\d+|&-?\d+", content)
        return content.replace(ids[first % len(ids)], ids[second % len(ids)].replace(b"&", b"fileID: "), 1)
    lines = content.split(b"\n")
    line = lines.pop(first % len(lines)) if how == "line" else lines[first % len(lines)]
    if how == "twice":
        lines.insert(second % len(lines), line)
    return b"\n".join(lines)
