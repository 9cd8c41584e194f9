"""New and edited materials: the shader is found, the order is checked against it, and the bytes are Unity's own.

What cannot be done exactly is refused by name. The rooms behind: `shaders/` (names, properties), `material_order` (values),
`material_rules` (what follows), `material_state` (the document as values), `material_edit` (splicing).
"""

from __future__ import annotations

from typing import Any

from spark.core.assets import AssetBytes, MaterialOrder
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity import material_names
from spark.engines.unity.facts import Facts
from spark.engines.unity.material_edit import write_changes
from spark.engines.unity.material_order import OrderApplier, Ordered, saved_head
from spark.engines.unity.material_rules import RuleSet, rules_of
from spark.engines.unity.material_state import (
    MATERIAL,
    MaterialState,
    default_state,
    insert_sorted,
    material_body,
    read_state,
)
from spark.engines.unity.material_version import MATERIAL_ID, random_file_id, version_document
from spark.engines.unity.shaders import builtin, hdrp, pipelines
from spark.engines.unity.shaders.find import Shader, ShaderFinder
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile, invalid
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import Mode
from spark.engines.unity.yaml.values import ref_of
from spark.engines.unity.yaml.write import document_bytes, file_bytes


def new_material(
    path: ProjectPath, order: MaterialOrder, facts: Facts, files: ProjectFiles, index: ProjectIndex
) -> AssetBytes:
    """A material as this project's editor version writes a new one, with every property of its shader.

    Result: `{shader, renderPipeline, properties: [names set], keywords: [...], warnings: [...]}`.
    Raises `invalid_arguments`, `not_found` (shader, texture), `unsupported_asset`, `ambiguous_match`, `broken_reference`.
    """
    if path.suffix != ".mat":
        raise invalid_arguments({"path": "a path that ends in .mat"})
    shader = ShaderFinder(files, index, facts).by_name(order.shader or _default_shader(facts))
    _check_makeable(shader)
    rules = rules_of(shader.head, _package_version(shader, facts, files))
    state = default_state(shader.head, shader.ref)
    _set_up(state, shader, rules)
    done = OrderApplier(state, rules, files, index).apply(order)
    mode = Mode.for_project(facts.version, one_line=facts.one_line)
    body = material_body(state, path.stem, facts.version)
    documents = [(MATERIAL_ID, document_bytes(MATERIAL, MATERIAL_ID, "Material", body, mode))]
    hidden, note = version_document(shader, rules, facts, files)
    if hidden is not None:
        file_id = random_file_id()
        documents.append((file_id, document_bytes(114, file_id, "MonoBehaviour", hidden, mode)))
    content = file_bytes([made for _, made in sorted(documents)], mode)
    done.warnings.extend([*_pipeline_warnings(shader, facts, rules), *([note] if note else [])])
    return AssetBytes(content, _result(shader.name, state, done, facts))


def edit_material(
    path: ProjectPath, content: bytes, order: MaterialOrder, facts: Facts, files: ProjectFiles, index: ProjectIndex
) -> AssetBytes:
    """The material with what was ordered and what follows from it; every other byte is the same.

    Result: as of `new_material`, with `changed` (properties and fields whose lines differ). Raises the same, and
    `invalid_asset`; `unsupported_asset` for binary files, LFS pointers and the forms of Unity 2018.2 and earlier.
    """
    file = AssetFile.open(content, path.text)
    document = _material_of(file)
    old = _state_of(file, document, content)
    finder = ShaderFinder(files, index, facts)
    present = finder.by_ref(old.shader)
    shader = present if order.shader is None else finder.by_name(order.shader)
    other = shader is not None and shader.ref != old.shader
    new = old.copied()
    unread = pipelines.by_guid(old.shader.guid) if shader is None else None
    if unread is not None:
        # Its name is known, and with it what follows from its properties; which it has is what the material saves.
        new.head = old.head = saved_head(old, unread.name)
    else:
        new.head = old.head = shader.head if shader is not None else None
    rules = rules_of(new.head, _package_version(shader, facts, files) if shader is not None else None)
    parent = ref_of(document.value("m_Parent"))
    if parent is not None and parent.file_id:
        _check_variant(path, order, rules, new, other)
    if other:
        assert shader is not None
        _change_shader(new, shader, rules)
    done = OrderApplier(new, rules, files, index).apply(order)
    if shader is None:
        done.warnings.append("The shader is not on disk: only properties that the material saves already can be set.")
    elif order.shader is not None or order.properties:
        done.warnings.extend(_pipeline_warnings(shader, facts, rules))
    if parent is not None and parent.file_id:
        done.warnings.append("This material is a variant: what was set overrides its parent.")
    changed = write_changes(file, document, old, new)
    name = shader.name if shader is not None else unread.name if unread is not None else ""
    result = _result(name, new, done, facts)
    return AssetBytes(file.to_bytes(), result | {"changed": changed})


def _result(name: str, state: MaterialState, done: Ordered, facts: Facts) -> dict[str, Any]:
    return {
        "shader": name,
        "renderPipeline": facts.pipeline,
        "properties": [*done.names, *done.settings],
        "keywords": list(state.keywords),
        "warnings": done.warnings,
    }


# --- the shader --------------------------------------------------------------------------------------------------------


def _default_shader(facts: Facts) -> str:
    name = pipelines.DEFAULT_SHADERS.get(facts.pipeline)
    if name is None:
        raise invalid_arguments(
            {"shader": "the name of a shader: the project has a render pipeline of its own, so there is no default"}
        )
    return name


