"""Which fields Unity serialises and with which values, from C# as people write it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.engines.unity.csharp.serialized import FieldReader, OneSource, SerializedField, serialized_fields
from spark.engines.unity.csharp.serialized_numbers import NotConstant, Number, constant, literal
from spark.engines.unity.csharp.serialized_syntax import declared_types
from spark.engines.unity.csharp.serialized_types import Resolver
from spark.engines.unity.yaml.values import Pairs, Ref, Value

_HEAD = "using System;\nusing System.Collections.Generic;\nusing UnityEngine;\nusing UnityEngine.Events;\n"


def fields_of(members: str, *, around: str = "", symbols: frozenset[str] = frozenset()) -> dict[str, SerializedField]:
    source = f"{_HEAD}{around}\npublic class Player : MonoBehaviour\n{{\n{members}\n}}\n"
    return {field.name: field for field in serialized_fields(source, "Player", symbols=symbols, name="Player.cs")}


def plain(value: Value) -> object:
    """A value without the difference between mappings, for comparing."""
    if isinstance(value, Pairs | Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def default_of(member: str, *, around: str = "") -> object:
    (field,) = fields_of(member, around=around).values()
    assert not field.uncertain, field.uncertain
    return plain(field.default)


def test_modifiers_and_attributes_decide_as_the_manual_says() -> None:
    """Public or marked fields are serialised; static, const, readonly, events and marked-out ones are not."""
    found = fields_of(
        """
        public int a; [SerializeField] private int b; [SerializeField] int c, d; internal int no1; protected int no2; int no3;
        public static int no4; public const int no5 = 1; public readonly int no6; [SerializeField] static int no7;
        [NonSerialized] public int no8; [System.NonSerialized] [SerializeField] int no9; [HideInInspector] public int e;
        public event Action no10; public int no11 { get; set; } [field: SerializeField] public int F { get; private set; }
        [field: SerializeField] public int no12 => 3; [field: SerializeField] public int no13 { get; }
        [Header("x"), SerializeField, Range(0, 1)] private float g; [UnityEngine.SerializeField] int h;
        """
    )
    assert list(found) == ["a", "b", "c", "d", "e", "<F>k__BackingField", "g", "h"]
    assert found["<F>k__BackingField"].member == "F"


def test_types_that_unity_does_not_serialise_are_no_fields() -> None:
    """Dictionaries, nested and several-dimensional lists, nullable values, interfaces, delegates and unmarked classes."""
    found = fields_of(
        """
        public Dictionary<string, int> a; public List<List<int>> b; public int[,] c; public int[][] d; public int? e;
        public IDisposable f; public Action<int> g; public Plain h; public object i; public DateTime j; public decimal k;
        public List<int[]> l; public IThing m; public Del n; public HashSet<int> o; public (int, int) p; public Abstract q;
        public Empty r; public Long s; public List<Plain> t; public int ok;
        """,
        around="""
        public class Plain { public int x; } public interface IThing {} public delegate void Del();
        [Serializable] public abstract class Abstract { public int x; } [Serializable] public class Empty { }
        public enum Long : long { A }
        """,
    )
    assert list(found) == ["ok"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("public int a;", 0),
        ("public int a = 3;", 3),
        ("public int a = -0x10;", -16),
        ("public int a = 1_000 / 3 % 100 << 2;", 132),
        ("public int a = -7 / 2;", -3),
        ("public uint a = 4294967295;", 4294967295),
        ("public long a = 1L << 40;", 1 << 40),
        ("public ulong a = ulong.MaxValue - 1;", None),
        ("public byte a = 255;", 255),
        ("public byte a = 256;", None),
        ("public int a = int.MaxValue;", 2147483647),
        ("public int a = int.MaxValue + 1;", None),
        ("public int a = (int)3.9f;", 3),
        ("public int a = 'A';", 65),
        ("public char a = '\\n';", 10),
        ("public bool a = true;", 1),
        ("public bool a = !true || false;", 0),
        ("public float a = 1f;", 1.0),
        ("public float a = -.5f;", -0.5),
        ("public float a = 2;", 2.0),
        ("public float a = 1 / 2;", 0.0),
        ("public float a = 0.1f * 3;", 0.30000001192092896),
        ("public float a = Mathf.Infinity;", float("inf")),
        ("public float a = Mathf.PI * 2;", 6.2831854820251465),
        ("public float a = 1.5;", None),
        ("public float a = 1e-3f;", 0.0010000000474974513),
        ("public double a = 0.1;", "0.1"),
        ("public double a = 1e20;", "1e+20"),
        ("public string a;", ""),
        ('public string a = "x\\ty\\u0041";', "x\tyA"),
        ('public string a = @"C:\\x ""q""";', 'C:\\x "q"'),
        ('public string a = "one" + "two";', "onetwo"),
        ("public string a = string.Empty;", ""),
        ('public string a = $"{1}";', None),
        ("public string a = nameof(a);", None),
        ("public float a = UnityEngine.Random.value;", None),
        ("public float a = Compute();", None),
    ],
)
def test_initialisers_of_numbers_and_texts_are_what_the_compiler_makes_of_them(member: str, value: object) -> None:
    """Constants follow C#'s promotion, rounding and overflow; what runs is uncertain, never guessed."""
    (field,) = fields_of(member).values()
    if value is None:
        assert field.uncertain
    else:
        assert not field.uncertain
        assert field.default == value
        assert type(field.default) is type(value)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("public Vector3 a;", {"x": 0, "y": 0, "z": 0}),
        ("public Vector3 a = new Vector3(1, 2f, -3.5f);", {"x": 1, "y": 2, "z": -3.5}),
        ("public Vector3 a = new(1, 2, 3);", {"x": 1, "y": 2, "z": 3}),
        ("public Vector3 a = new Vector3(1, 2);", {"x": 1, "y": 2, "z": 0}),
        ("public Vector3 a = Vector3.up * 2f;", {"x": 0, "y": 2, "z": 0}),
        ("public Vector3 a = -Vector3.one;", {"x": -1, "y": -1, "z": -1}),
        ("public Vector2 a = UnityEngine.Vector2.left;", {"x": -1, "y": 0}),
        ("public Vector3Int a = Vector3Int.one;", {"x": 1, "y": 1, "z": 1}),
        ("public Quaternion a;", {"x": 0, "y": 0, "z": 0, "w": 0}),
        ("public Quaternion a = Quaternion.identity;", {"x": 0, "y": 0, "z": 0, "w": 1}),
        ("public Color a = Color.yellow;", {"r": 1, "g": 0.9215686321258545, "b": 0.01568627543747425, "a": 1}),
        ("public Color a = new Color(0.5f, 0, 1);", {"r": 0.5, "g": 0, "b": 1, "a": 1}),
        ("public Color32 a = new Color32(255, 1, 2, 3);", {"serializedVersion": 2, "rgba": 50463231}),
        ("public LayerMask a = ~0;", {"serializedVersion": 2, "m_Bits": 4294967295}),
        ("public Rect a = new Rect(1, 2, 3, 4);", {"serializedVersion": 2, "x": 1, "y": 2, "width": 3, "height": 4}),
        (
            "public Bounds a = new Bounds(Vector3.zero, Vector3.one);",
            {"m_Center": {"x": 0, "y": 0, "z": 0}, "m_Extent": {"x": 0.5, "y": 0.5, "z": 0.5}},
        ),
        (
            "public AnimationCurve a = new AnimationCurve();",
            {"serializedVersion": 2, "m_Curve": [], "m_PreInfinity": 2, "m_PostInfinity": 2, "m_RotationOrder": 4},
        ),
        ("public UnityEvent a = new UnityEvent();", {"m_PersistentCalls": {"m_Calls": []}}),
        ("public UnityEvent<int> a;", {"m_PersistentCalls": {"m_Calls": []}}),
        ("public float3 a = new float3(1, 2, 0.5f);", {"x": 1, "y": 2, "z": 0.5}),
        ("public Unity.Mathematics.int2 a;", {"x": 0, "y": 0}),
        ("public KeyCode a = KeyCode.LeftShift;", 304),
        ("public Transform a;", Ref()),
        ("public GameObject a = null;", Ref()),
        ("public Player a = default;", Ref()),
        ("public Material[] a;", []),
        ("public Transform[] a = new Transform[2];", [Ref(), Ref()]),
        ("public List<string> a = new List<string>();", []),
        ('public List<string> a = new() { "x", "" };', ["x", ""]),
        ("public float[] a = { 1, .5f };", [1.0, 0.5]),
        ("public int[] a = { 1, -1 };", "01000000ffffffff"),
        ("public List<int> a = new List<int>(16);", ""),
        ("public bool[] a = new bool[3];", "000000"),
        ("public ushort[] a = new ushort[] { 1, 2 };", "01000200"),
    ],
)
def test_values_of_the_engine_have_the_shapes_that_it_writes(member: str, value: object) -> None:
    """Vectors, colours, masks, curves, events, references and lists as they stand in files of Unity's own."""
    assert default_of(member) == value


