"""What must hold in every prefab and scene, checked with PyYAML and none of the engine's own code."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

_HEADER = re.compile(r"^--- !u!(\d+) &(-?\d+)( stripped)?$", re.MULTILINE)


def documents(content: bytes) -> dict[int, tuple[int, bool, dict[str, Any]]]:
    """Class id, stripped and fields of each document by its id."""
    text = content.decode()
    found = list(_HEADER.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    loaded = {}
    for match, end in zip(found, ends, strict=True):
        body = yaml.load(text[match.end() : end], Loader=yaml.BaseLoader)
        loaded[int(match.group(2))] = (int(match.group(1)), match.group(3) is not None, next(iter(body.values())))
    return loaded


def problems(content: bytes) -> list[str]:
    """Sentences on what is wrong; empty for a sound file."""
    ids = [int(match.group(2)) for match in _HEADER.finditer(content.decode())]
    found = [f"{count} documents &{one}" for one, count in Counter(ids).items() if count > 1]
    there = documents(content)
    for file_id, (class_id, stripped, fields) in there.items():
        found += [f"&{file_id}: nothing is &{ref}" for ref in _local(fields) if ref and ref not in there]
        if stripped:
            continue
        if class_id == 1:
            found += _object(there, file_id, fields)
        elif class_id in (4, 224):
            found += _transform(there, file_id, fields)
        elif class_id not in (29, 104, 157, 196, 1001, 1660057539):
            owner = _id(fields["m_GameObject"])
            if owner in there and not there[owner][1] and file_id not in _component_ids(there[owner][2]):
                found.append(f"&{file_id} is not in m_Component of &{owner}")
    return found + _roots(there) + _order(ids, there)


def _object(there: dict[int, Any], file_id: int, fields: dict[str, Any]) -> list[str]:
    listed = _component_ids(fields)
    found = [
        f"&{file_id} lists &{one}, which is another's"
        for one in listed
        if _id(there[one][2]["m_GameObject"]) != file_id
    ]
    if not listed or there[listed[0]][0] not in (4, 224):
        found.append(f"&{file_id} does not begin with a Transform")
    return found


def _transform(there: dict[int, Any], file_id: int, fields: dict[str, Any]) -> list[str]:
    found = []
    for place, child in enumerate(map(_id, fields["m_Children"] or [])):
        if there[child][1]:
            instance = there[_id(there[child][2]["m_PrefabInstance"])][2]
            father = _id(instance["m_Modification"]["m_TransformParent"])
        else:
            father = _id(there[child][2]["m_Father"])
            if int(there[child][2].get("m_RootOrder", place)) != place:
                found.append(f"&{child} has m_RootOrder {there[child][2]['m_RootOrder']} at place {place}")
        if father != file_id:
            found.append(f"&{file_id} lists &{child}, whose father is &{father}")
    father = _id(fields["m_Father"])
    if father and not there[father][1] and file_id not in map(_id, there[father][2]["m_Children"] or []):
        found.append(f"&{file_id} is not in m_Children of &{father}")
    if father and there[father][1]:
        modification = there[_id(there[father][2]["m_PrefabInstance"])][2]["m_Modification"]
        added = [_id(entry["addedObject"]) for entry in modification.get("m_AddedGameObjects", [])]
        if "m_AddedGameObjects" in modification and file_id not in added:
            found.append(f"&{file_id} is not in m_AddedGameObjects")
    return found


def _roots(there: dict[int, Any]) -> list[str]:
    roots = {
        one
        for one, (class_id, stripped, fields) in there.items()
        if (class_id in (4, 224) and not stripped and not _id(fields["m_Father"]))
        or (class_id == 1001 and not _id(fields["m_Modification"]["m_TransformParent"]))
    }
    lists = [fields for class_id, _, fields in there.values() if class_id == 1660057539]
    if lists:
        listed = [_id(ref) for ref in lists[0]["m_Roots"]]
        return [] if sorted(listed) == sorted(roots) else [f"m_Roots {listed} are not the roots {sorted(roots)}"]
    is_scene = any(class_id == 29 for class_id, _, _ in there.values())
    return [] if is_scene or len(roots) == 1 else [f"{len(roots)} roots in a prefab"]


def _order(ids: list[int], there: dict[int, Any]) -> list[str]:
    if any(class_id == 29 for class_id, _, _ in there.values()):
        return [] if ids == sorted(ids) else ["the documents of the scene are not sorted"]
    objects = [one for one in ids if there[one][0] == 1 and not there[one][1]]
    found = [] if objects == sorted(objects) else ["the objects of the prefab are not sorted"]
    for one in objects:
        listed = _component_ids(there[one][2])
        at = ids.index(one)
        if ids[at + 1 : at + 1 + len(listed)] != listed:
            found.append(f"&{one} is not followed by its components")
    return found


def _component_ids(fields: dict[str, Any]) -> list[int]:
    return [_id(next(iter(entry.values()))) for entry in fields["m_Component"]]


def _id(ref: dict[str, Any]) -> int:
    return int(ref["fileID"])


def _local(value: Any) -> list[int]:
    if isinstance(value, dict):
        if set(value) == {"fileID"}:
            return [_id(value)]
        return [ref for part in value.values() for ref in _local(part)]
    return [ref for part in value for ref in _local(part)] if isinstance(value, list) else []
