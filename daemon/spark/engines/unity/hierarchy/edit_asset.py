"""`editAsset`: single properties of any document of a text asset, and of importer settings in a `.meta`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spark.core.assets import AssetBytes, PropertyEdit
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.engines.unity.classes.class_ids import MAIN_FILE_IDS
from spark.engines.unity.hierarchy import instance_edits, ops, world_space
from spark.engines.unity.hierarchy.faults import opened, opened_meta, reading
from spark.engines.unity.hierarchy.find import check_name, find_component, find_object
from spark.engines.unity.hierarchy.ids import GAME_OBJECT, MONO_BEHAVIOUR
from spark.engines.unity.hierarchy.instance_edits import Target
from spark.engines.unity.hierarchy.objects import Component, GameObject
from spark.engines.unity.hierarchy.properties import Properties
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.paths import parse_path
from spark.engines.unity.yaml.values import ref_of

_HIERARCHIES = (".prefab", ".unity")
_GUARDED = ("guid", "fileFormatVersion", "folderAsset")


def edit_asset(path: ProjectPath, content: bytes, edits: Sequence[PropertyEdit], world: World) -> AssetBytes:
    """An asset or `.meta` after its edits, in their order; only the bytes of those properties differ.

    A document is meant by its file id, by object and component (in prefabs and scenes), by the type of its component or
    class where there is one such, or as the only or main one. Raises `not_found`, `ambiguous_match`, `invalid_arguments`,
    `protected_path` for a guid, and what values and references raise; the refusal names the edit as `edits.N`.
    """
    is_meta = path.is_meta
    asset = opened_meta(content, path.text) if is_meta else opened(content, path.text, world.mode)
    session = Session(path, asset, world)
    done = []
    with reading(asset, world.sources.assets):
        for number, edit in enumerate(edits):
            try:
                done.append(_apply(session, edit))
            except ToolRejected as error:
                if len(edits) == 1:
                    raise
                message = f"edits.{number}: {error.message}"
                raise ToolRejected(error.code, message, hint=error.hint, details=error.details) from error
    result: dict[str, Any] = {"edits": done}
    return AssetBytes(asset.to_bytes(), result | ({"notes": session.notes} if session.notes else {}))


def _apply(session: Session, edit: PropertyEdit) -> dict[str, str]:
    if session.path.is_meta:
        return _importer(session, edit)
    if session.path.suffix not in _HIERARCHIES:
        if edit.object is not None:
            raise invalid_arguments({"object": f"nothing: {session.path} holds no objects; name fileId or component"})
        document = _document(session, edit)
        properties = Properties(session.asset, session.world)
        name = properties.set(document, edit.property, edit.value)
        if edit.property == "m_Name" and document is session.asset.documents[0] and edit.value != session.path.stem:
            session.note("Unity expects the main object of an asset to have the name of its file")
        return {"fileId": str(document.file_id), "class": document.class_name, "property": name}
    target = _target(session, edit)
    _refuse_name(session, target, edit)
    if isinstance(target, AssetDocument):
        _refuse_stripped(session, target)
        name = Properties(session.asset, session.world, session.local).set(target, edit.property, edit.value)
        _settle(session, target, name)
        return {"fileId": str(target.file_id), "class": target.class_name, "property": name}
    if isinstance(target, Component) and target.is_transform:
        world_space.note(session, target.owner, edit.property)
    if instance_edits.instance_of(target) is not None:
        names = instance_edits.override(session, target, edit.property, edit.value)
        if "m_Name" in names:
            session.changed()
        session.note("what exists only through an instance was set as an override of the instance")
        return {"object": edit.object or "", "property": ", ".join(names)}
    assert target.document is not None
    name = Properties(session.asset, session.world, session.local).set(target.document, edit.property, edit.value)
    _settle(session, target.document, name)
    return {"fileId": str(target.file_id), "class": target.document.class_name, "property": name}


def _refuse_name(session: Session, target: Target | AssetDocument, edit: PropertyEdit) -> None:
    """An object's name is one line, and that of a prefab's root is its file's."""
    if edit.property not in ("name", "m_Name"):
        return
    at: object = target
    if isinstance(target, AssetDocument):
        at = session.hierarchy.objects.get(target.file_id)
    if isinstance(at, GameObject):
        if not isinstance(edit.value, str):
            raise invalid_arguments({"value": "a name of one line"})
        ops.refuse_root_name(session, at, check_name(edit.value, "value"), "value")


