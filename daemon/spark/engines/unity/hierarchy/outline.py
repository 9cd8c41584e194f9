"""The outline of an asset: objects by path with their components, values and ids; of other assets their documents.

Of a whole prefab or scene it says what a new component would not have as well; of one object it says everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy.defaults import default_of, typed
from spark.engines.unity.hierarchy.describe import SILENT, cut, lines_of, short, text_of
from spark.engines.unity.hierarchy.faults import opened, opened_meta, reading
from spark.engines.unity.hierarchy.find import find_object, path_of
from spark.engines.unity.hierarchy.ids import GAME_OBJECT, PREFAB_INSTANCE, SCENE_ROOTS
from spark.engines.unity.hierarchy.inside import by_source_id, effective
from spark.engines.unity.hierarchy.instance_edits import unity_path
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance, Modification, lineage
from spark.engines.unity.hierarchy.parts import fields_of
from spark.engines.unity.hierarchy.structure import Hierarchy
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import parse_path
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of
from spark.engines.unity.yaml.write import scalar_text

_TARGETS_SHOWN = 40
_LIST_SHOWN = 20
_ALL_SHOWN = 1000


def outline(path: ProjectPath, content: bytes, target: str | None, world: World) -> list[str]:
    """Lines of at most 600 characters. `target`: an object's path or file id, in other assets a document's id or class; then
    only that, with all its values. Raises `not_found`, `ambiguous_match`, `unsupported_asset`, `invalid_asset`."""
    if path.is_meta:
        asset = opened_meta(content, path.text)
        fields = asset.documents[0].fields.plain()
        return list(lines_of(fields, _Words(None, world).ref, (), items=_ALL_SHOWN))
    asset = opened(content, path.text)
    with reading(asset, world.sources.assets):
        if path.suffix not in (".prefab", ".unity"):
            return _documents(asset, target, _Words(None, world))
        hierarchy = Hierarchy(asset, world.sources)
        words = _Words(hierarchy, world)
        if target is None:
            return [cut(line) for line in _whole(hierarchy, words)]
        found, component = find_object(hierarchy, target)
        return [cut(line) for line in _one(hierarchy, words, found, component)]


class _Words:
    """References as people write them."""

    def __init__(self, hierarchy: Hierarchy | None, world: World) -> None:
        self.hierarchy = hierarchy
        self.world = world
        self._known: dict[Ref, str] = {}

    def ref(self, ref: Ref) -> str:
        if ref not in self._known:
            self._known[ref] = self._described(ref)
        return self._known[ref]

    def _described(self, ref: Ref) -> str:
        if ref.file_id and not ref.guid and self.hierarchy is not None:
            at = self.hierarchy.by_id(ref.file_id)
            if at is not None:
                return "#" + self.place(*at)
        return self.world.references.describe(ref)

    def place(self, at: GameObject, component: Component | None) -> str:
        assert self.hierarchy is not None
        path = path_of(self.hierarchy, at)
        return f"{path}:{self.world.type_name(component)}" if component is not None else path

    def component(self, component: Component) -> str:
        name = self.world.type_name(component)
        if component.script is not None and name == "MonoBehaviour":
            path = self.world.index.path_of_guid(component.script.guid)
            where = f"script {component.script.guid}" if path is None else f"{path} {component.script.file_id}"
            name = f"MonoBehaviour ({where})"
        return name + (f" &{component.file_id}" if component.file_id is not None else "")


def _whole(hierarchy: Hierarchy, words: _Words) -> Iterator[str]:
    for document in hierarchy.asset.documents:
        if (
            hierarchy.is_scene
            and document.class_id not in (GAME_OBJECT, PREFAB_INSTANCE, SCENE_ROOTS)
            and document.file_id <= 4
        ):
            yield f"{document.class_name}  &{document.file_id}"
    for at in hierarchy.everything():
        yield _head(hierarchy, words, at)
        for component in hierarchy.components(at):
            if component.document is not None:
                yield f"  {words.component(component)}{_summary(component, words)}"
        if at.is_instance_root:
            assert at.instance is not None
            yield from _overrides(hierarchy, words, at.instance, all_lines=False)
            yield from _added_inside(hierarchy, words, at)


def _head(hierarchy: Hierarchy, words: _Words, at: GameObject) -> str:
    marks = []
    if effective(at, "m_IsActive") == "0":
        marks.append("[inactive]")
    tag, layer = effective(at, "m_TagString"), effective(at, "m_Layer")
    if isinstance(tag, str) and tag not in ("Untagged", ""):
        marks.append(f"[tag {tag}]")
    if isinstance(layer, str) and layer != "0":
        names = {str(number): name for name, number in words.world.references.layers().items()}
        marks.append(f"[layer {names.get(layer, layer)}]")
    if effective(at, "m_StaticEditorFlags") not in ("0", None):
        marks.append("[static]")
    if "/" in at.name and at.file_id is not None:
        marks.append("[its name holds a slash: where its path is another's as well, say its id]")
    if at.is_instance_root:
        assert at.instance is not None
        source = at.instance.source
        marks.append(f"instance of {source.name}" + (f" ({source.why})" if source.why else ""))
        ident = f"  &{at.instance.file_id}"
    else:
        ident = f"  &{at.file_id}" if at.file_id is not None else ""
    return "  ".join([path_of(hierarchy, at) + ident, *marks])


def _summary(component: Component, words: _Words) -> str:
    """The fields of a component that a new one would not have so."""
    assert component.document is not None
    version = words.world.version
    parts: list[str] = []
    for key, value in fields_of(component.document).items():
        if key in SILENT or (key == "m_Name" and not value):
            continue
        default = default_of(component.class_name, (key,), version) if component.script is None else None
        if component.script is None and default is not None and _same(typed(value, default), default):
            continue
        if key == "m_Enabled":
            if value == "0":
                parts.insert(0, "disabled")
            continue
        parts.append(f"{key} {short(value, words.ref)}")
    return ": " + ", ".join(parts) if parts else ""


def _same(value: Value, default: Value) -> bool:
    ref = ref_of(value)
    if ref is not None:
        return ref == default
    if isinstance(value, Pairs):
        if not isinstance(default, dict) or set(value.keys()) != set(default):
            return False
        return all(_same(part, default[key]) for key, part in value.items())
    if isinstance(value, list):
        return value == [] and default == []
    if isinstance(value, str) and not isinstance(default, dict | list | Ref | None):
        return value == scalar_text(default)
    return value == default


def _overrides(hierarchy: Hierarchy, words: _Words, instance: Instance, *, all_lines: bool) -> Iterator[str]:
    """What an instance overrides: one line for each object or component, or for each property."""
    by_target: dict[int, list[str]] = {}
    for entry in instance.modifications.values():
        value = words.ref(entry.reference) if entry.reference.file_id else text_of(entry.value)
        by_target.setdefault(entry.target.file_id, []).append(f"{entry.path} = {value}")
    for number, (source_id, entries) in enumerate(by_target.items()):
        if number >= _TARGETS_SHOWN and not all_lines:
            yield f"  and overrides of {len(by_target) - number} more of {len(by_target)}; see this object alone"
            break
        place = _inner(hierarchy, words, instance, source_id)
        if all_lines:
            yield from (f"  override {place}: {entry}" for entry in entries)
        else:
            yield f"  override {place}: {', '.join(entries)}"
    for removed in sorted(instance.removed):
        yield f"  removed {_removed(instance, words, removed)}"


def _inner(hierarchy: Hierarchy, words: _Words, instance: Instance, source_id: int) -> str:
    """What an override is about, seen from the instance's root: `Body/Wheel:Transform`, `:Transform` of the root itself."""
    at = by_source_id(hierarchy, instance, source_id)
    if at is None:
        return f"&{source_id} in {instance.source.name}"
    labels = [here.name for here in takewhile(lambda one: one is not instance.root, lineage(at[0]))]
    place = "/".join(reversed(labels))
    kind = words.world.type_name(at[1]) if at[1] is not None else ""
    return f"{place}:{kind}" if kind else place or "(root)"


