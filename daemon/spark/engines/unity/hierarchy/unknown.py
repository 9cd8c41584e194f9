"""What to say of a property that is not there: near names, names of before, and where it is instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from spark.core.errors import ToolRejected
from spark.engines.unity.hierarchy.ids import GAME_OBJECT, MONO_BEHAVIOUR
from spark.engines.unity.words import words
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import Step, shown
from spark.engines.unity.yaml.tree import Node
from spark.engines.unity.yaml.values import ref_of

_OF_OBJECT: Final = words("name tag layer active activeSelf isStatic static")
_INTERNAL: Final = words("m_ObjectHideFlags m_EditorHideFlags m_EditorClassIdentifier m_NavMeshLayer serializedVersion")
_SHOWN: Final = 40


def unknown(
    asset: AssetFile,
    document: AssetDocument,
    steps: tuple[Step, ...],
    name: str,
    *,
    ties: Iterable[str],
    declared: Sequence[str] = (),
    former: Mapping[str, str] | None = None,
    class_name: str = "",
) -> ToolRejected:
    """The refusal (`not_found`). `declared`: fields that a script has besides those in the file; `former`: what they were
    called before; `class_name`: a script's own."""
    at: Node = document.fields
    depth = 0
    while depth < len(steps) and (below := document.find(*steps[: depth + 1])) is not None:
        at, depth = below, depth + 1
    wanted = str(steps[min(depth, len(steps) - 1)])
    there = [key.text for key, _ in at.entries()]
    hidden = {*ties, *_INTERNAL, *(("m_Name",) if is_part(document) else ())}
    names = list(dict.fromkeys(key for key in (*there, *(declared if depth == 0 else ())) if key not in hidden))
    near = _near(wanted, names)
    what = f"{class_name or document.class_name} &{document.file_id}"
    if depth == 0 and former is not None and wanted in former:
        hint = f"{wanted} was renamed: it is {former[wanted]} now ([FormerlySerializedAs])."
        near = [former[wanted]]
    elif depth == 0 and is_part(document) and wanted in _OF_OBJECT:
        hint = f"{wanted} belongs to the GameObject: set it without component, or with component GameObject."
    elif depth and not at.is_mapping:
        hint = f"Set {shown(steps[:depth])} as a whole: {_as_a_whole(at)}"
    else:
        listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        hint = (f"Did you mean {' or '.join(near)}? " if near else "") + f"There is: {listed or 'nothing to set'}"
    return ToolRejected(
        "not_found",
        f"{name}: {asset.name}: {what} has no {shown(steps[: depth + 1])}",
        hint=hint,
        details={"path": asset.name, "fileId": str(document.file_id), "property": shown(steps), "near": near},
    )


def is_part(document: AssetDocument) -> bool:
    """Whether a document is a component of an object: a script's may be an asset by itself."""
    if document.class_id == GAME_OBJECT or not document.header:
        return False
    owner = ref_of(document.value("m_GameObject"))
    return owner is not None and (document.class_id != MONO_BEHAVIOUR or owner.file_id != 0)


def _as_a_whole(at: Node) -> str:
    """Lists of numbers are one word in a file, and an empty one does not show what its items are."""
    return "a list such as [1, 2]; its items have no places of their own in the file" if at.is_scalar else "a list"


def _near(wanted: str, names: Sequence[str]) -> list[str]:
    found = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    plain = wanted.removeprefix("m_").casefold()
    found += [name for name in names if len(plain) > 2 and plain in name.casefold()]
    return list(dict.fromkeys(found))[:3]
