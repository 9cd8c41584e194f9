"""What a hierarchy is made of: objects, components and prefab instances, as they were read from one file.

Plain data with the links between them; how they are found and changed is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spark.engines.unity.hierarchy.ids import TRANSFORMS
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.values import Ref

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.siblings import Siblings
    from spark.engines.unity.hierarchy.sources import Source


@dataclass(slots=True, eq=False)
class Component:
    """One component. `document` is its own one in this file, None where it exists only through an instance.

    `source_id` is its id in the instance's prefab, `origin` the component there, where that prefab could be read.
    """

    owner: GameObject
    class_id: int
    class_name: str
    file_id: int | None = None
    document: AssetDocument | None = None
    script: Ref | None = None
    source_id: int | None = None
    origin: Component | None = None

    @property
    def is_transform(self) -> bool:
        return self.class_id in TRANSFORMS


@dataclass(slots=True, eq=False)
class GameObject:
    """One object. Inside an instance it has `instance`, its id in the prefab (`source_id`) and, where the prefab could be
    read, the object there (`origin`); `file_id` is then None in a scene that has no document for it."""

    name: str
    file_id: int | None = None
    transform_id: int | None = None
    document: AssetDocument | None = None
    parent: GameObject | None = None
    instance: Instance | None = None
    source_id: int | None = None
    source_transform_id: int | None = None
    origin: GameObject | None = None
    listed: list[int] = field(default_factory=list)
    """Ids of `m_Children` as they stand in the file."""
    below: Siblings | None = None
    """Its children, once `Hierarchy` was asked for them."""

    @property
    def is_instance_root(self) -> bool:
        return self.instance is not None and self.instance.root is self


@dataclass(frozen=True, slots=True)
class Modification:
    """One entry of `m_Modifications`; `at` is its place in the list."""

    at: int
    target: Ref
    path: str
    value: str
    reference: Ref


@dataclass(slots=True, eq=False)
class Instance:
    """A prefab instance. `stripped` holds its documents in this file by the id that they have in the prefab."""

    file_id: int
    document: AssetDocument
    source_ref: Ref
    parent_transform: int
    source: Source
    stripped: dict[int, AssetDocument] = field(default_factory=dict)
    modifications: dict[tuple[int, str], Modification] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    nodes: dict[int, GameObject] = field(default_factory=dict)
    root: GameObject | None = None


def lineage(at: GameObject) -> Iterator[GameObject]:
    """An object and its parents, nearest first; a circle that a broken file makes ends where it closes."""
    seen: set[int] = set()
    here: GameObject | None = at
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.parent
