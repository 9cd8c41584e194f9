"""JSON values become what a property is, or are refused with what would be."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.assets import Json
from spark.core.errors import ToolRejected
from spark.engines.unity.coerce import coerce, quaternion, rotation_fields
from spark.engines.unity.yaml.numbers import float_text
from spark.engines.unity.yaml.values import Pairs, Ref, Value


class FakeReferences:
    """Knows two assets and two layers; keeps what was wanted."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.notes: list[str] = []

    def reference(self, value: Json, *, wanted: str = "", where: str) -> Ref:
        self.wanted.append(wanted)
        known = {
            None: Ref(),
            "Assets/a.mat": Ref(2100000, "a" * 32, 2),
            "builtin:Cube": Ref(10202, "0" * 15 + "e" + "0" * 16),
        }
        if isinstance(value, dict):
            if not str(value["fileID"]).lstrip("-").isdecimal():
                raise ToolRejected("invalid_arguments", f"{where}: {value}")
            return Ref(int(value["fileID"]), value.get("guid", ""), value.get("type", 0))
        if value not in known:
            raise ToolRejected("broken_reference", f"{where}: {value}")
        return known[value]

    def note(self, text: str) -> None:
        self.notes.append(text)

    def layers(self) -> Mapping[str, int]:
        return {"Default": 0, "Walls": 8}


VECTOR = Pairs([("x", "1"), ("y", "-0"), ("z", "0.5")], inline=True)
COLOR: dict[str, Value] = {"r": 1.0, "g": 1.0, "b": 1.0, "a": 0.25}
ROTATION: dict[str, Value] = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}


def made(value: Json, like: Value, where: str = "m_Thing") -> Value:
    return coerce(value, like, where, FakeReferences(), {"Root/Body": Ref(7), "Root/Body:Light": Ref(8)}.get)


def refusal(value: Json, like: Value, where: str = "m_Thing") -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        made(value, like, where)
    return caught.value


@pytest.mark.parametrize(
    ("value", "like", "wanted"),
    [
        (3, "5", 3),
        (0.5, "5", 0.5),
        (2.0, "0.5", 2),
        ("9007199254740993", "1", 9007199254740993),
        (-(2**63), "1", -(2**63)),
        (True, "0", 1),
        (False, 1, 0),
        (True, False, 1),
        (7, 3, 7),
        (2.0, 3, 2),
        (7, 3.5, 7.0),
        ("Infinity", "1.5", math.inf),
        ("-Infinity", 0.0, -math.inf),
        (1e-7, "0", 1e-7),
        ("new", "old", "new"),
        ("", "old", ""),
        ("a\nb: c", "", "a\nb: c"),
        (None, None, None),
    ],
)
def test_a_scalar_takes_the_type_of_what_stands_there(value: Json, like: Value, wanted: Value) -> None:
    """Whole numbers stay digits, also beyond 2^53; booleans become 0 and 1; texts stay texts."""
    found = made(value, like)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("value", "like"),
    [
        ("heavy", "1"),
        (0.5, 3),
        (True, "5"),
        (True, 0.5),
        ([1], "1"),
        ({"x": 1}, 1.0),
        (None, "1"),
        (1, "text"),
        (1e39, 0.5),
        (1e39, "0.5"),
        (2**64, "1"),
        (2**70, 1),
        (10**400, 1.0),
        ("1e999", "0.5"),
        ("\ud800", "text"),
        ("yes", True),
        (2, True),
        (5, None),
    ],
)
def test_a_scalar_of_another_type_is_refused_with_the_place(value: Json, like: Value) -> None:
    """The refusal names the property and what would be accepted; nothing is rounded or guessed."""
    caught = refusal(value, like, "m_Some.thing")
    assert caught.code == "invalid_arguments"
    assert caught.details["fields"]["m_Some.thing"]


