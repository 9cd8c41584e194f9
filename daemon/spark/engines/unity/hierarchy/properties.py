"""Setting one property of a document: the name people use becomes the path in the file, the value gets the type of what is
there, and only its bytes change. What ties objects together (`m_Father`, `m_Component` …) is not set here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.classes.bodies import field_names, is_offered, new_body
from spark.engines.unity.classes.enums import enum_names, enum_value
from spark.engines.unity.classes.names import serialized_name
from spark.engines.unity.coerce import Local, coerce
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.hierarchy.ids import MONO_BEHAVIOUR, TRANSFORMS
from spark.engines.unity.json_numbers import quaternion, real
from spark.engines.unity.words import words
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import Named, Step, parse_path, shown
from spark.engines.unity.yaml.values import Pairs, Value, ref_of

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.world import World

_TIES: Final = {
    "m_Father": "editPrefab with op move",
    "m_Children": "editPrefab with op move, add or remove",
    "m_GameObject": "editPrefab with addComponent and removeComponent",
    "m_Component": "editPrefab with addComponent and removeComponent",
    "m_Roots": "editPrefab with op move, add or remove",
    "m_RootOrder": "editPrefab with op move (value: the place among the siblings)",
    "m_Script": "editPrefab with removeComponent and addComponent, or createAsset",
    "m_CorrespondingSourceObject": "editPrefab with op add and prefab",
    "m_PrefabInstance": "editPrefab with op add and prefab",
    "m_PrefabAsset": "editPrefab with op add and prefab",
    "m_PrefabParentObject": "the Editor",
    "m_PrefabInternal": "the Editor",
    "m_SourcePrefab": "editPrefab with op remove and add",
    "m_Modification": "editPrefab with op override and revert",
    "serializedVersion": "the Editor, which upgrades the object",
}
_OTHER_VERSIONS: Final = (
    EditorVersion(6000, 3),
    EditorVersion(2022, 3),
    EditorVersion(2021, 3),
    EditorVersion(2019, 4),
)
_WHOLE: Final = re.compile(r"-?\d{1,20}")
_EVERYTHING: Final = 4294967295
_TEXT_KEYS: Final = words("m_Name m_TagString m_Text m_text")


@dataclass(frozen=True, slots=True)
class Edit:
    """One property that is to be set: where in the document, and to what."""

    steps: tuple[Step, ...]
    value: Value


class Properties:
    """Sets properties of the documents of one file. `local` finds objects of the same file (`Root/Body:BoxCollider`)."""

    def __init__(self, asset: AssetFile, world: World, local: Local | None = None) -> None:
        self.asset = asset
        self.world = world
        self.local = local

    def set(self, document: AssetDocument, name: str, value: Json) -> str:
        """Sets one property by any of its names. Answers its path in the file.

        Raises `invalid_arguments` (a value of another type, a property that ties objects together), `not_found` with near
        names, `broken_reference`.
        """
        edits = self.special(document, name, value)
        for edit in edits:
            self.asset.set(document, edit.steps, edit.value)
        if edits:
            return shown(edits[0].steps)
        steps = self.steps(document, name)
        node = document.find(*steps)
        if node is None:
            return self._absent(document, steps, name, value)
        self.asset.set(document, steps, self.coerced(document, steps, value, node.plain(), name))
        return shown(steps)

    def special(self, document: AssetDocument, name: str, value: Json) -> list[Edit]:
        """The edits behind a name that stands for more than one property or that needs the project's settings."""
        if document.class_id in TRANSFORMS and name in ("rotation", "localEulerAngles", "eulerAngles"):
            return self._rotation(value, name)
        if document.class_name == "GameObject":
            if name in ("layer", "m_Layer"):
                return [Edit(("m_Layer",), self._layer(value, name))]
            if name in ("tag", "m_TagString"):
                return [Edit(("m_TagString",), self._tag(value, name))]
            if name in ("static", "isStatic") and isinstance(value, bool):
                return [Edit(("m_StaticEditorFlags",), _EVERYTHING if value else 0)]
        return []

    def steps(self, document: AssetDocument, name: str) -> tuple[Step, ...]:
        """The path of a property in this document, by its name in the file or in the scripting API."""
        given = parse_path(name)
        refuse_ties(given, document)
        head = given[0]
        if not isinstance(head, str) or document.fields.get(head) is not None or not document.header:
            return given
        if document.class_id == MONO_BEHAVIOUR:
            backing = f"<{head}>k__BackingField"
            return (backing, *given[1:]) if document.fields.get(backing) is not None else given
        if head == "static":
            return ("m_StaticEditorFlags", *given[1:])
        for version in (self.world.version, *_OTHER_VERSIONS):
            path = serialized_name(document.class_name, name, version)
            if path is not None:
                steps = parse_path(path)
                refuse_ties(steps, document)
                if document.fields.get(str(steps[0])) is not None or version == self.world.version:
                    given = steps
                if document.fields.get(str(steps[0])) is not None:
                    return steps
        return given

    def coerced(
        self, document: AssetDocument, steps: tuple[Step, ...], value: Json, present: Value, name: str
    ) -> Value:
        """The value with the type that the property has, by what stands there and by what a new object has there."""
        class_name = document.class_name
        if document.class_id == MONO_BEHAVIOUR:
            made = self._by_class(document, steps, value, present, name)
            if made is not None:
                return made[0]
        flat = ".".join(str(step) for step in steps if isinstance(step, str))
        if (
            isinstance(value, str)
            and isinstance(present, str)
            and _WHOLE.fullmatch(present)
            and not _WHOLE.fullmatch(value)
        ):
            number = enum_value(class_name, flat, value)
            if number is not None:
                return number
            known = enum_names(class_name, flat)
            if known:
                raise invalid_arguments({name: f"a number or one of {', '.join(known)}"})
        like = typed(present, default_of(class_name, steps, self.world.version))
        if steps[-1] in _TEXT_KEYS and not isinstance(value, str):
            raise invalid_arguments({name: "a text"})
        return coerce(value, like, shown(steps), self.world.references, self.local, wanted="")

    def _absent(self, document: AssetDocument, steps: tuple[Step, ...], name: str, value: Json) -> str:
        """A property that is not in the file: an item at the end of a list, or a field that this class has."""
        parent = document.find(*steps[:-1]) if len(steps) > 1 else document.fields
        last = steps[-1]
        if isinstance(last, int) and parent is not None and parent.is_sequence:
            items = parent.items()
            if last != len(items):
                raise invalid_arguments(
                    {name: f"an item from 0 to {len(items)} (the list has {len(items)}; its length: a new one)"}
                )
            there = [item.plain() for item in items]
            known = self._by_class(document, steps, value, None, name) if document.class_id == MONO_BEHAVIOUR else None
            if known is not None:
                self.asset.insert_item(document, steps[:-1], last, known[0])
                return shown(steps)
            whole = coerce([*map(_as_json, there), value], there, shown(steps[:-1]), self.world.references, self.local)
            assert isinstance(whole, Sequence)
            self.asset.insert_item(document, steps[:-1], last, whole[-1])
            return shown(steps)
        if (
            len(steps) == 1
            and isinstance(last, str)
            and is_offered(document.class_name)
            and document.class_id != MONO_BEHAVIOUR
        ):
            default = default_of(document.class_name, steps, self.world.version)
            order = field_names(document.class_name, self.world.version)
            if last in order and default is not None:
                behind = order[order.index(last) + 1 :]
                before = next((key for key in behind if document.fields.get(key) is not None), "")
                self.asset.insert(
                    document, (), last, coerce(value, default, name, self.world.references, self.local), before=before
                )
                return shown(steps)
        if document.class_id == MONO_BEHAVIOUR and isinstance(steps[0], str) and document.fields.get(steps[0]) is None:
            return self._declared(document, steps, name, value)
        raise self._unknown(document, steps, name)

    def _by_class(
        self, document: AssetDocument, steps: tuple[Step, ...], value: Json, present: Value, name: str
    ) -> tuple[Value] | None:
        from spark.engines.unity.hierarchy.script_fields import set_value

        script = ref_of(document.value("m_Script"))
        return set_value(self.world, script, steps, value, present, name, self.local)

    def _declared(self, document: AssetDocument, steps: tuple[Step, ...], name: str, value: Json) -> str:
        """A serialized field that the script declares and this object does not have yet."""
        from spark.engines.unity.hierarchy.script_fields import declared_fields

        declared = declared_fields(self.world, ref_of(document.value("m_Script")))
        head = str(steps[0])
        names = list(declared)
        wanted = head if head in declared else f"<{head}>k__BackingField"
        if wanted not in declared:
            raise self._unknown(document, steps, name, names)
        before = next((key for key in names[names.index(wanted) + 1 :] if document.fields.get(key) is not None), "")
        rest: tuple[Step, ...] = (wanted, *steps[1:])
        if len(rest) == 1:
            made = self.coerced(document, rest, value, declared[wanted], name)
            self.asset.insert(document, (), wanted, made, before=before)
            return shown(rest)
        if declared[wanted] is None:
            raise invalid_arguments(
                {name: f"{wanted} as a whole: it is not in the file, and only the code knows its value"}
            )
        self.asset.insert(document, (), wanted, declared[wanted], before=before)
        node = document.find(*rest)
        if node is None:
            return self._absent(document, rest, name, value)
        self.asset.set(document, rest, self.coerced(document, rest, value, node.plain(), name))
        return shown(rest)

    def _unknown(
        self, document: AssetDocument, steps: tuple[Step, ...], name: str, more: Sequence[str] = ()
    ) -> ToolRejected:
        at = document.fields
        depth = 0
        while depth < len(steps) and (below := document.find(*steps[: depth + 1])) is not None:
            at, depth = below, depth + 1
        there = [key.text for key, _ in at.entries()] if at.is_mapping else []
        names = [key for key in [*there, *more] if key not in _TIES]
        near = difflib.get_close_matches(str(steps[min(depth, len(steps) - 1)]), names, n=3, cutoff=0.5)
        listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
        return ToolRejected(
            "not_found",
            f"{name}: {self.asset.name}: {document.class_name} &{document.file_id} has no {shown(steps[: depth + 1])}",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "") + f"There is: {listed or 'nothing to set'}",
            details={"path": self.asset.name, "fileId": str(document.file_id), "property": shown(steps), "near": near},
        )

    def _rotation(self, value: Json, name: str) -> list[Edit]:
        accepted = "three angles in degrees: [x, y, z]"
        if isinstance(value, Mapping) and set(value) == {"x", "y", "z"}:
            value = [value["x"], value["y"], value["z"]]
        if not isinstance(value, list) or len(value) != 3:
            raise invalid_arguments({name: f"{accepted}; a quaternion is set as m_LocalRotation"})
        angles = [real(part, name) for part in value]
        x, y, z, w = quaternion(angles)
        return [
            Edit(("m_LocalRotation",), {"x": x, "y": y, "z": z, "w": w}),
            Edit(("m_LocalEulerAnglesHint",), dict(zip("xyz", angles, strict=True))),
        ]

    def _layer(self, value: Json, name: str) -> int:
        layers = self.world.references.layers()
        if isinstance(value, str) and value in layers:
            return layers[value]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 31:
            return value
        raise invalid_arguments({name: f"a layer's number or one of {', '.join(layers)}"})

    def _tag(self, value: Json, name: str) -> str:
        tags = self.world.tags
        if isinstance(value, str) and value in tags:
            return value
        raise invalid_arguments(
            {name: f"one of {', '.join(tags)} (new tags are made in ProjectSettings/TagManager.asset)"}
        )


def refuse_ties(steps: tuple[Step, ...], document: AssetDocument) -> None:
    """Raises `invalid_arguments` for a property that ties objects together: one side of it alone breaks the file."""
    head = str(steps[0])
    if head == "m_GameObject" and document.class_id == MONO_BEHAVIOUR and len(steps) > 1:
        return
    if head in _TIES and document.header:
        raise invalid_arguments({"property": f"another property: {head} is changed by {_TIES[head]}"})


def default_of(class_name: str, steps: Sequence[Step], version: EditorVersion) -> Value:
    """What a new object of a native class has at a path; None where that is not known."""
    if not is_offered(class_name):
        return None
    at: Value = new_body(class_name, version)
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


def _as_json(value: Value) -> Json:
    """A value that was read as it would come from outside."""
    ref = ref_of(value)
    if ref is not None:
        return {"fileID": str(ref.file_id), **({"guid": ref.guid, "type": ref.type} if ref.guid else {})}
    if isinstance(value, Pairs):
        return {key: _as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_json(part) for part in value]
    return value
