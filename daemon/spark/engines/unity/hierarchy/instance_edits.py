"""What an instance is given otherwise than its prefab: overrides of properties, reverting them, and what is taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.classes.bodies import is_offered, new_body
from spark.engines.unity.hierarchy import changes, overrides, removal
from spark.engines.unity.hierarchy.defaults import default_of
from spark.engines.unity.hierarchy.find import shown as shown_object
from spark.engines.unity.hierarchy.inside import effective
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance
from spark.engines.unity.hierarchy.properties import Properties
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import Step, parse_path, shown
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of
from spark.engines.unity.yaml.write import scalar_text

Target = GameObject | Component


def instance_of(target: Target) -> Instance | None:
    """The instance through which something exists here; None where it has a document of its own."""
    if target.document is not None:
        return None
    return target.instance if isinstance(target, GameObject) else target.owner.instance


def override(session: Session, target: Target, name: str, value: Json) -> list[str]:
    """Gives something of an instance another value. Answers the property paths of the entries, as Unity writes them."""
    instance, target_ref = _target(session, target)
    document = _prototype(session, target)
    properties = Properties(session.asset, session.world, session.local)
    edits = properties.special(document, name, value, lambda path: _present(document, target, parse_path(path)))
    done: list[str] = []
    if edits:
        for edit in edits:
            done += _put(session, instance, target, target_ref, edit.steps, edit.value, None)
        return done
    steps = properties.steps(document, name)
    present = _present(document, target, steps)
    if present is None:
        steps, present = _grown(session, properties, target, document, steps, name)
    made = properties.coerced(document, steps, value, present, name)
    if isinstance(value, list) and isinstance(made, str):
        made = _unpacked(value, name)
    given = set(value) if isinstance(value, Mapping) and isinstance(made, Mapping | Pairs) else None
    done += _put(session, instance, target, target_ref, steps, made, given)
    for edit in properties.following(document, steps, made):
        done += _put(session, instance, target, target_ref, edit.steps, edit.value, None)
    if not done:
        session.note(f"{unity_path(steps)} of {_name(session, target)} has that value already")
    return done


def revert(session: Session, target: Target, name: str | None) -> list[str]:
    """Takes out the overrides of a property, or all of a component or object. Answers their paths."""
    instance, target_ref = _target(session, target)
    path = ""
    if name is not None:
        properties = Properties(session.asset, session.world, session.local)
        document = _prototype(session, target)
        path = unity_path(properties.steps(document, "m_LocalRotation" if name == "rotation" else name))
    done = overrides.take_out(session, instance, target_ref.file_id, path)
    if name == "rotation":
        done += overrides.take_out(session, instance, target_ref.file_id, "m_LocalEulerAnglesHint")
    if done:
        session.changed()
        return done
    there = [path for at, path in instance.modifications if at == target_ref.file_id]
    raise ToolRejected(
        "not_found",
        f"property: {_name(session, target)} has no override{f' of {path}' if path else ''}",
        hint=f"Overridden there: {', '.join(there) or 'nothing'}",
        details={"fields": {"property": ", ".join(there)}},
    )


def remove_inside(session: Session, at: GameObject) -> list[str]:
    """Removes an object that comes from the prefab: the instance says that it has none (2022.2 and newer)."""
    instance = at.instance
    assert instance is not None
    if at.source_id is None:
        raise session.closed(at)
    steps = ("m_Modification", "m_RemovedGameObjects")
    there = instance.document.find(*steps)
    if there is None:
        raise ToolRejected(
            "unsupported_asset",
            f"object: {shown_object(session.hierarchy, at)} comes from {instance.source.name}; before Unity 2022.2 an instance "
            "cannot do without one of its objects",
            hint="Switch it off instead: op set, property active, value false. Or remove it in the prefab.",
        )
    session.asset.insert_item(
        instance.document, steps, len(there.items()), Ref(at.source_id, instance.source_ref.guid, 3)
    )
    doomed = set(_documents_below(session, at))
    for child in _added_below(session, at):
        doomed |= removal.subtree(session, child)
    changes.hidden(instance, at.source_id, at.parent)
    return removal.delete(session, doomed)


def _documents_below(session: Session, at: GameObject) -> Iterator[int]:
    """What stands in this file for an object of the prefab and for those below it there, and the components that they were
    given here."""
    instance = at.instance
    assert instance is not None
    components = session.hierarchy.components(at)
    inside = [at.source_id, *(c.source_id for c in components)]
    yield from (instance.stripped[found].file_id for found in inside if found in instance.stripped)
    yield from (c.document.file_id for c in components if c.document is not None)
    for child in session.hierarchy.children(at):
        if child.instance is instance:
            yield from _documents_below(session, child)


def _added_below(session: Session, at: GameObject) -> Iterator[GameObject]:
    for child in session.hierarchy.children(at):
        if child.instance is at.instance:
            yield from _added_below(session, child)
        else:
            yield child


def unity_path(steps: Sequence[Step]) -> str:
    """A property path as `m_Modifications` writes it: `m_Materials.Array.data[0]`."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f".Array.data[{step}]"
        else:
            text += f".{step}" if text else str(step)
    return text


