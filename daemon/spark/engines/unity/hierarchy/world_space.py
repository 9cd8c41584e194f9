"""What is said when somebody sets a place in the world by a name of Unity's API: a file holds local values only."""

from __future__ import annotations

from spark.engines.unity.hierarchy.inside import effective
from spark.engines.unity.hierarchy.objects import GameObject, lineage
from spark.engines.unity.hierarchy.session import Session

_NAMES = ("position", "rotation", "eulerAngles")
_AT_REST = {"m_LocalPosition": "xyz", "m_LocalRotation": "xyz", "m_LocalScale": "xyz"}


def note(session: Session, at: GameObject, name: str) -> None:
    """Notes that a value was taken as a local one, where that is another place than the world's."""
    head = name.partition(".")[0]
    if head not in _NAMES or at.parent is None:
        return
    moved = next((above for above in lineage(at.parent) if not _at_rest(session, above)), None)
    if moved is not None:
        session.note(
            f"{head} of {session.path_of(at)} was set as its local value: {session.path_of(moved)} above it is moved, turned or "
            "scaled, so in the world it is another"
        )


def _at_rest(session: Session, at: GameObject) -> bool:
    """Whether an object is at the origin of its parent, neither turned nor scaled; what cannot be looked into is not."""
    transform = next((c for c in session.hierarchy.components(at) if c.is_transform), None)
    if transform is None:
        return True
    for key, parts in _AT_REST.items():
        wanted = 1.0 if key == "m_LocalScale" else 0.0
        for part in parts:
            value = effective(transform, f"{key}.{part}")
            try:
                if not isinstance(value, str) or float(value) != wanted:
                    return False
            except ValueError:
                return False
    return True
