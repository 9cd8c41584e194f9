"""What a new object has at a property, and by it the types that the bare words of a file do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from spark.core.assets import Json
from spark.engines.unity.classes.bodies import is_offered, new_body
from spark.engines.unity.classes.settings import type_of
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.paths import Named, Step
from spark.engines.unity.yaml.values import Pairs, Value, ref_of


@lru_cache(maxsize=128)
def _defaults(class_name: str, version: EditorVersion) -> Mapping[str, Value]:
    """Never changed by anybody."""
    return new_body(class_name, version)


def default_of(class_name: str, steps: Sequence[Step], version: EditorVersion) -> Value:
    """What a new object of a native class has at a path; None where that is not known."""
    if not is_offered(class_name):
        return type_of(class_name, steps)
    at: Value = _defaults(class_name, version)
    for step in steps:
        if isinstance(step, int):
            at = at[0] if isinstance(at, list) and at else None
        elif isinstance(at, Mapping) and not isinstance(step, Named):
            at = at.get(step)
        else:
            return None
    return at


def typed(present: Value, default: Value) -> Value:
    """The present value, scalars in it with the type that the class gives them (a flag, a whole number, a float)."""
    if isinstance(present, str):
        try:
            if isinstance(default, bool) and present in ("0", "1"):
                return present == "1"
            if isinstance(default, int) and not isinstance(default, bool):
                return int(present)
            if isinstance(default, float):
                return float(present.replace("Infinity", "inf"))
        except ValueError:
            return present
        return present
    if isinstance(present, Pairs) and isinstance(default, Mapping) and ref_of(present) is None:
        pairs = [(key, typed(value, default.get(key))) for key, value in present.items()]
        return Pairs(pairs, inline=present.inline)
    return present


def as_json(value: Value) -> Json:
    """A value that was read as it would come from outside."""
    ref = ref_of(value)
    if ref is not None:
        return {"fileID": str(ref.file_id), **({"guid": ref.guid, "type": ref.type} if ref.guid else {})}
    if isinstance(value, Pairs):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return value