@pytest.mark.parametrize(
    "member",
    [
        "public AnimationCurve a = AnimationCurve.Linear(0, 0, 1, 1);",
        "public Gradient a = new Gradient();",
        "public Vector3 a = Vector3.Lerp(Vector3.zero, Vector3.one, 0.5f);",
        "public Quaternion a = Quaternion.Euler(0, 90, 0);",
        "public Vector3 a = new Vector3(x: 1, z: 2, y: 3);",
        "public List<int> a = new List<int>(Other.List);",
        "public long[] a;",
        "public Missing a;",
        "[SerializeReference] public IDisposable a;",
        "public Color a = Settings.Tint;",
    ],
)
def test_what_cannot_be_known_is_uncertain_and_says_why(member: str) -> None:
    """A value that code makes, a type that is nowhere, or a form that is not certain is reported, not guessed."""
    (field,) = fields_of(member).values()
    assert field.uncertain
    assert field.where == "Player.cs:8"


def test_vectors_of_the_engine_are_inline_and_structs_of_the_user_are_not() -> None:
    """Unity writes a user's struct with fields x, y, z as a block, its own vectors in braces."""
    found = fields_of(
        "public Vector3 a; public Mine b;", around="[Serializable] public struct Mine { public float x, y, z; }"
    )
    engine, own = found["a"].default, found["b"].default
    assert isinstance(engine, Pairs)
    assert engine.inline
    assert isinstance(own, Pairs)
    assert not own.inline