def _removed(instance: Instance, words: _Words, source_id: int) -> str:
    source = instance.source.hierarchy
    at = source.by_id(source_id) if source is not None else None
    if at is None or source is None:
        return f"&{source_id} of {instance.source.name}"
    name = f":{words.world.type_name(at[1])}" if at[1] is not None else ""
    return path_of(source, at[0]) + name


def _added_inside(hierarchy: Hierarchy, words: _Words, root: GameObject) -> Iterator[str]:
    """Components that were given to objects deeper inside the instance."""
    instance = root.instance
    assert instance is not None
    for source_id, document in instance.stripped.items():
        if document.class_id == GAME_OBJECT and source_id != root.source_id:
            at = by_source_id(hierarchy, instance, source_id)
            for component in hierarchy.added_components(at[0]) if at is not None else ():
                yield f"  added {words.place(component.owner, None)}: {words.component(component)}{_summary(component, words)}"


def _one(hierarchy: Hierarchy, words: _Words, at: GameObject, only: Component | None) -> Iterator[str]:
    yield _head(hierarchy, words, at)
    if only is None:
        yield from _values(at, words)
    for component in hierarchy.components(at):
        if only is None or component.file_id == only.file_id:
            yield f"  {words.component(component)}"
            yield from _values(component, words)
    if only is not None:
        return
    if at.is_instance_root:
        assert at.instance is not None
        yield from _overrides(hierarchy, words, at.instance, all_lines=True)
    for child in hierarchy.children(at):
        yield f"  child {path_of(hierarchy, child)}" + (f"  &{child.file_id}" if child.file_id is not None else "")