def test_a_text_that_looks_like_a_number_may_become_another_text() -> None:
    """A name of digits is a name: keys of texts are known."""
    assert made("Door", "12", "m_Name") == "Door"


def test_vectors_come_from_lists_and_from_parts() -> None:
    """A list gives all parts, a mapping only those that it names; the style of what was read stays."""
    found = made([1, 2.5, -3], VECTOR)
    assert found == Pairs([("x", 1.0), ("y", 2.5), ("z", -3.0)], inline=True)
    part = made({"y": 4}, VECTOR)
    assert part == Pairs([("x", 1), ("y", 4.0), ("z", 0.5)], inline=True)
    kept = made({"x": 2}, VECTOR)
    assert isinstance(kept, Pairs)
    assert math.copysign(1, kept.get("y")) == -1  # type: ignore[arg-type]
    for wrong in ([1, 2], {"w": 1}, {}, "1,2,3", [1, "a", 3], [1, None, 3], 5):
        assert refusal(wrong, VECTOR).code == "invalid_arguments"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("#ff0000", (1, 0, 0, 1)),
        ("#f00", (1, 0, 0, 1)),
        ("#00ff0080", (0, 1, 0, 128 / 255)),
        ("#00f8", (0, 0, 1, 136 / 255)),
        ([0.5, 0.5, 0.5], (0.5, 0.5, 0.5, 1)),
        ([2, 0, 0, 1], (2, 0, 0, 1)),
        ({"a": 1}, (1, 1, 1, 1)),
    ],
)
def test_colours_come_from_hexadecimal_texts_too(value: Json, wanted: tuple[float, ...]) -> None:
    """Without alpha a colour is opaque; colours brighter than 1 are colours (HDR)."""
    found = made(value, COLOR)
    assert found == dict(zip("rgba", wanted, strict=True))


def test_a_packed_colour_is_a_number_of_four_bytes() -> None:
    """`Color32` stands as one number, red in its lowest byte."""
    like: dict[str, Value] = {"serializedVersion": "2", "rgba": "4294967295"}
    assert made("#ff000080", like) == {"serializedVersion": "2", "rgba": 0x800000FF}
    assert made([1, 0, 0, 1], like) == {"serializedVersion": "2", "rgba": 0xFF0000FF}
    assert refusal([2, 0, 0, 1], like).code == "invalid_arguments"


