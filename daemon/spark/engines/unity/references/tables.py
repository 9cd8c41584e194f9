"""The objects that an importer makes of one file, as the file's `.meta` lists them: id, class and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from spark.engines.unity.references.kinds import CLASS_NAMES, SPRITE
from spark.engines.unity.yaml.values import Pairs, Value

_SPRITE_CLASS: Final = 213
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")


class Part(NamedTuple):
    file_id: int
    class_name: str
    name: str


class ImportFacts(NamedTuple):
    """`importer`: `TextureImporter`, empty in a `.meta` of two lines. `sprite_mode`: 0 none, 1 one, 2 several, None where it
    does not say. `texture_shape`: 2 is a cube map. `hashed`: ids of a model's objects are made of their names."""

    importer: str
    parts: tuple[Part, ...]
    sprite_mode: int | None
    texture_shape: int
    hashed: bool


NOTHING = ImportFacts("", (), None, 1, False)


def import_facts(meta: bytes) -> ImportFacts:
    """What a `.meta` says; nothing where it cannot be parsed."""
    from spark.engines.unity.yaml.errors import YamlError
    from spark.engines.unity.yaml.tree import parse

    try:
        whole = parse(meta.removeprefix(b"\xef\xbb\xbf")).root.plain()
    except YamlError:
        return NOTHING
    if not isinstance(whole, Pairs):
        return NOTHING
    name = next((key for key, _ in whole.items() if key.endswith("Importer")), "")
    body = whole.get(name)
    if not isinstance(body, Pairs):
        return NOTHING
    meshes = body.get("meshes")
    hashed = meshes.get("fileIdsGeneration") == "2" if isinstance(meshes, Pairs) else False
    mode = _whole(body.get("spriteMode"))
    return ImportFacts(name, tuple(_parts(body)), mode, _whole(body.get("textureShape")) or 1, hashed)


def _parts(body: Pairs) -> Iterator[Part]:
    seen: set[int] = set()
    for part in (*_table(body), *_recycled(body), *_sprites(body)):
        if part.file_id not in seen:
            seen.add(part.file_id)
            yield part


def _table(body: Pairs) -> Iterator[Part]:
    table = body.get("internalIDToNameTable")
    for entry in table if isinstance(table, list) else ():
        first = entry.get("first") if isinstance(entry, Pairs) else None
        if isinstance(entry, Pairs) and isinstance(first, Pairs):
            for class_id, file_id in first.items():
                yield from _part(file_id, class_id, entry.get("second"))


def _recycled(body: Pairs) -> Iterator[Part]:
    """The form before 2019: ids count up from their class's number times 100000."""
    table = body.get("fileIDToRecycleName")
    for key, name in table.items() if isinstance(table, Pairs) else ():
        yield from _part(key, str((_whole(key) or 0) // 100_000), name)


def _sprites(body: Pairs) -> Iterator[Part]:
    sheet = body.get("spriteSheet")
    if not isinstance(sheet, Pairs):
        return
    names = sheet.get("nameFileIdTable")
    for key, file_id in names.items() if isinstance(names, Pairs) else ():
        yield from _part(file_id, str(_SPRITE_CLASS), key)
    sprites = sheet.get("sprites")
    for entry in sprites if isinstance(sprites, list) else ():
        if isinstance(entry, Pairs) and _whole(entry.get("internalID")):
            yield from _part(entry.get("internalID"), str(_SPRITE_CLASS), entry.get("name"))


def _part(file_id: Value, class_id: str, name: Value) -> Iterator[Part]:
    number, kind = _whole(file_id), _whole(class_id)
    if number is not None and kind is not None and isinstance(name, str):
        yield Part(number, CLASS_NAMES.get(kind, f"class {kind}"), name)


def _whole(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def sprites(facts: ImportFacts) -> list[Part]:
    """The sprites of a texture by name; one of a single sprite has the texture's name and is left out."""
    return [part for part in facts.parts if part.class_name == "Sprite" and part.file_id != SPRITE]
