"""One prefab or scene while it is being changed: its documents, the hierarchy that follows from them, and what is to be
said of the changes."""

from __future__ import annotations

from functools import cached_property

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.hierarchy import changes
from spark.engines.unity.hierarchy.find import find_object, objects_at, path_of
from spark.engines.unity.hierarchy.ids import TRANSFORMS, new_id
from spark.engines.unity.hierarchy.inside import by_source_id, id_here
from spark.engines.unity.hierarchy.links import Links
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance
from spark.engines.unity.hierarchy.order import Order
from spark.engines.unity.hierarchy.structure import Hierarchy, Kept
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import Ref, Value

_ROOT_ORDER_UNTIL = EditorVersion(2022, 3)


class Session:
    """`notes` are sentences for the answer. Whatever changes who belongs to whom says so by a function of `changes`, or, where
    there is none for it, by `changed`."""

    def __init__(self, path: ProjectPath, asset: AssetFile, world: World) -> None:
        self.path = path
        self.asset = asset
        self.world = world
        self.notes: list[str] = world.references.notes
        self.other_roots: tuple[str, ...] = ()
        self.is_scene = path.suffix == ".unity"
        self._hierarchy: Hierarchy | None = None
        self._kept: Kept = {}
        self.order = Order(asset, scene=self.is_scene)
        self.links = Links()
        self.sound: set[AssetDocument] = set()
        """Documents that were seen to be readable."""

    @property
    def hierarchy(self) -> Hierarchy:
        if self._hierarchy is None:
            if not isinstance(self.asset.documents, list):
                # All of them are looked at from here on, again and again.
                self.asset.documents = list(self.asset.documents)
            self._hierarchy = Hierarchy(self.asset, self.world.sources, self._kept)
        return self._hierarchy

    @property
    def version(self) -> EditorVersion:
        return self.world.version

    def changed(self) -> None:
        """The hierarchy is read again when it is next asked for; objects that were found before are old."""
        self._hierarchy = None

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def refuse_old_form(self) -> None:
        """Raises `unsupported_asset` for a file of Unity before 2018.3: its references between prefabs are of another kind."""
        if self.hierarchy.old_form:
            raise ToolRejected(
                "unsupported_asset",
                f"{self.path} was last saved by a Unity before 2018.3; its objects can be read but not rearranged here",
                hint="Open and save it in the Editor once; single properties can be set with editAsset.",
                details={"path": self.path.text},
            )

    def new_id(self) -> int:
        return new_id(self.hierarchy.documents, scene=self.is_scene)

    def find(self, text: str, field: str = "object") -> GameObject:
        return find_object(self.hierarchy, self.aliased(text), field=field)[0]

    def aliased(self, path: str) -> str:
        """A path with the root's own name: while a prefab is made, callers may call the root by another one."""
        for other in self.other_roots:
            if path == other or path.startswith((other + "/", other + ":")):
                return self.hierarchy.roots[0].name + path[len(other) :]
        return path

    def local(self, path: str) -> Ref | None:
        """`Root/Body` or `Root/Body:BoxCollider` of this file as a reference; None where there is no such object. What
        exists only through an instance gets a stripped document, as the Editor gives it one."""
        path = self.aliased(path)
        found = objects_at(self.hierarchy, path) or self._by_id(path)
        if len(found) == 1:
            return Ref(self.stripped_object(found[0]))
        owner, colon, wanted = path.rpartition(":")
        if found or not colon:
            return None
        owners = objects_at(self.hierarchy, owner) or self._by_id(owner)
        if len(owners) != 1:
            return None
        if wanted == "GameObject":
            return Ref(self.stripped_object(owners[0]))
        for component in self.hierarchy.components(owners[0]):
            if self.fits(component, wanted):
                return Ref(self.stripped_component(component))
        return None

    def _by_id(self, text: str) -> list[GameObject]:
        digits = text.removeprefix("&")
        at = self.hierarchy.by_id(int(digits)) if digits.removeprefix("-").isdigit() else None
        return [at[0]] if at is not None else []

    def fits(self, component: Component, wanted: str) -> bool:
        """Whether a component is of a type or of one that derives from it."""
        from spark.engines.unity.references.kinds import fits

        if component.script is None:
            return component.class_name == wanted or bool(fits(component.class_name, wanted))
        if wanted in ("Component", "Behaviour", "MonoBehaviour", "Object"):
            return True
        name = self.world.script_name(component.script)
        return wanted.rsplit(".", 1)[-1] == name or self.world.script_derives(component.script, wanted)

    def again(self, old: GameObject | None) -> GameObject | None:
        """The object that this one is now that the hierarchy was read again; None for None (the top of a scene)."""
        if old is None:
            return None
        if old.instance is None:
            return self.hierarchy.objects[old.file_id or 0]
        instance = self.hierarchy.instances[old.instance.file_id]
        at = old.source_id if old.source_id is not None else old.source_transform_id
        found = by_source_id(self.hierarchy, instance, at) if at is not None else None
        return found[0] if found is not None else instance.root

    def path_of(self, at: GameObject) -> str:
        return path_of(self.hierarchy, at)

    def document(self, file_id: int | None) -> AssetDocument:
        """Raises `not_found`, `invalid_asset` where two documents have the id."""
        known = self.hierarchy.documents.get(file_id or 0)
        return (
            known if known is not None and file_id not in self.hierarchy.doubled else self.asset.document(file_id or 0)
        )

    @property
    def scene_roots(self) -> AssetDocument | None:
        return self.hierarchy.scene_roots

    @cached_property
    def keeps_root_order(self) -> bool:
        """Whether transforms say their place by `m_RootOrder`: up to 2022.2, and in a scene that was not saved since."""
        if self.version < _ROOT_ORDER_UNTIL:
            return True
        if not self.is_scene or self.scene_roots is not None:
            return False
        return any(
            d.class_id in TRANSFORMS and d.find("m_RootOrder") is not None
            for d in self.asset.documents
            if not d.stripped
        )

    def stripped(self, instance: Instance, source_id: int, class_id: int, class_name: str) -> int:
        """The id of the document that stands for something of an instance's prefab; it is made where there is none."""
        if source_id in instance.stripped:
            return instance.stripped[source_id].file_id
        file_id = id_here(self.hierarchy, instance, source_id)
        if file_id is None or file_id in self.hierarchy.documents:
            file_id = self.new_id()
        body: dict[str, Value] = {
            "m_CorrespondingSourceObject": Ref(source_id, instance.source_ref.guid, 3),
            "m_PrefabInstance": Ref(instance.file_id),
            "m_PrefabAsset": Ref(),
        }
        document = self.asset.new_document(class_id, file_id, class_name, body, stripped=True)
        self.order.place_stripped(document, instance.file_id)
        changes.took_stripped(self.hierarchy, instance, source_id, document)
        return file_id

    def stripped_object(self, at: GameObject) -> int:
        """The id by which this file can refer to an object: its own, or of a stripped document. Raises `unsupported_asset`
        inside models."""
        if at.instance is None:
            assert at.file_id is not None
            return at.file_id
        if at.source_id is None:
            raise self.closed(at)
        return self.stripped(at.instance, at.source_id, 1, "GameObject")

    def stripped_transform(self, at: GameObject) -> int:
        """The same for its Transform."""
        if at.instance is None:
            if at.transform_id is None:
                raise ToolRejected("invalid_asset", f"{self.path}: {self.path_of(at)} &{at.file_id} has no Transform")
            return at.transform_id
        if at.source_transform_id is None:
            raise self.closed(at)
        transform = next((c for c in self.hierarchy.components(at) if c.is_transform), None)
        kind = (transform.class_id, transform.class_name) if transform is not None else (4, "Transform")
        return self.stripped(at.instance, at.source_transform_id, *kind)

    def stripped_component(self, component: Component) -> int:
        """The same for a component."""
        if component.file_id is not None and component.file_id in self.hierarchy.documents:
            return component.file_id
        instance = component.owner.instance
        assert instance is not None
        assert component.source_id is not None
        if component.script is not None:
            return self._stripped_script(instance, component)
        return self.stripped(instance, component.source_id, component.class_id, component.class_name)

    def _stripped_script(self, instance: Instance, component: Component) -> int:
        """A stripped MonoBehaviour also says its object and script."""
        assert component.source_id is not None
        file_id = self.stripped(instance, component.source_id, component.class_id, component.class_name)
        document = self.document(file_id)
        if document.find("m_Script") is None:
            owner = component.owner
            known = instance.stripped.get(owner.source_id) if owner.source_id is not None else None
            rest: dict[str, Value] = {
                "m_GameObject": Ref(known.file_id if known is not None else 0),
                "m_Enabled": 1,
                "m_EditorHideFlags": 0,
                "m_Script": component.script,
                "m_Name": "",
                "m_EditorClassIdentifier": "",
            }
            for key, value in rest.items():
                self.asset.insert(document, (), key, value)
        return file_id

    def closed(self, at: GameObject) -> ToolRejected:
        """The refusal for something inside a model or a missing prefab."""
        assert at.instance is not None
        source = at.instance.source
        if isinstance(source.fault, ToolRejected):
            return source.fault
        return ToolRejected(
            "unsupported_asset",
            f"{self.path}: {self.path_of(at)} belongs to an instance of {source.name}: {source.why}",
            hint="Do it in the Editor, or at the root of the instance.",
            details={"path": self.path.text, "source": source.name},
        )