def test_a_rotation_may_be_given_in_degrees() -> None:
    """`euler` follows Unity's order: around z, then x, then y."""
    found: Any = made({"euler": [0, 90, 0]}, ROTATION)
    assert [round(found[key], 6) for key in "xyzw"] == [0, 0.707107, 0, 0.707107]
    assert made([0, 0, 0, 1], ROTATION) == {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
    assert "euler" in refusal([0, 90, 0], ROTATION).message


@given(st.lists(st.floats(-720, 720), min_size=3, max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_rotation_is_the_product_of_its_three(angles: list[float]) -> None:
    """The quaternion turns a vector as three single rotations do, one after the other."""
    quat = quaternion(angles)
    assert math.isclose(math.hypot(*quat), 1, abs_tol=1e-9)
    turned = _turn(quat, (1.0, 2.0, 3.0))
    step = (1.0, 2.0, 3.0)
    for single in ((0, 0, angles[2]), (angles[0], 0, 0), (0, angles[1], 0)):
        step = _turn(quaternion(single), step)
    assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(turned, step, strict=True))


def _turn(quat: tuple[float, float, float, float], at: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z, w = quat
    tx, ty, tz = (2 * (y * at[2] - z * at[1]), 2 * (z * at[0] - x * at[2]), 2 * (x * at[1] - y * at[0]))
    return (
        at[0] + w * tx + y * tz - z * ty,
        at[1] + w * ty + z * tx - x * tz,
        at[2] + w * tz + x * ty - y * tx,
    )


def test_references_are_resolved_and_local_ones_looked_up() -> None:
    """A path goes to the resolver with what the key wants, `#` to the file's own objects."""
    references = FakeReferences()
    local = {"Root/Body": Ref(7), "Root/Body:Light": Ref(8)}.get
    assert coerce("Assets/a.mat", Ref(), "m_Materials[0]", references) == Ref(2100000, "a" * 32, 2)
    coerce("Assets/a.mat", Ref(), "m_Materials.Array.data[0]", references)
    assert references.wanted == ["Material", "Material"]
    assert coerce(None, Pairs([("fileID", "5")]), "m_Any", references) == Ref()
    assert coerce("#Root/Body", Ref(), "target", references, local) == Ref(7)
    assert coerce("#Root/Body", Ref(), "target", references, local, wanted="Light") == Ref(8)
    assert coerce("#Root/Body:Light", Ref(), "target", references, local) == Ref(8)
    with pytest.raises(ToolRejected) as caught:
        coerce("#Root/Gone", Ref(), "target", references, local)
    assert caught.value.code == "broken_reference"
    with pytest.raises(ToolRejected):
        coerce("#Root/Body", Ref(), "target", references)


def test_a_layer_mask_comes_from_a_number_or_from_names() -> None:
    """Names are the project's; -1 is every layer."""
    like: dict[str, Value] = {"serializedVersion": 2, "m_Bits": 0}
    assert made(["Default", "Walls"], like) == {"serializedVersion": 2, "m_Bits": 257}
    assert made("Walls", like) == {"serializedVersion": 2, "m_Bits": 256}
    assert made(-1, like) == {"serializedVersion": 2, "m_Bits": 4294967295}
    assert made({"m_Bits": 5}, like) == {"serializedVersion": 2, "m_Bits": 5}
    assert "Walls" in refusal(["Door"], like).message


def test_a_mapping_may_be_given_in_part_and_unknown_keys_are_refused() -> None:
    """What is not named stays, in its order, also keys that come twice; the refusal lists the keys there are."""
    like = Pairs([("a", "1"), ("b", Pairs([("c", "x"), ("d", "0")])), ("a", "2")])
    assert made({"b": {"d": 1}, "a": 5}, like) == Pairs([("a", 5), ("b", Pairs([("c", "x"), ("d", 1)])), ("a", "2")])
    caught = refusal({"b": {"e": 1}}, like, "m_Thing")
    assert "m_Thing.b.e" in caught.details["fields"]
    assert "c, d" in caught.message
    assert refusal([1], like).code == "invalid_arguments"


def test_lists_take_the_type_of_their_items() -> None:
    """Each item has the type of the one it replaces; a new one must be whole; an empty list tells no type."""
    like: Value = [Pairs([("n", "1"), ("s", "a")])]
    assert made([{"n": 2}, {"n": 3, "s": "b"}], like) == [Pairs([("n", 2), ("s", "a")]), Pairs([("n", 3), ("s", "b")])]
    assert "s" in refusal([{"n": 2}, {"n": 3}], like).message
    assert made([], like) == []
    assert made([None, "Assets/a.mat"], [Ref()]) == [Ref(), Ref(2100000, "a" * 32, 2)]
    assert made(["Assets/a.mat"], [], "m_Materials") == [Ref(2100000, "a" * 32, 2)]
    assert made([{"fileID": "4"}], []) == [Ref(4)]
    assert "not known" in refusal(["Assets/a.mat"], []).message
    assert refusal("x", [Ref()]).code == "invalid_arguments"


@given(st.floats(allow_nan=False, width=32))
@settings(deadline=None, max_examples=100)
def test_a_float_comes_out_as_the_same_32_bits(value: float) -> None:
    """Whatever float a property had, setting it to itself writes the same digits."""
    digits = float_text(value)
    found = made(value, digits)
    assert isinstance(found, int | float)
    assert struct.pack("<f", float(found)) == struct.pack("<f", value)
    assert float_text(found) == digits


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["x", "y", "z", "fileID", "euler"]), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["1", "x", "", 1, 1.0, True, None, VECTOR, ROTATION, COLOR, [], ["1"], Pairs([("a", "1")])]),
)
@settings(deadline=None, max_examples=200)
def test_any_value_is_made_or_refused(value: Json, like: Value) -> None:
    """No value of JSON makes it fail in another way, and what it makes can be written."""
    from spark.engines.unity.yaml.mode import Mode
    from spark.engines.unity.yaml.write import body_bytes

    try:
        found = made(value, like)
    except ToolRejected:
        return
    assert body_bytes({"key": found}, Mode())