def _target(session: Session, target: Target) -> tuple[Instance, Ref]:
    instance = instance_of(target)
    if instance is None:
        raise ToolRejected(
            "invalid_arguments",
            f"object: {_name(session, target)} is no part of an instance, so it has nothing to override",
            hint="Use op set.",
            details={"fields": {"op": "set"}},
        )
    if target.source_id is None:
        raise session.closed(target if isinstance(target, GameObject) else target.owner)
    return instance, Ref(target.source_id, instance.source_ref.guid, 3)


def _prototype(session: Session, target: Target) -> AssetDocument:
    """The document that says what the properties are: that of the prefab, else one of a new object of the class."""
    at: Target | None = target
    while at is not None:
        if at.document is not None:
            return at.document
        at = at.origin
    class_name = "GameObject" if isinstance(target, GameObject) else target.class_name
    class_id = 1 if isinstance(target, GameObject) else target.class_id
    if not is_offered(class_name) or class_name == "MonoBehaviour":
        raise session.closed(target if isinstance(target, GameObject) else target.owner)
    body = new_body(class_name, session.version)
    blank = AssetFile(b"", [], session.asset.mode, session.asset.name)
    return blank.new_document(class_id, target.file_id or 0, class_name, body)


def _present(document: AssetDocument, target: Target, steps: Sequence[Step]) -> Value:
    found = document.value(*steps)
    if isinstance(found, Pairs) and ref_of(found) is None:
        inner = [(key, _present(document, target, (*steps, key))) for key, _ in found.items()]
        return Pairs(inner, inline=found.inline)
    over = effective(target, unity_path(steps)) if found is None or not isinstance(found, list) else None
    return found if over is None else over


def _unpacked(value: Sequence[Json], name: str) -> list[Value]:
    """The items of a list that a file keeps as one word: overrides are of single items."""
    if not all(isinstance(item, int) for item in value):
        raise invalid_arguments({name: "a list of whole numbers: in an instance its items are not taken by name"})
    return [int(item) for item in value]


def _grown(
    session: Session,
    properties: Properties,
    target: Target,
    document: AssetDocument,
    steps: tuple[Step, ...],
    name: str,
) -> tuple[tuple[Step, ...], Value]:
    """A property that the prefab lacks: the item behind the end of a list, which then gets one longer."""
    instance, target_ref = _target(session, target)
    last, of_list = steps[-1], steps[:-1]
    items = document.value(*of_list) if of_list else None
    if not isinstance(last, int) or not isinstance(items, list):
        missing = properties.missing(document, steps, name)
        raise ToolRejected(
            "not_found",
            f"{name}: {_name(session, target)} has no {shown(steps)} in its prefab",
            hint=missing.hint,
            details={"property": shown(steps), "near": missing.details["near"]},
        )
    size_path = unity_path(of_list) + ".Array.size"
    known = instance.modifications.get((target_ref.file_id, size_path))
    size = int(known.value) if known is not None and known.value.isdigit() else len(items)
    if last > size:
        raise invalid_arguments({name: f"an item from 0 to {size} (the list has {size}; its length: a new one)"})
    if last == size:
        overrides.put(session, instance, target_ref, size_path, size + 1, Ref())
    like = items[-1] if items else default_of(document.class_name, of_list, session.version)
    return steps, like if not isinstance(like, list) else Ref()


def _put(
    session: Session,
    instance: Instance,
    target: Target,
    target_ref: Ref,
    steps: Sequence[Step],
    value: Value,
    given: set[str] | None,
) -> list[str]:
    """Entries for a value, one for each number, text or reference in it; what is as it should be gets none."""
    if isinstance(value, Ref) or ref_of(value) is not None:
        return _leaf(session, instance, target, target_ref, steps, "", ref_of(value) or Ref())
    if isinstance(value, Mapping | Pairs):
        done: list[str] = []
        for key, part in value.items():
            if key != "serializedVersion" and (given is None or key in given):
                done += _put(session, instance, target, target_ref, (*steps, key), part, None)
        return done
    if isinstance(value, list):
        size = len(value)
        path = unity_path(steps) + ".Array.size"
        done = []
        present = effective(target, unity_path(steps))
        known = instance.modifications.get((target_ref.file_id, path))
        old = (
            int(known.value)
            if known is not None and known.value.isdigit()
            else len(present)
            if isinstance(present, list)
            else -1
        )
        if old != size:
            overrides.put(session, instance, target_ref, path, size, Ref())
            done.append(path)
        for at, item in enumerate(value):
            done += _put(session, instance, target, target_ref, (*steps, at), item, None)
        return done
    return _leaf(session, instance, target, target_ref, steps, value, None)


def _leaf(
    session: Session,
    instance: Instance,
    target: Target,
    target_ref: Ref,
    steps: Sequence[Step],
    value: Value,
    reference: Ref | None,
) -> list[str]:
    path = unity_path(steps)
    known = instance.modifications.get((target_ref.file_id, path))
    if known is None:
        present = effective(target, path)
        if reference is not None and isinstance(present, Pairs | Ref) and ref_of(present) == reference:
            return []
        if reference is None and isinstance(present, str) and present == scalar_text(value):
            return []
    overrides.put(session, instance, target_ref, path, value, reference or Ref())
    return [path]


def _name(session: Session, target: Target) -> str:
    if isinstance(target, GameObject):
        return shown_object(session.hierarchy, target)
    return f"{session.world.type_name(target)} of {shown_object(session.hierarchy, target.owner)}"


__all__ = ["Target", "instance_of", "override", "remove_inside", "revert", "unity_path"]