def test_enums_have_the_values_of_their_members() -> None:
    """Explicit, following and combined values, flags and members of other enums, nested and in namespaces."""
    around = """
    namespace Game { [Flags] public enum Side { None = 0, Left = 1 << 0, Right = 1 << 1, Both = Left | Right, Next } }
    public class Door { public enum State : byte { Open = 3, Shut } }
    """
    members = """
    public Game.Side a = Game.Side.Both; public Game.Side b = Game.Side.Next; public Door.State c = Door.State.Shut;
    public Kind d = Kind.Two; public enum Kind { One = Two - 1, Two = 5 } public Game.Side e = Game.Side.Left | Game.Side.Right;
    public Door.State[] f = { Door.State.Open }; public Kind g = (Kind)7; public Kind h = Kind.Three;
    """
    found = fields_of(members, around=around)
    assert {name: field.default for name, field in found.items() if not field.uncertain} == {
        "a": 3, "b": 4, "c": 4, "e": 3, "f": "03",
    }  # fmt: skip
    assert found["d"].uncertain
    assert found["h"].uncertain


def test_constants_of_the_class_are_read_and_circles_end() -> None:
    """A constant counts wherever it is declared; one that is defined by itself is uncertain."""
    found = fields_of(
        "const int Max = Config.Base * 2; public int a = Max + 1; const int Loop = Loop + 1; public int b = Loop;",
        around="public static class Config { public const int Base = 50; }",
    )
    assert found["a"].default == 101
    assert found["b"].uncertain


def test_base_classes_come_first_also_generic_ones() -> None:
    """Fields of base classes stand before the class's own, type parameters replaced by what they stand for."""
    source = (
        _HEAD
        + """
    namespace A { public class Base<T> : MonoBehaviour { [SerializeField] T value; public List<T> many; int hidden; } }
    namespace B { using A; public abstract class Mid<U> : Base<U[]> { public U one; } public class Leaf : Mid<string> { public int own; } }
    """
    )
    found = {field.name: field for field in serialized_fields(source, "Leaf")}
    assert list(found) == ["value", "one", "own"]
    assert found["value"].default == []
    assert found["one"].default == ""


