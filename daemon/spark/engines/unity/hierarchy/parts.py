"""What the documents of a hierarchy say, as plain values: lists of ids, entries of instances, one document at a time."""

from __future__ import annotations

from collections.abc import Iterator

from spark.engines.unity.hierarchy.objects import Instance, Modification
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of


def stripped_ids(document: AssetDocument) -> tuple[int, int]:
    """The instance that a stripped document belongs to, and what it stands for there."""
    instance = ref_of(document.value("m_PrefabInstance")) or ref_of(document.value("m_PrefabInternal"))
    origin = ref_of(document.value("m_CorrespondingSourceObject")) or ref_of(document.value("m_PrefabParentObject"))
    return (instance.file_id if instance is not None else 0), (origin.file_id if origin is not None else 0)


def read_modification(instance: Instance, modification: Pairs) -> None:
    parent = ref_of(modification.get("m_TransformParent"))
    instance.parent_transform = parent.file_id if parent is not None else 0
    for entry in modifications_in(modification.get("m_Modifications")):
        instance.modifications.setdefault((entry.target.file_id, entry.path), entry)
    for key in ("m_RemovedComponents", "m_RemovedGameObjects"):
        instance.removed.update(refs_in(modification.get(key)))


def modifications_in(entries: Value) -> Iterator[Modification]:
    """The entries of `m_Modifications`, those that are no entries left out."""
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Pairs):
            continue
        target, path, value = ref_of(entry.get("target")), entry.get("propertyPath"), entry.get("value")
        if target is not None and isinstance(path, str):
            reference = ref_of(entry.get("objectReference")) or Ref()
            yield Modification(at, target, path, value if isinstance(value, str) else "", reference)


def fields_of(document: AssetDocument) -> Pairs:
    """All fields of a document as plain values. Raises `YamlError`."""
    plain = document.fields.plain()
    return plain if isinstance(plain, Pairs) else Pairs()


def refs_in(value: Value) -> list[int]:
    """The file ids of a list of references."""
    if not isinstance(value, list):
        return []
    return [ref.file_id for ref in map(ref_of, value) if ref is not None]


def component_ids(document: AssetDocument) -> list[int]:
    """The ids in `m_Component`, in both of its forms (`component: {…}`, `4: {…}`)."""
    found = []
    entries = document.value("m_Component")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Pairs):
            ref = next((ref_of(value) for _, value in entry.items()), None)
            if ref is not None:
                found.append(ref.file_id)
    return found