def _values(target: GameObject | Component, words: _Words) -> Iterator[str]:
    here: GameObject | Component | None = target
    while here is not None and here.document is None:
        here = here.origin
    if here is None or here.document is None:
        yield "    (the values stand in a file that cannot be looked into)"
        return
    own = _own_overrides(target) if target.document is None else {}
    for key, value in fields_of(here.document).items():
        if key in SILENT and key != "m_LocalEulerAnglesHint":
            continue
        known = _as_here(target, (key,), value) if target.document is None else value
        for line in lines_of(known, words.ref, (key,), items=_ALL_SHOWN):
            inner = unity_path(parse_path(line.partition(" = ")[0])) if own and " = " in line else ""
            mark = inner and any(path == inner or path.startswith(inner + ".") for path in own)
            yield f"    {line}{'  (override)' if mark else ''}"
    for path, entry in own.items():
        if path.endswith(".Array.size"):
            yield f"    {path} = {text_of(entry.value)}  (override)"


def _own_overrides(target: GameObject | Component) -> dict[str, Modification]:
    """What the instance itself says of something in it, by property."""
    instance = target.instance if isinstance(target, GameObject) else target.owner.instance
    entries = instance.modifications if instance is not None else {}
    return {path: entry for (at, path), entry in entries.items() if at == target.source_id}


def _as_here(target: GameObject | Component, steps: tuple[str | int, ...], value: Value) -> Value:
    """A value of the prefab as the instances around it have it."""
    if isinstance(value, Pairs) and ref_of(value) is None:
        pairs = [(key, _as_here(target, (*steps, key), part)) for key, part in value.items()]
        return Pairs(pairs, inline=value.inline)
    if isinstance(value, list):
        return [_as_here(target, (*steps, at), item) for at, item in enumerate(value)]
    found = effective(target, unity_path(steps))
    if found is None or (ref_of(value) is not None and ref_of(found) is None):
        return value if found is None else Ref()
    return found


def _documents(asset: AssetFile, target: str | None, words: _Words) -> list[str]:
    chosen = list(asset.documents)
    if target is not None:
        ident = target.removeprefix("&")
        chosen = [d for d in asset.documents if str(d.file_id) == ident or d.class_name == target]
        if not chosen:
            listed = ", ".join(f"{d.class_name} &{d.file_id}" for d in asset.documents[:20])
            raise ToolRejected(
                "not_found",
                f"object: {asset.name} has no document {target}",
                hint=f"It has: {listed}",
                details={"fields": {"object": listed}},
            )
    items = _LIST_SHOWN if target is None else _ALL_SHOWN
    lines: list[str] = []
    for document in chosen:
        lines.append(cut(_document_head(document, words)))
        fields = fields_of(document)
        for key, value in fields.items():
            if key not in SILENT:
                lines += [f"  {line}" for line in lines_of(value, words.ref, (key,), items=items)]
    return lines


def _document_head(document: AssetDocument, words: _Words) -> str:
    script = ref_of(document.value("m_Script"))
    name = document.class_name
    if script is not None:
        name = words.world.script_name(script) or f"{name} (script {script.guid})"
    return f"{name}  &{document.file_id}"
