"""New documents: objects with their Transform, native components, instances of prefabs and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spark.core.errors import ToolRejected
from spark.engines.unity.classes.bodies import established, new_body
from spark.engines.unity.classes.class_ids import class_id as id_of_class
from spark.engines.unity.hierarchy import attach, changes, overrides
from spark.engines.unity.hierarchy.ids import GAME_OBJECT, PREFAB_INSTANCE, RECT_TRANSFORM, TRANSFORM
from spark.engines.unity.hierarchy.inside import effective
from spark.engines.unity.hierarchy.objects import Component, GameObject
from spark.engines.unity.hierarchy.parts import component_ids
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.sources import PREFAB_ID, Source
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.values import Ref, Value

_PLACED = (
    ("m_LocalPosition", "xyz"),
    ("m_LocalRotation", "wxyz"),
    ("m_LocalEulerAnglesHint", "xyz"),
)
_RECT_PLACED = (
    ("m_Pivot", "xy"),
    ("m_AnchorMax", "xy"),
    ("m_AnchorMin", "xy"),
    ("m_SizeDelta", "xy"),
    *_PLACED,
    ("m_AnchoredPosition", "xy"),
)


def new_object(session: Session, name: str, parent: GameObject | None, index: int | None, *, rect: bool) -> GameObject:
    """An object with a Transform, as the Editor makes a child: on its parent's layer, in the origin."""
    rect = rect or (parent is not None and has_rect(session, parent))
    object_id, transform_id = session.new_id(), session.new_id()
    body = new_body("GameObject", session.version)
    body["m_Component"] = [{"component": Ref(transform_id)}]
    body["m_Name"] = name
    layer = effective(parent, "m_Layer") if parent is not None else None
    if isinstance(layer, str) and layer.isdigit():
        body["m_Layer"] = int(layer)
    kind = "RectTransform" if rect else "Transform"
    transform = new_body(kind, session.version)
    transform["m_GameObject"] = Ref(object_id)
    before = attach.siblings_of(session, parent)
    if session.keeps_root_order:
        transform = _with_root_order(transform, _place(session, parent, before))
    documents = [
        session.asset.new_document(GAME_OBJECT, object_id, "GameObject", body),
        session.asset.new_document(RECT_TRANSFORM if rect else TRANSFORM, transform_id, kind, transform),
    ]
    session.order.place_object(documents)
    _doubt(session, "GameObject")
    _doubt(session, kind)
    made = changes.took_object(session.hierarchy, documents[0], documents[1], name)
    attach.attach(session, made, parent, index)
    if index is not None:
        attach.renumber(session, parent, before, attach.joined(before, made, index))
    return made


def _place(session: Session, parent: GameObject | None, before: Sequence[GameObject]) -> int:
    """`m_RootOrder` of a new last sibling. Roots, and what is added to an instance, have no other order, and may be numbered
    with gaps."""
    if not before or (parent is not None and parent.instance is None):
        return len(before)
    return max(len(before), session.hierarchy.root_order(before[-1]) + 1)


def add_native(session: Session, owner: GameObject, class_name: str) -> AssetDocument:
    """A component of the engine with the values of a new one. Raises `unsupported_asset` for one that is not known."""
    number = id_of_class(class_name)
    body = new_body(class_name, session.version)
    assert number is not None
    _doubt(session, class_name)
    return add_component(session, owner, number, class_name, body)


def add_component(
    session: Session, owner: GameObject, class_id: int, class_name: str, body: Mapping[str, Value]
) -> AssetDocument:
    """Gives an object a component, as its last one. `body` needs no `m_GameObject` value."""
    file_id = session.new_id()
    owner_id = session.stripped_object(owner)
    filled = {**body, "m_GameObject": Ref(owner_id)}
    document = session.asset.new_document(class_id, file_id, class_name, filled)
    if owner.instance is None:
        assert owner.document is not None
        there = component_ids(owner.document)
        behind = there[-1] if there else owner_id
        session.order.place_component(document, behind, owner.document)
        session.asset.insert_item(owner.document, ("m_Component",), len(there), {"component": Ref(file_id)})
    else:
        added = [c.file_id for c in session.hierarchy.added_components(session.hierarchy.by_id(owner_id)[0])]  # type: ignore[index]
        behind = (added[-1] if added else None) or owner_id
        session.order.place_component(document, behind, session.document(owner_id))
        _list_added(session, owner, file_id)
    changes.took_component(session.hierarchy, owner_id, document)
    return document


