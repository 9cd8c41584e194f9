"""`m_Modifications` of an instance: what it has otherwise than its prefab.

An entry that is there is changed in place. A new one goes where it keeps Unity's order (by target, then by length and name
of the property) when the list has that order, else to the end; nothing is ever sorted.
"""

from __future__ import annotations

from spark.engines.unity.hierarchy import quick
from spark.engines.unity.hierarchy.objects import Instance
from spark.engines.unity.hierarchy.parts import modifications_in
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.values import Ref, Value

_LIST = ("m_Modification", "m_Modifications")


def new_entry(target: Ref, path: str, value: Value, reference: Ref) -> dict[str, Value]:
    """One entry as Unity writes it; of a reference `value` is empty."""
    return {
        "target": target,
        "propertyPath": path,
        "value": "" if reference.file_id else value,
        "objectReference": reference,
    }


def sort_key(target: int, path: str) -> tuple[int, int, str]:
    return target, len(path), path


def put(session: Session, instance: Instance, target: Ref, path: str, value: Value, reference: Ref) -> None:
    """Overrides one property: changes the entry that is there, or adds one."""
    known = instance.modifications.get((target.file_id, path))
    if known is not None:
        at = (*_LIST, known.at)
        session.asset.set(instance.document, (*at, "value"), "" if reference.file_id else value)
        session.asset.set(instance.document, (*at, "objectReference"), reference)
    else:
        place = _place(instance, target, path)
        session.asset.insert_item(instance.document, _LIST, place, new_entry(target, path, value, reference))
    _read_again(instance)


def take_out(session: Session, instance: Instance, target_id: int, path: str) -> list[str]:
    """Removes the overrides of a property and of what is inside it (`m_LocalPosition` is x, y and z); all of the target's
    with an empty path. Answers the paths that were removed."""
    inner = (path + ".", path + "[")
    found = [
        known
        for (at, name), known in instance.modifications.items()
        if at == target_id and (not path or name == path or name.startswith(inner))
    ]
    for known in sorted(found, key=lambda m: m.at, reverse=True):
        session.asset.remove(instance.document, (*_LIST, known.at))
    _read_again(instance)
    return [known.path for known in sorted(found, key=lambda m: m.at)]


def _place(instance: Instance, target: Ref, path: str) -> int:
    entries = sorted(instance.modifications.values(), key=lambda m: m.at)
    keys = [sort_key(m.target.file_id, m.path) for m in entries]
    count = _count(instance)
    if count != len(entries) or keys != sorted(keys) or any(m.target.guid != target.guid for m in entries):
        return count
    wanted = sort_key(target.file_id, path)
    return next((m.at for m, key in zip(entries, keys, strict=True) if key > wanted), count)


def _count(instance: Instance) -> int:
    node = instance.document.find(*_LIST)
    return len(node.items()) if node is not None else 0


def _read_again(instance: Instance) -> None:
    known = quick.instance(instance.document.body)
    entries = known[2] if known is not None else modifications_in(instance.document.value(*_LIST))
    instance.modifications.clear()
    for entry in entries:
        instance.modifications.setdefault((entry.target.file_id, entry.path), entry)
