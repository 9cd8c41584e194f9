"""Prefabs that hold instances of prefabs: none may hold itself, however many stand between. Knows paths and guids only."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spark.core.diagnostics import Finding
from spark.core.paths import ProjectPath
from spark.core.patience import go_on
from spark.engines.unity.checks.facts import FileFacts
from spark.engines.unity.checks.outward import Place

Facts = Callable[[ProjectPath], FileFacts | None]
PathOfGuid = Callable[[str], ProjectPath | None]


def held_prefabs(facts: FileFacts | None) -> Iterator[str]:
    """Guids of the prefabs that a prefab holds instances of."""
    sources = facts.sources if facts is not None else b""
    for at in range(0, len(sources), 32):
        yield sources[at : at + 32].decode("ascii")


def leads_to(start: ProjectPath, goal: ProjectPath, facts: Facts, path_of_guid: PathOfGuid) -> bool:
    """Whether a prefab is, or holds at any depth, an instance of another."""
    seen = {start}
    waiting = [start]
    while waiting:
        go_on()
        path = waiting.pop()
        if path == goal:
            return True
        for guid in held_prefabs(facts(path)):
            held = path_of_guid(guid)
            if held is not None and held not in seen and held.suffix == ".prefab":
                seen.add(held)
                waiting.append(held)
    return False


def in_rings(holds: dict[ProjectPath, set[ProjectPath]]) -> set[ProjectPath]:
    """The prefabs that hold themselves (and what stands between two such rings). `holds`: all prefabs that hold others."""
    forth = {path: {held for held in held_by if held in holds} for path, held_by in holds.items()}
    for graph in (forth, _turned(forth)):
        back = _turned(graph)
        ends = [path for path, following in graph.items() if not following]
        while ends:
            end = ends.pop()
            forth.pop(end, None)
            for path in back[end]:
                following = graph[path]
                following.discard(end)
                if not following:
                    ends.append(path)
    return set(forth)


def _turned(graph: dict[ProjectPath, set[ProjectPath]]) -> dict[ProjectPath, set[ProjectPath]]:
    turned: dict[ProjectPath, set[ProjectPath]] = {path: set() for path in graph}
    for path, following in graph.items():
        for one in following:
            turned[one].add(path)
    return turned


def nested_in_itself(path: ProjectPath, held: ProjectPath, places: list[Place]) -> Finding:
    where = next((place for place in places if place.key == b"m_SourcePrefab"), Place(0, 0, b""))
    itself = "itself" if held == path else f"{held}, which holds it"
    message = f"the prefab holds an instance of {itself}: Unity cannot load it"
    fix = "Remove the instance."
    return Finding("reference/nested-in-itself", "error", path.text, where.line, where.column, message, fix)