def _list_added(session: Session, owner: GameObject, file_id: int) -> None:
    instance = owner.instance
    assert instance is not None
    assert owner.source_id is not None
    steps = ("m_Modification", "m_AddedComponents")
    there = instance.document.find(*steps)
    if there is not None:
        target = Ref(owner.source_id, instance.source_ref.guid, 3)
        entry: dict[str, Value] = {
            "targetCorrespondingSourceObject": target,
            "insertIndex": -1,
            "addedObject": Ref(file_id),
        }
        session.asset.insert_item(instance.document, steps, len(there.items()), entry)


def new_instance(
    session: Session, source: Source, name: str, parent: GameObject | None, index: int | None
) -> GameObject:
    """An instance of a prefab or model, with the overrides that the Editor gives a fresh one. Of a model, whose root's
    place is not known here, only the name is overridden: it keeps the model's own."""
    if source.root_id is None or source.root_transform_id is None:
        raise ToolRejected(
            "unsupported_asset",
            f"prefab: {source.name} cannot be placed here: {source.why or 'the ids of its root are not known'}",
            hint="Place it in the Editor.",
            details={"source": source.name},
        )
    file_id = session.new_id()
    body = new_body("PrefabInstance", session.version)
    modification = body["m_Modification"]
    assert isinstance(modification, dict)
    before = attach.siblings_of(session, parent)
    place = _place(session, parent, before) if session.keeps_root_order else None
    modification["m_Modifications"] = _fresh(session, source, name, place)
    body["m_SourcePrefab"] = Ref(PREFAB_ID, source.guid, 3)
    document = session.asset.new_document(PREFAB_INSTANCE, file_id, "PrefabInstance", body)
    session.order.place_instance(document)
    _doubt(session, "PrefabInstance")
    made = changes.took_instance(session.hierarchy, document)
    attach.attach(session, made, parent, index)
    if index is not None:
        attach.renumber(session, parent, before, attach.joined(before, made, index))
    return made


def _fresh(session: Session, source: Source, name: str, place: int | None) -> list[Value]:
    target = Ref(source.root_transform_id or 0, source.guid, 3)
    values: list[tuple[int, str, Value]] = [(source.root_id or 0, "m_Name", name)]
    if place is not None:
        values.append((target.file_id, "m_RootOrder", place))
    root = source.hierarchy.roots[0] if source.hierarchy is not None else None
    transform = None
    if root is not None and source.hierarchy is not None:
        transform = next((c for c in source.hierarchy.components(root) if c.is_transform), None)
    if transform is not None:
        placed = _RECT_PLACED if transform.class_id == RECT_TRANSFORM else _PLACED
        for key, parts in placed:
            for part in parts:
                value = effective(transform, f"{key}.{part}")
                if value is not None:
                    values.append((target.file_id, f"{key}.{part}", value))
    elif source.hierarchy is None:
        session.note(f"{source.why}: its root keeps the position, rotation and scale of the model")
    values.sort(key=lambda v: overrides.sort_key(v[0], v[1]))
    return [overrides.new_entry(Ref(at, source.guid, 3), path, value, Ref()) for at, path, value in values]


def has_rect(session: Session, at: GameObject) -> bool:
    return any(c.class_id == RECT_TRANSFORM for c in session.hierarchy.components(at))


def make_rect(session: Session, owner: GameObject) -> None:
    """Makes the RectTransform of an object's Transform, under the same id, with what they have in common."""
    old = session.document(owner.transform_id)
    body = new_body("RectTransform", session.version)
    if session.keeps_root_order:
        body = _with_root_order(body, 0)
    for key in body:
        value = old.value(key)
        if value is not None:
            body[key] = value
    made = session.asset.new_document(RECT_TRANSFORM, old.file_id, "RectTransform", body)
    old.class_id, old.header, old.body, old.parsed = made.class_id, made.header, made.body, None
    old.forget()
    session.changed()


def transform_of(session: Session, at: GameObject) -> Component | None:
    return next((c for c in session.hierarchy.components(at) if c.is_transform), None)


def _with_root_order(body: dict[str, Value], place: int) -> dict[str, Value]:
    """The body with `m_RootOrder` behind `m_Father`, where the version itself has none."""
    filled: dict[str, Value] = {}
    for key, value in body.items():
        if key == "m_RootOrder":
            continue
        filled[key] = value
        if key == "m_Father":
            filled["m_RootOrder"] = place
    return filled


def _doubt(session: Session, class_name: str) -> None:
    said = established(class_name, session.version)
    if isinstance(said, str):
        session.note(said)
