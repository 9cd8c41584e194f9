"""Components that are scripts: a new one by its class, and setting a field with the type that the C# class gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark.core.assets import Json
from spark.engines.unity.coerce import Local
from spark.engines.unity.scriptable import behaviour_fields, behaviour_head, field_value, script_ref
from spark.engines.unity.yaml.paths import Step
from spark.engines.unity.yaml.values import Ref, Value

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.world import World


def simple(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the engine's classes without their namespace; those of scripts as they are."""
    return tuple(name.removeprefix("UnityEngine.") for name in names)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A new component of a script's class. `needs`: what `[RequireComponent]` names."""

    script: Ref
    body: dict[str, Value]
    needs: tuple[str, ...]
    only_one: bool
    notes: tuple[str, ...]


def new_behaviour(world: World, class_name: str, field: str) -> Behaviour:
    """A MonoBehaviour with all serialized fields of its class at the values of the code.

    Raises what `Scripts.find` raises: `not_found`, `ambiguous_match`, `invalid_arguments`, `broken_reference`.
    """
    script = world.scripts.find(class_name, need="MonoBehaviour", where=field)
    fields, notes = behaviour_fields(world.scripts, script, {}, world.references)
    body = behaviour_head(script, game_object=Ref()) | fields
    return Behaviour(
        script_ref(script),
        body,
        simple(script.requires),
        script.only_one,
        tuple(f"{script.name}: {note}" for note in notes),
    )


def declared_fields(world: World, script: Ref | None) -> dict[str, Value]:
    """The fields of a script's class in their order, with the values of a new object (None where only the code knows it);
    empty where the class cannot be read."""
    known = world.script(script)
    if known is None:
        return {}
    return {one.name: None if one.uncertain else one.default for one in known.fields}


def former_names(world: World, script: Ref | None) -> dict[str, str]:
    """What the fields of a script's class were called before, and what they are called now."""
    known = world.script(script)
    return world.scripts.former_names(known) if known is not None else {}


def set_value(
    world: World,
    script: Ref | None,
    steps: tuple[Step, ...],
    value: Json,
    present: Value,
    where: str,
    local: Local | None,
) -> tuple[Value] | None:
    """The value with the type that the class gives the field, in a tuple; None where the class does not say."""
    known = world.script(script)
    if known is None:
        return None
    plain: list[str | int] = list(steps)
    made = field_value(world.scripts, known, plain, value, world.references, local, present=present, where=where)
    return None if made is None else (made[1],)
