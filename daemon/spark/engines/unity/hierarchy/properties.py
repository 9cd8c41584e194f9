"""Setting one property of a document: the name people use becomes the path in the file, the value gets the type of what is
there, and only its bytes change. What ties objects together (`m_Father`, `m_Component` …) is not set here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.classes.bodies import field_names, is_offered
from spark.engines.unity.classes.composed import Present, composed
from spark.engines.unity.classes.enums import named_number
from spark.engines.unity.classes.names import serialized_name
from spark.engines.unity.classes.settings import item_of
from spark.engines.unity.coerce import Local, coerce
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.hierarchy.defaults import as_json, default_of, typed
from spark.engines.unity.hierarchy.ids import MONO_BEHAVIOUR, TRANSFORMS
from spark.engines.unity.hierarchy.ties import TIES, refuse_ties
from spark.engines.unity.hierarchy.unknown import is_part, unknown
from spark.engines.unity.json_numbers import quaternion, real
from spark.engines.unity.references.kinds import wanted_reference
from spark.engines.unity.words import words
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import Named, Step, parse_path, shown
from spark.engines.unity.yaml.values import Value, ref_of

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.world import World

_OTHER_VERSIONS: Final = (
    EditorVersion(6000, 3),
    EditorVersion(2022, 3),
    EditorVersion(2021, 3),
    EditorVersion(2019, 4),
)
_WHOLE: Final = re.compile(r"-?\d{1,20}")
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
        made = self.coerced(document, steps, value, node.plain(), name)
        self.asset.set(document, steps, made)
        for edit in self.following(document, steps, made):
            if document.find(*edit.steps) is not None:
                self.asset.set(document, edit.steps, edit.value)
        return shown(steps)

    def following(self, document: AssetDocument, steps: tuple[Step, ...], value: Value) -> list[Edit]:
        """What the engine itself sets along with a property."""
        ref = ref_of(value)
        if document.class_name == "SpriteRenderer" and steps == ("m_Sprite",) and ref is not None and ref.file_id:
            return [Edit(("m_WasSpriteAssigned",), 1)]
        return []

    def special(self, document: AssetDocument, name: str, value: Json, present: Present | None = None) -> list[Edit]:
        """The edits behind a name that stands for more than one property or that needs the project's settings. `present`:
        what stands at a path, where that is not what the document says."""
        if document.class_id in TRANSFORMS and name in ("rotation", "localEulerAngles", "eulerAngles"):
            return self._rotation(value, name)
        if document.class_name == "GameObject":
            if name in ("layer", "m_Layer"):
                return [Edit(("m_Layer",), self._layer(value, name))]
            if name in ("tag", "m_TagString"):
                return [Edit(("m_TagString",), self._tag(value, name))]
        there = present or (lambda path: document.value(*parse_path(path)))
        made = composed(document.class_name, name, value, there, self.world.version)
        if made is None or document.find(*parse_path(made.settings[0][0])) is None:
            return []
        if made.note:
            self.world.references.note(made.note)
        edits = []
        for path, part in made.settings:
            steps = parse_path(path)
            node = document.find(*steps)
            if node is not None:
                edits.append(Edit(steps, self.coerced(document, steps, part, node.plain(), name)))
        return edits

    def steps(self, document: AssetDocument, name: str) -> tuple[Step, ...]:
        """The path of a property in this document, by its name in the file or in the scripting API."""
        given = parse_path(name)
        refuse_ties(given, document)
        head = given[0]
        if not isinstance(head, str) or document.fields.get(head) is not None or not document.header:
            return given
        if document.class_id == MONO_BEHAVIOUR:
            if head == "name" and is_part(document):
                # A component's own name is its object's.
                return given
            for other in (f"<{head}>k__BackingField", f"m_{head[:1].upper()}{head[1:]}"):
                if document.fields.get(other) is not None:
                    refuse_ties((other,), document)
                    return (other, *given[1:])
            return given
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
        if isinstance(present, str) and _WHOLE.fullmatch(present):
            number = named_number(class_name, flat, value, name)
            if number is not None:
                return number
        like = typed(present, default_of(class_name, steps, self.world.version))
        if steps[-1] in _TEXT_KEYS and not isinstance(value, str):
            raise invalid_arguments({name: "a text"})
        return self._coerce(document, steps, value, like)

    def _coerce(self, document: AssetDocument, steps: tuple[Step, ...], value: Json, like: Value) -> Value:
        class_name, keys = document.class_name, [step for step in steps if not isinstance(step, Named)]
        wanted = wanted_reference(class_name, [key for key in keys if isinstance(key, str)])
        item = item_of(class_name, keys)
        return coerce(value, like, shown(steps), self.world.references, self.local, wanted=wanted, item=item)

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
            whole = self._coerce(document, steps[:-1], [*map(as_json, there), value], there)
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
                self.asset.insert(document, (), last, self._coerce(document, steps, value, default), before=before)
                return shown(steps)
        if document.class_id == MONO_BEHAVIOUR and isinstance(steps[0], str) and document.fields.get(steps[0]) is None:
            return self._declared(document, steps, name, value)
        raise self.missing(document, steps, name)

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
            raise self.missing(document, steps, name)
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

    def missing(self, document: AssetDocument, steps: tuple[Step, ...], name: str) -> ToolRejected:
        """The refusal of a property that a document does not have."""
        if document.class_id != MONO_BEHAVIOUR:
            return unknown(self.asset, document, steps, name, ties=TIES)
        from spark.engines.unity.hierarchy.script_fields import declared_fields, former_names

        script = ref_of(document.value("m_Script"))
        return unknown(
            self.asset,
            document,
            steps,
            name,
            ties=TIES,
            declared=list(declared_fields(self.world, script)),
            former=former_names(self.world, script),
            class_name=self.world.script_name(script),
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