@pytest.mark.parametrize("where", ["m_LocalRotation", "turn", "m_Joint.targetRotation"])
@pytest.mark.parametrize(
    "value", [{"x": 0, "y": 90, "z": 0}, [0, 0, 0, 0], [0, 0.9, 0, 0.9], {"y": 0.5}, {"w": 1}, [0, 90, 0], [0, 0, 0, 2]]
)
def test_half_a_rotation_or_none_is_refused(where: str, value: Json) -> None:
    """Degrees are never taken for parts of a quaternion, and what has not the length 1 is no rotation."""
    if where == "turn" and isinstance(value, list) and len(value) == 4:
        # By its name alone this may be any other four numbers.
        assert made(value, ROTATION, where) == dict(zip("xyzw", map(float, value), strict=True))
        return
    caught = refusal(value, ROTATION, where)
    assert "euler" in caught.details["fields"][where]


def test_a_part_of_a_rotation_is_no_place_to_set() -> None:
    """`m_LocalRotation.y` alone would leave no rotation; parts of positions and of other four numbers may be set."""
    assert "as a whole" in refusal(0.5, "0", "m_LocalRotation.y").message
    assert made(0.5, "0.25", "m_LocalPosition.y") == 0.5
    other = Pairs([("x", "0"), ("y", "0"), ("z", "0"), ("w", "0")], inline=True)
    assert made({"y": 2}, other, "m_Padding") == Pairs([("x", 0), ("y", 2.0), ("z", 0), ("w", 0)], inline=True)


def test_a_rotation_of_few_decimals_is_one() -> None:
    """Three decimals are what people write; the numbers stay as they are given."""
    found: Any = made([0, 0.707, 0, 0.707], ROTATION, "m_LocalRotation")
    assert [found[key] for key in "xyzw"] == [0, 0.707, 0, 0.707]


@given(st.lists(st.floats(-179, 179), min_size=3, max_size=3))
@settings(deadline=None, max_examples=60)
def test_the_angles_shown_for_a_rotation_make_the_same_rotation(angles: list[float]) -> None:
    """The hint of the inspector follows the rotation, however it was given."""
    numbers = quaternion(angles)
    rotation, hint = rotation_fields([float(number) for number in numbers], "localRotation")
    again = quaternion([hint[key] for key in "xyz"])
    assert math.isclose(abs(sum(a * b for a, b in zip(numbers, again, strict=True))), 1, abs_tol=1e-6)
    assert list(rotation.values()) == list(numbers)
    assert list(rotation_fields({"euler": [10, 20, 30]}, "localRotation")[1].values()) == [10, 20, 30]


def test_layers_may_be_everything_or_nothing_and_are_named_for_the_bits_alone() -> None:
    """A camera's mask takes names where only its number is set."""
    assert made(["Default", "Walls"], "4294967295", "m_CullingMask.m_Bits") == 257
    assert made("Everything", "0", "m_CullingMask.m_Bits") == 4294967295
    assert made(["Nothing"], 5, "m_IncludeLayers.m_Bits") == 0
    assert "Everything" in refusal(["Door"], "0", "m_CullingMask.m_Bits").message