def test_classes_inside_have_their_initialisers_and_cycles_end() -> None:
    """A class field starts with the initialisers of its class; a list of itself is empty, itself inside itself is left out."""
    around = """
    [Serializable] public class Stats { public int hp = 100; public List<Stats> more; public Inner inner; float no; }
    [Serializable] public struct Inner { public Vector2 at; public string name; }
    [Serializable] public class Loop { public Loop next; public int v = 2; }
    [Serializable] public class Built { public int a = 1; public int b; public Built() { b = 5; } }
    [Serializable] public class Base { public int low = 4; } [Serializable] public class Derived : Base { public int high; }
    public class Bare { public int not; } [Serializable] public class OnBare : Bare { public int yes; }
    """
    found = fields_of(
        "public Stats a; public Stats b = new Stats { hp = 3 }; public Loop c; public Built d; public Derived e; public OnBare f; "
        "public Stats g = new(); public Stats[] h = new Stats[1];",
        around=around,
    )
    stats = {"hp": 100, "more": [], "inner": {"at": {"x": 0, "y": 0}, "name": ""}}
    assert plain(found["a"].default) == stats
    assert found["b"].uncertain
    assert plain(found["c"].default) == {"v": 2}
    assert found["c"].notes == ("c.next is left out: Loop holds itself",)
    assert plain(found["d"].default) == {"a": 1}
    assert plain(found["e"].default) == {"low": 4, "high": 0}
    assert plain(found["f"].default) == {"yes": 0}
    assert plain(found["g"].default) == stats
    assert plain(found["h"].default) == [stats]


def test_a_constructor_makes_what_it_sets_uncertain() -> None:
    """Code in a constructor runs after the initialisers: what it names, or all where it calls something, is not known."""
    assert fields_of("public int a = 1, b = 2; public Player() { a = 5; }")["a"].uncertain
    assert not fields_of("public int a = 1, b = 2; public Player() { a = 5; }")["b"].uncertain
    assert fields_of("public int a = 1; public Player() { Init(); }")["a"].uncertain
    assert not fields_of("public int a = 1; protected Player() { }")["a"].uncertain


def test_conditional_fields_follow_the_editors_symbols() -> None:
    """`#if` decides which fields there are, and comments and strings are no code."""
    members = """
#if UNITY_EDITOR
    public int editor = 1;
#elif NEVER
    public int never;
#else
    public int player;
#endif
    // public int comment;
    /* public int block; */ public string text = "public int no;";
"""
    assert list(fields_of(members, symbols=frozenset({"UNITY_EDITOR"}))) == ["editor", "text"]
    assert list(fields_of(members)) == ["player", "text"]


def test_names_are_found_by_the_rules_of_scope() -> None:
    """A nested type hides one of the namespace, the namespace one of a using, and an alias stands for its target."""
    source = (
        _HEAD
        + """
    using Far; using Short = Far.Thing;
    namespace Far { [Serializable] public class Thing { public int far; } public enum Only { A = 7 } }
    namespace Near { [Serializable] public class Thing { public int near; } }
    namespace Near.Deep {
      public class One : MonoBehaviour { public Thing a; public Only b = Only.A; public Short c; public Near.Thing d; }
      public class Two : MonoBehaviour { public Thing a; [Serializable] public class Thing { public int nested; } }
    }
    """
    )
    one = {field.name: plain(field.default) for field in serialized_fields(source, "Near.Deep.One")}
    assert one == {"a": {"near": 0}, "b": 7, "c": {"far": 0}, "d": {"near": 0}}
    assert plain(serialized_fields(source, "Two")[0].default) == {"nested": 0}


def test_a_field_declared_twice_is_kept_once() -> None:
    """Unity refuses the second; the document must not hold the key twice."""
    source = (
        _HEAD
        + "public class A : MonoBehaviour { public int x = 1; } public class B : A { public new int x = 2; public int y; }"
    )
    assert [field.name for field in serialized_fields(source, "B")] == ["x", "y"]


