"""Assets of ScriptableObject classes, and the serialized fields of a component made from properties by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from spark.core.assets import AssetBytes, Json
from spark.core.errors import invalid_arguments
from spark.core.paths import ProjectPath
from spark.engines.unity.coerce import Local, References
from spark.engines.unity.csharp.serialized_set import FieldSetter, by_name
from spark.engines.unity.scripts import ScriptClass, Scripts
from spark.engines.unity.yaml.values import Ref, Value
from spark.engines.unity.yaml.write import document_bytes, file_bytes

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.world import World

MONO_BEHAVIOUR: Final = 114
MAIN_ID: Final = 11400000
SCRIPT_ID: Final = 11500000


def script_ref(script: ScriptClass) -> Ref:
    return Ref(SCRIPT_ID, script.guid, 3)


def new_scriptable(
    path: ProjectPath,
    class_name: str,
    properties: Mapping[str, Json],
    world: World,
) -> AssetBytes:
    """A `.asset` of a ScriptableObject class with its serialized fields; `properties` by their names in C#.

    The result says which script was taken and what was left out. `m_EditorClassIdentifier` stays empty: editors before
    6000.1 always write it so, later ones fill it in for some objects and read both. Raises what `Scripts.find` and the values
    raise, `invalid_arguments` for another extension.
    """
    if path.suffix != ".asset":
        raise invalid_arguments({"path": "a path that ends in .asset"})
    script = world.scripts.find(class_name, need="ScriptableObject")
    fields, notes = behaviour_fields(world.scripts, script, properties, world.references)
    body = behaviour_head(script, game_object=Ref(), name=path.stem) | fields
    content = file_bytes([document_bytes(MONO_BEHAVIOUR, MAIN_ID, "MonoBehaviour", body, world.mode)], world.mode)
    notes = (*notes, *world.references.notes)
    result = {"script": script.path.text, "class": script.full_name, "fileId": str(MAIN_ID)}
    return AssetBytes(content, result | ({"notes": list(notes)} if notes else {}))


def behaviour_head(script: ScriptClass, *, game_object: Ref, name: str = "") -> dict[str, Value]:
    """The fields of a MonoBehaviour document before the script's own: of a component (`game_object`) or of an asset."""
    return {
        "m_ObjectHideFlags": 0,
        "m_CorrespondingSourceObject": Ref(),
        "m_PrefabInstance": Ref(),
        "m_PrefabAsset": Ref(),
        "m_GameObject": game_object,
        "m_Enabled": 1,
        "m_EditorHideFlags": 0,
        "m_Script": script_ref(script),
        "m_Name": name,
        "m_EditorClassIdentifier": "",
    }


def behaviour_fields(
    scripts: Scripts,
    script: ScriptClass,
    properties: Mapping[str, Json],
    references: References,
    local: Local | None = None,
    *,
    where: str = "properties",
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The serialized fields of a new object of a script, by their names in the file and in order: given ones as asked for,
    others as the code has them. What is not known is left out (Unity gives it what the code says when it loads the object)
    and named in the notes. Raises `invalid_arguments` for unknown fields and values that do not fit, and what references raise.
    """
    setter = FieldSetter(scripts.reader, references, local)
    found = by_name(script.fields, dict(properties), where)
    made: dict[str, Value] = {}
    notes = list(script.notes)
    for field in script.fields:
        if field.name in found:
            key = found[field.name]
            made[field.name] = setter.field(field, properties[key], f"{where}.{key}")
        elif field.uncertain:
            notes.append(f"{field.member} is left out, its value comes from the code: {field.uncertain}")
        else:
            made[field.name] = field.default
            notes += field.notes
    return made, tuple(notes)


def field_value(
    scripts: Scripts,
    script: ScriptClass,
    steps: Sequence[str | int],
    value: Json,
    references: References,
    local: Local | None = None,
    *,
    present: Value = None,
    where: str = "value",
) -> tuple[str, Value] | None:
    """A value for one place of a script's document: the field's name in the file, and the plain value for the place that
    `steps` name (`("stats", "hp")`, `("points", 2)`). `present`: what stands there, for parts that are not given.

    None where the first step is no field of the script. Raises `invalid_arguments` and what references raise.
    """
    head = str(steps[0])
    field = next((one for one in script.fields if head in (one.name, one.member)), None)
    if field is None:
        return None
    setter = FieldSetter(scripts.reader, references, local)
    return field.name, setter.at(field, steps[1:], value, where, present)
