"""Values for the fields of scripts: what only the code knows, rotations, curves, types of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from spark.core.assets import Json
from spark.core.errors import ToolRejected
from spark.engines.unity.csharp.serialized import FieldReader, OneSource, SerializedField
from spark.engines.unity.csharp.serialized_set import FieldSetter
from spark.engines.unity.csharp.serialized_syntax import declared_types
from spark.engines.unity.csharp.serialized_types import Resolver
from spark.engines.unity.yaml.values import Pairs, Ref, Value

SOURCE = """using System; using System.Collections.Generic; using UnityEngine;
[Serializable] public struct Range { public float min; public float max; public Range(float a, float b) { min = a; max = b; } }
[Serializable] public class Outer { public Range inner = new Range(1, 2); public int count = 3; }
public class Player : MonoBehaviour {
  public Range range = new Range(1, 2); public Range zero; public Outer outer = new Outer(); public Outer other = Make();
  public Quaternion turn = Quaternion.identity; public Vector4 four; public AnimationCurve curve; public Gradient glow;
  public List<Range> many; public RectInt area; public Hash128 hash; public BoundsInt box;
  public RenderMode mode; public ForceMode force = ForceMode.Acceleration; public WrapMode wrap; public bool on;
}
"""


class NoReferences:
    """Nothing is referred to here."""

    def reference(self, value: Json, *, wanted: str = "", where: str) -> Ref:
        return Ref()

    def layers(self) -> Mapping[str, int]:
        return {"Default": 0}

    def note(self, text: str) -> None:
        raise AssertionError(text)


def setter() -> tuple[FieldSetter, dict[str, SerializedField]]:
    types = declared_types(SOURCE, frozenset(), "Player.cs")
    reader = FieldReader(Resolver(OneSource(types)))
    player = next(one for one in types if one.name == "Player")
    return FieldSetter(reader, NoReferences()), {field.name: field for field in reader.of_script(player).fields}


def made(name: str, value: Json, present: Value = None, *steps: str | int) -> Any:
    by, fields = setter()
    return plain(by.at(fields[name], steps, value, name, present))


def refusal(name: str, value: Json, present: Value = None, *steps: str | int) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        made(name, value, present, *steps)
    return caught.value


def plain(value: Value) -> object:
    if isinstance(value, Pairs | Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_a_part_of_what_only_the_code_knows_is_refused() -> None:
    """Nothing is completed with zeros: the refusal names what else must be given. What stands in a file is completed."""
    caught = refusal("range", {"min": 3})
    assert "range.max" in caught.details["fields"]
    assert "only the code knows" in caught.message
    assert made("range", {"min": 3, "max": 4}) == {"min": 3, "max": 4}
    present = Pairs([("min", "1"), ("max", "2")])
    assert made("range", {"min": 3}, present) == {"min": 3, "max": "2"}
    assert made("zero", {"min": 3}, Pairs([("min", 0.0), ("max", 0.0)])) == {"min": 3, "max": 0}
    by, fields = setter()
    with pytest.raises(ToolRejected):
        by.field(fields["range"], {"max": 1}, "range")


def test_that_holds_inside_of_classes_too() -> None:
    """A field of a class that the code sets, and a class that a method made, are not completed either."""
    assert "outer.inner.max" in refusal("outer", {"inner": {"min": 1}}, Pairs([("count", 3)])).details["fields"]
    assert made("outer", {"count": 5}, Pairs([("count", 3)])) == {"count": 5}
    assert "other.inner" in refusal("other", {"count": 5}).details["fields"]
    assert "other.inner.max" in refusal("other", {"count": 5, "inner": {"min": 1}}).details["fields"]
    assert made("many", [{"min": 1}]) == [{"min": 1, "max": 0}]


def test_a_quaternion_is_given_whole() -> None:
    """Degrees without `euler`, parts, and what has not the length 1 are refused; a Vector4 takes any numbers."""
    assert made("turn", [0, 1, 0, 0]) == {"x": 0, "y": 1, "z": 0, "w": 0}
    present = Pairs([("x", "0"), ("y", "0"), ("z", "0"), ("w", "1")], inline=True)
    for wrong in ({"x": 0, "y": 90, "z": 0}, {"y": 0.5}, [0, 0, 0, 0], [0, 0.9, 0, 0.9]):
        assert "euler" in refusal("turn", wrong, present).details["fields"]["turn"]
    assert "as a whole" in refusal("turn", 0.5, None, "y").message
    assert made("four", {"y": 2}, present) == {"x": 0, "y": 2, "z": 0, "w": 1}
    assert made("four", 2, None, "y") == 2


def test_a_curve_takes_keyframes_and_a_gradient_is_refused_in_good_english() -> None:
    """Keyframes have all their parts; what is drawn in Unity says so."""
    found = made("curve", [{"time": 0, "value": 1}])
    assert found["m_Curve"][0]["serializedVersion"] == 3
    assert found["m_PreInfinity"] == 2
    assert made("curve", {"m_Curve": []})["m_Curve"] == []
    assert "a Gradient is drawn" in refusal("glow", {}).message


@pytest.mark.parametrize("name", ["area", "hash", "box"])
def test_types_of_the_engine_are_not_called_missing(name: str) -> None:
    """The refusal says that the type is Unity's and what works."""
    caught = refusal(name, {})
    assert "Unity's own" in caught.message
    assert "project" not in caught.message


def test_enums_of_the_engine_take_their_names() -> None:
    """Also those whose numbers leave some out; their defaults are read from the code."""
    assert made("mode", "WorldSpace") == 2
    assert made("force", "VelocityChange") == 2
    assert made("wrap", "ClampForever") == 8
    _, fields = setter()
    assert fields["force"].default == 5


def test_a_flag_of_a_script_takes_no_other_number() -> None:
    """Where the class says what a field is, its type counts and not what stands there."""
    assert "true or false" in refusal("on", 7, "1").message
