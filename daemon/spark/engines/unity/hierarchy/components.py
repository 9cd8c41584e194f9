"""Giving an object a component by the name of its type, and taking one away."""

from __future__ import annotations

from collections.abc import Mapping

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.classes.bodies import is_offered, offered
from spark.engines.unity.classes.needs import is_component, only_one, requires
from spark.engines.unity.hierarchy import changes, create, removal
from spark.engines.unity.hierarchy.engine_types import is_native, plain_type
from spark.engines.unity.hierarchy.find import shown
from spark.engines.unity.hierarchy.ids import MONO_BEHAVIOUR
from spark.engines.unity.hierarchy.objects import Component, GameObject
from spark.engines.unity.hierarchy.parts import component_ids
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.values import Ref


def give(session: Session, owner: GameObject, wanted: str, field: str) -> AssetDocument:
    """A new component with the values of a new one, and before it those that the Editor adds with it.

    Raises `unsupported_asset`, `already_exists` (there can be only one), `not_found` for a script that is nowhere.
    """
    if owner.instance is not None and owner.source_id is None:
        raise session.closed(owner)
    wanted = plain_type(wanted)
    if wanted in ("Transform", "RectTransform"):
        return _give_transform(session, owner, wanted, field)
    if not is_native(wanted):
        return _give_script(session, owner, wanted, field)
    if only_one(wanted):
        _refuse_second(session, owner, wanted, field)
    owner = give_needed(session, owner, requires(wanted), wanted, field)
    if not is_offered(wanted):
        raise ToolRejected(
            "unsupported_asset",
            f"{field}: the exact fields of a new {wanted} are not known, so it cannot be made here",
            hint=f"What can be made: {', '.join(name for name in offered() if is_component(name))}. Add it in the Editor.",
            details={"fields": {field: "one of the components that can be made, or a script's class"}},
        )
    return create.add_native(session, owner, wanted)


def give_needed(session: Session, owner: GameObject, needed: tuple[str, ...], wanted: str, field: str) -> GameObject:
    """Gives an object the components that another one needs. Answers the object as it is then."""
    for other in needed:
        there = session.hierarchy.components(owner)
        if other == "RectTransform":
            if not create.has_rect(session, owner):
                _give_transform(session, owner, other, field)
        elif not any(session.fits(c, other) for c in there):
            give(session, owner, other, field)
            session.note(f"{wanted} needs {other}, which was added to {session.path_of(again(session, owner))} as well")
        owner = again(session, owner)
    return owner


def again(session: Session, old: GameObject) -> GameObject:
    found = session.again(old)
    assert found is not None
    return found


def needs_rect(session: Session, wanted: str) -> bool:
    """Whether a component wants a RectTransform on its object."""
    wanted = plain_type(wanted)
    if wanted == "RectTransform":
        return True
    if is_native(wanted):
        return "RectTransform" in requires(wanted)
    return "RectTransform" in session.world.script_needs(wanted)


def _give_transform(session: Session, owner: GameObject, wanted: str, field: str) -> AssetDocument:
    transform = create.transform_of(session, owner)
    if transform is None or (wanted == "RectTransform" and transform.class_name != wanted):
        if owner.instance is not None:
            raise ToolRejected(
                "unsupported_asset",
                f"{field}: {shown(session.hierarchy, owner)} has a Transform in its prefab; an instance cannot change it",
                hint="Add the component in the prefab itself.",
            )
        create.make_rect(session, owner)
        session.note(
            f"the Transform of {session.path_of(again(session, owner))} became a RectTransform with the same id"
        )
        return session.document(owner.transform_id)
    if transform.document is None:
        raise ToolRejected("already_exists", f"{field}: {shown(session.hierarchy, owner)} has a {transform.class_name}")
    return transform.document


def _refuse_second(session: Session, owner: GameObject, wanted: str, field: str) -> None:
    for component in session.hierarchy.components(owner):
        if component.class_name == wanted:
            at = f" &{component.file_id}" if component.file_id is not None else ""
            raise ToolRejected(
                "already_exists",
                f"{field}: {shown(session.hierarchy, owner)} has a {wanted} already{at}, and there can be only one",
                hint="Set its properties with op set.",
                details={"fields": {field: "a component that the object does not have"}},
            )


def _give_script(session: Session, owner: GameObject, wanted: str, field: str) -> AssetDocument:
    from spark.engines.unity.hierarchy.script_fields import new_behaviour

    behaviour = new_behaviour(session.world, wanted, field)
    if behaviour.only_one:
        for component in session.hierarchy.components(owner):
            if component.script is not None and component.script == behaviour.script:
                raise ToolRejected(
                    "already_exists",
                    f"{field}: {shown(session.hierarchy, owner)} has a {wanted} already, and its class allows only one",
                    hint="Set its properties with op set.",
                )
    owner = give_needed(session, owner, behaviour.needs, wanted, field)
    for note in behaviour.notes:
        session.note(note)
    return create.add_component(session, owner, MONO_BEHAVIOUR, "MonoBehaviour", behaviour.body)


def take(session: Session, component: Component, field: str) -> list[str]:
    """Removes a component. Answers what lost a reference. Raises `invalid_arguments` where another one needs it."""
    owner = component.owner
    if component.is_transform:
        raise invalid_arguments({field: "a component other than the Transform, which every object has"})
    for other in session.hierarchy.components(owner):
        if other is not component and _needs(session, other, component):
            name = session.world.type_name(other)
            raise ToolRejected(
                "invalid_arguments",
                f"{field}: {name} of {shown(session.hierarchy, owner)} needs {session.world.type_name(component)}",
                hint=f"Remove {name} first.",
                details={"fields": {field: "a component that no other one needs"}},
            )
    if component.document is None:
        return _remove_from_instance(session, component)
    if owner.document is not None:
        at = component_ids(owner.document).index(component.document.file_id)
        session.asset.remove(owner.document, ("m_Component", at))
    changes.lost_component(session.hierarchy, owner, component.document.file_id)
    return removal.delete(session, {component.document.file_id})


def _needs(session: Session, other: Component, component: Component) -> bool:
    needed = requires(other.class_name)
    if other.class_id == MONO_BEHAVIOUR:
        needed = session.world.script_needs_of(other.script)
    alike = [
        c
        for c in session.hierarchy.components(component.owner)
        if c is not component and any(session.fits(c, name) for name in needed)
    ]
    return any(session.fits(component, name) for name in needed) and not alike


def _remove_from_instance(session: Session, component: Component) -> list[str]:
    instance = component.owner.instance
    assert instance is not None
    assert component.source_id is not None
    steps = ("m_Modification", "m_RemovedComponents")
    there = instance.document.find(*steps)
    count = len(there.items()) if there is not None else 0
    session.asset.insert_item(instance.document, steps, count, Ref(component.source_id, instance.source_ref.guid, 3))
    known = instance.stripped.get(component.source_id)
    changes.hidden(instance, component.source_id, None)
    return removal.delete(session, {known.file_id}) if known is not None else []


def properties_of(value: Json, field: str) -> Mapping[str, Json]:
    """Properties as a call gives them. Raises `invalid_arguments`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid_arguments({field: 'the component\'s properties: {"mass": 2}'})
    return value


__all__ = ["again", "give", "needs_rect", "properties_of", "take"]