def _settle(session: Session, document: AssetDocument, name: str) -> None:
    if document.class_id == GAME_OBJECT and name == "m_Name":
        session.changed()


def _importer(session: Session, edit: PropertyEdit) -> dict[str, str]:
    """Settings of an importer: its own name may be left out of the path."""
    if edit.file_id is not None or edit.object is not None or edit.component is not None:
        raise invalid_arguments({"property": "alone: a .meta is one document, such as TextureImporter.maxTextureSize"})
    document = session.asset.documents[0]
    steps = parse_path(edit.property)
    if str(steps[0]) in _GUARDED:
        raise ToolRejected(
            "protected_path",
            f"property: {steps[0]} of {session.path} is not changed: references to the asset go by it",
            hint="The settings of the importer may be set.",
            details={"path": session.path.text, "fields": {"property": "a setting of the importer"}},
        )
    name = edit.property
    importers = [key.text for key, value in document.fields.entries() if value.is_mapping]
    if document.fields.get(str(steps[0])) is None and importers:
        name = f"{importers[0]}.{edit.property}"
    return {"property": Properties(session.asset, session.world).set(document, name, edit.value)}


def _target(session: Session, edit: PropertyEdit) -> Target | AssetDocument:
    if edit.file_id is not None:
        return _of_id(session, edit.file_id)
    if edit.object is None:
        return _document(session, edit)
    at, by_id = find_object(session.hierarchy, edit.object)
    if edit.component is not None and edit.component != "GameObject":
        return find_component(session.hierarchy, at, edit.component, session.world.type_name)
    return by_id or at


def _of_id(session: Session, file_id: str) -> Target | AssetDocument:
    number = int(file_id.removeprefix("&"))
    try:
        document = session.asset.document(number)
        if not document.stripped:
            return document
    except ToolRejected as error:
        # What an instance shows has no document of its own, and still an id in a prefab.
        if error.code != "not_found":
            raise
    at = session.hierarchy.by_id(number)
    return session.asset.document(number) if at is None else at[1] or at[0]


def _document(session: Session, edit: PropertyEdit) -> AssetDocument:
    """The document of an edit without an object: by id, by class, or the main one."""
    documents = session.asset.documents
    if edit.file_id is not None:
        return session.asset.document(int(edit.file_id.removeprefix("&")))
    if edit.component is not None:
        found = [d for d in documents if not d.stripped and _is(session, d, edit.component)]
    elif session.path.suffix in _HIERARCHIES:
        raise invalid_arguments({"object": "the object, and component, that the property belongs to; or fileId"})
    else:
        main = [d for d in documents if MAIN_FILE_IDS.get(d.class_name) == d.file_id]
        found = list(documents) if len(documents) == 1 else main
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{d.class_name} &{d.file_id}" for d in (found or documents)[:20])
    raise ToolRejected(
        "ambiguous_match" if found or edit.component is None else "not_found",
        f"fileId: {session.path} has {len(found)} documents {edit.component or 'that could be meant'}",
        hint=f"Name one by fileId: {listed}",
        details={"path": session.path.text, "fields": {"fileId": listed}},
    )


def _is(session: Session, document: AssetDocument, wanted: str) -> bool:
    if document.class_name == wanted:
        return True
    if document.class_id != MONO_BEHAVIOUR:
        return False
    return session.world.script_name(ref_of(document.value("m_Script"))) == wanted.rsplit(".", 1)[-1]


def _refuse_stripped(session: Session, document: AssetDocument) -> None:
    if document.stripped:
        raise ToolRejected(
            "invalid_arguments",
            f"fileId: {document.class_name} &{document.file_id} of {session.path} only stands for an object of an instance",
            hint="editPrefab with op override sets its properties.",
            details={"fields": {"fileId": "a document with properties"}},
        )