def _check_makeable(shader: Shader) -> None:
    """HDRP gives new materials of its shaders a set-up that is known exactly for HDRP/Lit of some versions only."""
    if not shader.name.startswith("HDRP/"):
        return
    if shader.name != "HDRP/Lit" or not hdrp.is_known(shader.version):
        version = ".".join(map(str, shader.version)) if shader.version is not None else "of unknown version"
        raise ToolRejected(
            "unsupported_asset",
            f"{shader.name} of HDRP {version}: how HDRP sets up a new material of it is not known exactly",
            hint=f"Known is HDRP/Lit of HDRP {hdrp.KNOWN_VERSIONS}. Make this one in the Editor, then edit it here.",
            details={"shader": shader.name},
        )


def _package_version(shader: Shader, facts: Facts, files: ProjectFiles) -> tuple[int, int] | None:
    if shader.version is not None or not shader.name.startswith("Universal Render Pipeline/"):
        return shader.version
    return pipelines.package_version(pipelines.URP, facts, files)


def _set_up(state: MaterialState, shader: Shader, rules: RuleSet) -> None:
    """What the pipeline does to a new material before anybody sets a property."""
    if rules.family == "hdrp":
        state.queue = hdrp.QUEUE
        state.keywords = list(hdrp.KEYWORDS)
        state.passes = list(hdrp.PASSES_14 if shader.version == (14, 0) else hdrp.PASSES_17)
        state.floats |= {name: float(value) for name, value in hdrp.SETUP.items() if name in state.floats}
    else:
        rules.apply(state)


def _change_shader(state: MaterialState, shader: Shader, rules: RuleSet) -> None:
    """As Unity does it: saved properties stay, keywords are sorted anew, and what follows from properties is computed."""
    if rules.family == "hdrp" or shader.name.startswith("HDRP/"):
        raise invalid_arguments(
            {"shader": "another one: HDRP sets up much with its shaders; make a new material for it instead"}
        )
    state.shader = shader.ref
    everything = [] if rules.family == "urp" else sorted({*state.keywords, *state.invalid})
    state.keywords, state.invalid = [], []
    for word in everything:
        insert_sorted(state.keywords if state.has_keyword(word) or not state.split_keywords else state.invalid, word)
    rules.apply(state)


def _pipeline_warnings(shader: Shader, facts: Facts, rules: RuleSet) -> list[str]:
    found: list[str] = []
    made_for = pipelines.pipeline_of(shader.name)
    targets = shader.head.targets & {"Built-in", "URP", "HDRP"}
    if made_for is not None and made_for != facts.pipeline:
        found.append(f"{shader.name} is made for {made_for}, but the project renders with {facts.pipeline}.")
    elif shader.name in builtin.LIT_BY_BUILT_IN_ONLY and facts.pipeline in ("URP", "HDRP"):
        found.append(f"{shader.name} is not drawn by {facts.pipeline} (objects turn magenta).")
    elif targets and facts.pipeline not in targets and facts.pipeline != "custom":
        found.append(
            f"{shader.name} is a graph for {', '.join(sorted(targets))}, but the project renders with {facts.pipeline}."
        )
    if shader.source == "known":
        found.append(
            f"The files of {shader.package} are not on disk; the properties are those of its published version, and one that a "
            "later patch brought may be missing: Unity adds it with its default when it saves the material."
        )
    if not rules.family and shader.head.custom_editor:
        found.append(
            f"{shader.name} has an inspector of its own ({shader.head.custom_editor}), which may set keywords and more when the "
            "material is next edited in Unity."
        )
    if shader.head.is_graph:
        found.append("Unity adds the properties of the graph's targets when it saves the material.")
    return found


# --- documents ---------------------------------------------------------------------------------------------------------


def _material_of(file: AssetFile) -> AssetDocument:
    found = [document for document in file.documents if document.class_id == MATERIAL and not document.stripped]
    if len(found) != 1:
        count = "no material" if not found else f"{len(found)} materials"
        raise ToolRejected(
            "unsupported_asset",
            f"{file.name} holds {count}; editMaterial edits files with one",
            hint="Use editAsset with the fileId of the document.",
            details={"path": file.name, "fileIds": [str(document.file_id) for document in found]},
        )
    return found[0]


def _state_of(file: AssetFile, document: AssetDocument, content: bytes) -> MaterialState:
    try:
        return read_state(document, file.name)
    except YamlError as error:
        before = file.documents[: file.documents.index(document)]
        start = len(file.head) + sum(len(other.header) + len(other.body) for other in before) + len(document.header)
        raise invalid(file.name, content, start + error.offset, error.message, document) from error


def _check_variant(path: ProjectPath, order: MaterialOrder, rules: RuleSet, state: MaterialState, other: bool) -> None:
    """What follows from a property depends on the parent's values, and fields are overridden by a mask: not known exactly."""
    if other or order.keywords is not None:
        raise invalid_arguments(
            {"shader" if other else "keywords": f"not for {path.name}, a material variant: edit its parent"}
        )
    for word in order.properties:
        if _others_follow(word, state, rules):
            raise invalid_arguments(
                {
                    f"properties.{word}": f"set on the parent of {path.name}, a variant: keywords or the queue follow from it"
                }
            )


def _others_follow(word: str, state: MaterialState, rules: RuleSet) -> bool:
    """Whether more than the property itself changes with a word of an order."""
    head = state.head
    if head is None:
        return False
    own = head.property(word) is not None
    if not own and (word in material_names.SETTINGS or material_names.is_choice(word)):
        return True
    wanted = "mainTexture" if word in material_names.TILING and not own else word
    return rules.touches(material_names.property_name(wanted, head, f"properties.{word}"))
