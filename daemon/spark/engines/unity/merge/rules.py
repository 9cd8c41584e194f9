"""Which lists of Unity's are sets whose items have an identity, which are read by place, and which vectors are three numbers.

Everything that is not named here is merged as a sequence: an item has no identity but its place among the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spark.engines.unity.yaml.tree import FLOW_MAP, MAP, Node

Key = tuple[str, ...]
_REFERENCE: Final = re.compile(rb"\{fileID: (-?\d+)(?:,\s+guid: ([0-9a-f]+),\s+type: \d+)?\}")


@dataclass(frozen=True, slots=True)
class ListRule:
    """`key`: an item's identity, None where the item is not of the expected form. `ordered`: the order means something to
    people, so two different orders are a conflict. `atomic`: an item is one value, its fields are not merged apart. `local`:
    the last part of the identity is the file id of an object of the same file."""

    key: Callable[[Node], Key | None]
    ordered: bool = False
    atomic: bool = False
    local: bool = False


def _reference(node: Node) -> Key | None:
    """`{fileID: 1}`, `{fileID: 1, guid: …, type: 3}`, and the same behind one key (`component: {fileID: 1}`)."""
    if node.kind == MAP:
        entries = list(node.entries())
        if len(entries) != 1:
            return None
        node = entries[0][1]
    if node.kind != FLOW_MAP:
        return None
    match = _REFERENCE.fullmatch(node.raw)
    if match is not None:
        return (match[1].decode(),) if match[2] is None else (match[1].decode(), match[2].decode())
    file_id, guid = node.get("fileID"), node.get("guid")
    if file_id is None:
        return None
    return (file_id.text, guid.text) if guid is not None else (file_id.text,)


def _field(*names: str) -> Callable[[Node], Key | None]:
    def key(node: Node) -> Key | None:
        found: list[str] = []
        for name in names:
            value = node.get(name)
            if value is None:
                return None
            if value.is_scalar:
                found.append(value.text)
            else:
                reference = _reference(value)
                if reference is None:
                    return None
                found += reference
        return tuple(found)

    return key


def _name(node: Node) -> Key | None:
    """A material's `- _MainTex: …`; before 2017 `- first: {name: _MainTex}` with its `second`."""
    if node.kind != MAP:
        return None
    entries = list(node.entries())
    if len(entries) == 1:
        return (entries[0][0].text,)
    first = node.get("first")
    name = None if first is None else first.get("name")
    return None if name is None else (name.text,)


def _text(node: Node) -> Key | None:
    return (node.text,) if node.is_scalar else None


_OBJECTS: Final = ListRule(_reference, ordered=True, atomic=True, local=True)
_SET: Final = ListRule(_reference, atomic=True)
_TEXTS: Final = ListRule(_text, atomic=True)
_ADDED: Final = ListRule(_field("targetCorrespondingSourceObject", "addedObject"), local=True)
_NAMED: Final = ListRule(_name)

_LISTS: Final[dict[tuple[str, ...], ListRule]] = {
    ("GameObject", "m_Component"): _OBJECTS,
    ("Transform", "m_Children"): _OBJECTS,
    ("RectTransform", "m_Children"): _OBJECTS,
    ("SceneRoots", "m_Roots"): _OBJECTS,
    **{
        (instance, "m_Modification", name): rule
        for instance in ("PrefabInstance", "Prefab")
        for name, rule in (
            ("m_Modifications", ListRule(_field("target", "propertyPath"), atomic=True)),
            ("m_RemovedComponents", _SET),
            ("m_RemovedGameObjects", _SET),
            ("m_AddedGameObjects", _ADDED),
            ("m_AddedComponents", _ADDED),
        )
    },
    **{("Material", "m_SavedProperties", name): _NAMED for name in ("m_TexEnvs", "m_Ints", "m_Floats", "m_Colors")},
    ("Material", "m_ValidKeywords"): _TEXTS,
    ("Material", "m_InvalidKeywords"): _TEXTS,
    ("Material", "disabledShaderPasses"): _TEXTS,
    ("MonoBehaviour", "references", "RefIds"): ListRule(_field("rid")),
    ("TagManager", "tags"): _TEXTS,
    ("TagManager", "m_SortingLayers"): ListRule(_field("uniqueID"), ordered=True),
    ("AnimatorController", "m_AnimatorParameters"): ListRule(_field("m_Name")),
    ("AnimatorStateMachine", "m_ChildStates"): ListRule(_field("m_State"), local=True),
    ("AnimatorStateMachine", "m_ChildStateMachines"): ListRule(_field("m_StateMachine"), local=True),
    ("TextureImporter", "platformSettings"): ListRule(_field("buildTarget")),
    ("labels",): _TEXTS,
}
_TRANSFORMS: Final = frozenset({"Transform", "RectTransform"})
_BY_COMPONENT: Final = frozenset(
    {
        "m_LocalPosition",
        "m_LocalScale",
        "m_AnchorMin",
        "m_AnchorMax",
        "m_AnchoredPosition",
        "m_SizeDelta",
        "m_Pivot",
    }
)


def list_rule(path: tuple[str, ...]) -> ListRule | None:
    """`path`: the class name and the keys below it; of a `.meta` its keys."""
    return _LISTS.get(path)


def is_by_place(path: tuple[str, ...]) -> bool:
    """Whether item n of a list means place n (the layers, a renderer's materials)."""
    return path == ("TagManager", "layers") or (path[1:] == ("m_Materials",) and path[0] != "MonoBehaviour")


def is_by_component(path: tuple[str, ...]) -> bool:
    """Whether x, y and z are values of their own. A rotation's are not (two halves make no rotation), nor a colour's, and of
    a script's vectors nobody knows."""
    return len(path) == 2 and path[0] in _TRANSFORMS and path[1] in _BY_COMPONENT


def one_value_group(key: Key) -> Key | None:
    """Overrides that are one value together: the four numbers of a rotation of one target."""
    path, dot, _ = key[-1].rpartition(".")
    return (*key[:-1], path) if dot and path.endswith("m_LocalRotation") else None