def test_a_class_that_is_not_there_is_refused_by_name() -> None:
    """The refusal names the class."""
    with pytest.raises(ToolRejected) as refused:
        serialized_fields("class A {}", "B", name="A.cs")
    assert refused.value.code == "not_found"
    assert "B" in refused.value.message


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), st.sampled_from("+-*|&^"))
@settings(deadline=None, max_examples=60)
def test_integer_arithmetic_is_that_of_32_bits_or_uncertain(left: int, right: int, operator: str) -> None:
    """Whatever the operands, the result is the mathematical one where it fits into an int, else none at all."""
    (field,) = fields_of(f"public int a = ({left}) {operator} ({right});").values()
    wanted = {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "|": left | right,
        "&": left & right,
        "^": left ^ right,
    }
    if -(2**31) <= wanted[operator] < 2**31:
        assert field.default == wanted[operator]
    else:
        assert field.uncertain


@given(st.text("0123456789abcdefxXuUlLfFdDmM._eE+-", max_size=12))
@settings(deadline=None, max_examples=200)
def test_any_literal_is_a_number_or_refused(text: str) -> None:
    """No text makes the reading of literals fail in another way."""
    with contextlib.suppress(NotConstant):
        assert isinstance(literal(text), Number)


@given(st.text("public int[]<>{}()=;,.class struct enum List \n\"'\\x$@#if*&?:0aT", max_size=120))
@settings(deadline=None, max_examples=150)
def test_any_text_has_fields_or_none(text: str) -> None:
    """Broken code never makes it raise anything but its own refusal."""
    with contextlib.suppress(ToolRejected):
        serialized_fields(f"class A : B {{ {text} }}", "A")


def test_deep_nesting_ends() -> None:
    """An initialiser of any depth is read without exhausting the stack."""
    (field,) = fields_of(f"public int a = {'(' * 500}1{')' * 500};").values()
    assert field.uncertain
    from spark.engines.unity.csharp.serialized_expressions import Expr

    with pytest.raises(NotConstant):
        constant(Expr("unread"), lambda name: 0)  # type: ignore[arg-type,return-value]


def test_verbatim_names_are_names_without_their_sign() -> None:
    """`@float` is the field `float`, also as a type's, a constant's and an enum's name."""
    found = fields_of(
        "public float @float = 2; public @class kind = @class.@new; public int copy = @int; const int @int = 4;",
        around="public enum @class { a, @new = 7 }",
    )
    assert list(found) == ["float", "kind", "copy"]
    assert (found["kind"].default, found["copy"].default) == (7, 4)
    source = "namespace @event { public class @Player : UnityEngine.MonoBehaviour { public int a; } }"
    assert [field.name for field in serialized_fields(source, "event.Player")] == ["a"]


def _class_notes(*files: tuple[str, str]) -> tuple[str, ...]:
    types = [one for name, text in files for one in declared_types(_HEAD + text, frozenset(), name)]
    player = next(one for one in types if one.name == "Player")
    return FieldReader(Resolver(OneSource(types))).of_script(player).notes


def test_a_reset_of_the_class_or_its_base_is_said() -> None:
    """The Editor runs it for a new object; methods that only look like it say nothing."""
    assert any(
        "Reset()" in note for note in _class_notes(("P.cs", "public class Player : MonoBehaviour { void Reset() { } }"))
    )
    base = "public class Base : MonoBehaviour { protected virtual void Reset() { a = 3; } public int a; }"
    assert any(
        "Reset()" in note for note in _class_notes(("P.cs", base + "public class Player : Base { public int b; }"))
    )
    others = "public class Player : MonoBehaviour { void Reset(int a) { } static void Reset() { } void Resets() { } }"
    assert _class_notes(("P.cs", others)) == ()


def test_fields_of_a_partial_class_in_two_files_are_said_to_have_no_certain_order() -> None:
    """The order of parts is the compiler's; parts without fields do not matter."""
    one = ("A.cs", "public partial class Player : MonoBehaviour { public int a; }")
    (note,) = _class_notes(one, ("B.cs", "public partial class Player { public int b; }"))
    assert "A.cs and B.cs" in note
    assert _class_notes(one, ("B.cs", "public partial class Player { void Update() { } const int c = 1; }")) == ()
