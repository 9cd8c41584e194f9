"""Random edits of text assets: single values by their place, and changes of structure."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from spark.engines.unity.merge.parts import Part, parts_of
from spark.engines.unity.merge.version import version_of
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.tree import DOUBLE, MAP, PLAIN, SEQ, SINGLE, parse

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_PLAIN_WORD = re.compile(rb"[A-Za-z0-9_.]+")


@dataclass(frozen=True)
class Place:
    """One single value in a file, by its bytes, and the property directly below the class that it belongs to."""

    start: int
    end: int
    owner: tuple[int, bytes]


def places(content: bytes) -> list[Place]:
    """Every plain single value of a mapping that another text can replace, but references and texts over several lines."""
    found: list[Place] = []
    offset = len(version_of(content).head)
    for document in version_of(content).documents.values():
        offset += len(document.header)
        root = parts_of(document.tree.root, len(document.body))
        for entry in parts_of(root[0].value, root[0].end) if root else ():
            for part in _leaves(entry):
                value = part.value
                if value.kind == PLAIN and part.key and _PLAIN_WORD.fullmatch(value.raw):
                    found.append(Place(offset + value.start, offset + value.end, (document.file_id, entry.key)))
        offset += len(document.body)
    return found


def _leaves(part: Part) -> list[Part]:
    if part.value.kind not in (MAP, SEQ):
        return [part]
    return [leaf for inner in parts_of(part.value, part.end) for leaf in _leaves(inner)]


def with_values(content: bytes, values: dict[Place, bytes]) -> bytes:
    for place, new in sorted(values.items(), key=lambda item: -item[0].start):
        content = content[: place.start] + new + content[place.end :]
    return content


def mutated(content: bytes, chance: random.Random, times: int) -> bytes:
    """Values changed, items of lists removed and added, keys removed; every document still parses."""
    for _ in range(times):
        document = chance.choice(list(version_of(content).documents.values()))
        body = _mutated_body(document.body, chance)
        try:
            parse(body)
        except YamlError:
            continue
        content = content.replace(document.raw, document.header + body, 1)
    return content


def _mutated_body(body: bytes, chance: random.Random) -> bytes:
    node, end, part = parse(body).root, len(body), None
    while inner := parts_of(node, end):
        if part is not None and chance.random() < 0.25:
            break
        part = chance.choice(inner)
        node, end = part.value, part.end
    if part is None:
        return body
    value = part.value
    if value.kind == SEQ:
        item = chance.choice(parts_of(value, part.end))
        if item.start - value.indent >= value.start and chance.random() < 0.5:
            return body[: item.start - value.indent] + body[item.end :]
        new = _NUMBER.sub(lambda _: str(chance.randrange(10**6)).encode(), item.raw, count=2)
        return body[: item.end] + b" " * value.indent + new + body[item.end :]
    if value.kind == MAP:
        key = chance.choice(parts_of(value, part.end)[1:] or [part])
        return body if key is part else body[: key.start - value.indent] + body[key.end :]
    if value.kind in (PLAIN, SINGLE, DOUBLE) and value.start < value.end:
        return body[: value.start] + str(chance.randrange(10**5)).encode() + body[value.end :]
    new = _NUMBER.sub(lambda _: str(chance.randrange(100)).encode(), value.raw, count=1)
    return body[: value.start] + new + body[value.end :]
