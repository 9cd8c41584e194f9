"""Random scenes and prefabs with instances, edited as the Editor edits them: mostly what two sides can get wrong together."""

from __future__ import annotations

import random
import re
from copy import deepcopy
from dataclasses import dataclass, field

_HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
_PREFAB = "guid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035, type: 3}"
_ROOTS = 9223372036854775807


@dataclass
class Place:
    """A Transform: of an object (one less is the object's id, one more its script's), or the stripped one of an instance."""

    father: int
    is_instance: bool
    children: list[int] = field(default_factory=list)
    x: int = 0
    target: int = 0


class Scene:
    """`places` by file id. A copy is a side; its new ids come from `first_id`."""

    def __init__(self, chance: random.Random, *, is_prefab: bool) -> None:
        self._chance = chance
        self._is_prefab = is_prefab
        self._next = 1000
        self._roots: list[int] = []
        self._places: dict[int, Place] = {}
        self._add(0, is_instance=False)
        for _ in range(chance.randrange(3, 9)):
            self._add(chance.choice(self._objects()), is_instance=chance.random() < 0.2)

    def side(self, first_id: int) -> Scene:
        copy = deepcopy(self, {id(self._chance): self._chance})
        copy._next = first_id
        for _ in range(self._chance.randrange(1, 4)):
            copy._edit()
        return copy

    def to_bytes(self) -> bytes:
        documents = [d for i, place in self._places.items() for d in _documents(i, place)]
        if not self._is_prefab:
            roots = [i - self._places[i].is_instance for i in self._roots]
            documents.append((_ROOTS, 1660057539, "", f"SceneRoots:\n  m_Roots:{_listed(roots)}"))
        raws = (f"--- !u!{kind} &{i}{stripped}\n{body}" for i, kind, stripped, body in sorted(documents))
        return (_HEAD + "".join(raws)).encode()

    def _objects(self) -> list[int]:
        return [i for i, place in self._places.items() if not place.is_instance]

    def _list(self, father: int) -> list[int]:
        return self._places[father].children if father else self._roots

    def _add(self, father: int, *, is_instance: bool) -> None:
        self._next += self._chance.randrange(3, 50)
        self._places[self._next] = Place(father, is_instance)
        self._list(father).append(self._next)

    def _below(self, file_id: int) -> list[int]:
        return [file_id, *(i for child in self._places[file_id].children for i in self._below(child))]

    def _edit(self) -> None:
        chance = self._chance
        file_id = chance.choice(list(self._places))
        place = self._places[file_id]
        kind = chance.choice(("add", "move", "move", "move", "delete", "delete", "set", "refer", "turn"))
        if kind == "add":
            self._add(chance.choice(self._objects()), is_instance=chance.random() < 0.3)
        elif kind == "set":
            place.x = chance.randrange(100)
        elif kind == "refer":
            place.target = chance.choice(list(self._places))
        elif kind == "turn":
            chance.shuffle(place.children)
        elif place.father == 0 and (self._is_prefab or len(self._roots) < 2):
            return
        elif kind == "move":
            free = [i for i in self._objects() if i not in self._below(file_id)]
            if free:
                self._list(place.father).remove(file_id)
                place.father = chance.choice(free)
                chance.choice((self._list(place.father).append, lambda i: self._list(place.father).insert(0, i)))(
                    file_id
                )
        else:
            self._list(place.father).remove(file_id)
            gone = {i: self._places.pop(i) for i in self._below(file_id)}
            for left in self._places.values():
                left.target = 0 if left.target in gone else left.target


def _listed(ids: list[int]) -> str:
    return "".join(f"\n  - {{fileID: {i}}}" for i in ids) + "\n" if ids else " []\n"


def _documents(file_id: int, place: Place) -> list[tuple[int, int, str, str]]:
    if place.is_instance:
        instance = (
            f"PrefabInstance:\n  m_Modification:\n    m_TransformParent: {{fileID: {place.father}}}\n    m_Modifications:\n"
            f"    - target: {{fileID: 100, {_PREFAB}\n      propertyPath: m_LocalPosition.x\n      value: {place.x}\n"
            f"      objectReference: {{fileID: {place.target}}}\n  m_SourcePrefab: {{fileID: 100100000, {_PREFAB}\n"
        )
        stripped = f"Transform:\n  m_PrefabInstance: {{fileID: {file_id - 1}}}\n"
        return [(file_id - 1, 1001, "", instance), (file_id, 4, " stripped", stripped)]
    owner = f"{{fileID: {file_id - 1}}}"
    components = "".join(f"  - component: {{fileID: {i}}}\n" for i in (file_id, file_id + 1))
    transform = (
        f"Transform:\n  m_GameObject: {owner}\n  m_LocalPosition: {{x: {place.x}, y: 0, z: 0}}\n"
        f"  m_Children:{_listed(place.children)}  m_Father: {{fileID: {place.father}}}\n"
    )
    script = f"MonoBehaviour:\n  m_GameObject: {owner}\n  value: {place.x}\n  target: {{fileID: {place.target}}}\n"
    return [
        (file_id - 1, 1, "", f"GameObject:\n  m_Component:\n{components}  m_Name: N{file_id}\n"),
        (file_id, 4, "", transform),
        (file_id + 1, 114, "", script),
    ]


def faults(content: bytes) -> list[str]:
    """What does not fit in such a scene, told from its text alone (not with what the merge itself looks with)."""
    documents = re.split(r"^--- !u!", content.decode(), flags=re.MULTILINE)[1:]
    bodies = {int(re.findall(r"&(\d+)", text)[0]): text for text in documents}
    found = [f"{i} refers to {to}" for i, text in bodies.items() for to in _targets(text, "") if to not in bodies]
    fathers = {i: up for i, text in bodies.items() for up in _targets(text, "(?:m_Father|m_TransformParent): ")}
    instances = {i: up for i, text in bodies.items() for up in _targets(text, "m_PrefabInstance: ")}
    stands_for = {up: i for i, up in instances.items()}
    listed = [(i, to) for i, text in bodies.items() if text.startswith("4 ") for to in _targets(text, "^  - ")]
    named = [(up, stands_for.get(i, i)) for i, up in fathers.items()]
    if sorted(listed) != sorted(named):
        found.append(f"children {sorted(set(listed) ^ set(named)) or listed}")
    for i, text in bodies.items():
        for component in _targets(text, "^  - component: "):
            if _targets(bodies.get(component, ""), "^  m_GameObject: ") != [i]:
                found.append(f"{i} has the component {component}")
        at, steps = i, 0
        while at and steps <= len(bodies):
            at, steps = (fathers | instances).get(at, 0), steps + 1
        if at:
            found.append(f"{i} is its own ancestor")
    return found


def _targets(text: str, before: str) -> list[int]:
    found = re.findall(rf"{before}\{{fileID: (\d+)\}}", text, flags=re.MULTILINE)
    return [int(file_id) for file_id in found if int(file_id)]