def test_a_fraction_where_a_whole_number_stood_is_said() -> None:
    """Where no type is known the digits do not tell a float from an int: the answer names the place."""
    references = FakeReferences()
    assert coerce(1.5, "2", "m_QualitySettings[0].other", references) == 1.5
    assert "m_QualitySettings[0].other" in references.notes[0]
    references = FakeReferences()
    for value, like in ((2.0, "2"), (1.5, "0.5"), (1.5, 2.0), (3, "2")):
        coerce(value, like, "m_Some", references)
    assert references.notes == []


def test_an_empty_list_takes_the_items_that_are_known() -> None:
    """A settings list is filled by what its items are; of another one no type is claimed."""
    references = FakeReferences()
    assert coerce(["Enemy", "7"], [], "tags", references, item="Tag") == ["Enemy", "7"]
    scene: Value = {"enabled": True, "path": "Assets/A.unity", "guid": "f" * 32}
    whole = {"enabled": True, "path": "Assets/B.unity", "guid": "0" * 32}
    assert coerce([whole], [], "m_Scenes", references, item=scene) == [{**whole, "enabled": 1}]
    with pytest.raises(ToolRejected) as caught:
        coerce([{"path": "Assets/B.unity"}], [], "m_Scenes", references, item=scene)
    assert "m_Scenes[0]" in caught.value.message
    assert "fileID" not in refusal(["Enemy"], []).details["fields"]["m_Thing"]
    assert coerce([{"fileID": "4"}], [], "m_Other", references) == [Ref(4)]
    assert "m_Other" in references.notes[-1]


CURVE = Pairs(
    [
        ("serializedVersion", "2"),
        (
            "m_Curve",
            [Pairs([("serializedVersion", "3"), ("time", "0"), ("value", "1"), ("inSlope", "5"), ("outSlope", "5")])],
        ),
        ("m_PreInfinity", "2"),
        ("m_PostInfinity", "2"),
        ("m_RotationOrder", "4"),
    ]
)


def test_a_curve_is_its_keyframes() -> None:
    """Every key has all the parts that Unity writes, in its order; what is not given is 0; the rest of the curve stays."""
    found = made(
        [{"time": 0, "value": 1}, {"time": 2.5, "value": -1, "inTangent": 3, "weightedMode": "In", "inWeight": 0.5}],
        CURVE,
    )
    assert isinstance(found, Pairs)
    keys: Any = found.get("m_Curve")
    names = [
        "serializedVersion",
        "time",
        "value",
        "inSlope",
        "outSlope",
        "tangentMode",
        "weightedMode",
        "inWeight",
        "outWeight",
    ]
    assert list(keys[0].keys()) == names
    assert [part for _, part in keys[0].items()] == ["3", 0.0, 1.0, 0.0, 0.0, 0, 0, 0.0, 0.0]
    assert [part for _, part in keys[1].items()] == ["3", 2.5, -1.0, 3.0, 0.0, 0, 1, 0.5, 0.0]
    assert (found.get("m_PreInfinity"), found.get("m_RotationOrder")) == ("2", "4")
    emptied = made({"m_Curve": [], "m_PreInfinity": 1}, CURVE)
    assert isinstance(emptied, Pairs)
    assert [part for _, part in emptied.items()] == ["2", [], 1, "2", "4"]
    assert made(0.5, "1", "curve.m_Curve[0].value") == 0.5


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([{"time": 1, "value": 0}, {"time": 1, "value": 1}], "order of time"),
        ([{"value": 0}], "time"),
        ([{"time": 0}], "value"),
        ([{"time": 0, "value": 0, "slope": 1}], "inSlope"),
        ([{"time": 0, "value": 0, "inSlope": 1, "inTangent": 1}], "inTangent"),
        ([{"time": "Infinity", "value": 0}], "finite"),
        ({"keys": []}, "keyframes"),
        (5, "keyframes"),
    ],
)
def test_what_is_no_curve_is_refused(value: Json, says: str) -> None:
    """The refusal names the key and what would be accepted."""
    assert says in refusal(value, CURVE).message
