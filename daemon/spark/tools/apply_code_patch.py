"""`applyCodePatch`: every way of editing text files, as one change set that is checked before anything is written."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.changes import ChangeSet, sha256_of
from spark.core.diagnostics import Finding
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import FILE_BYTES, FRAME_BYTES
from spark.core.paths import ROOTS, ProjectPath
from spark.core.ports import Landed
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.protocol.wire import finding_to_wire
from spark.text.diff import joined, unified_diff
from spark.text.patch import FilePatch, Patched, apply_hunks, delete, insert, parse_unified, parse_v4a, replace
from spark.text.patch.matching import weakest
from spark.text.preserve import Document, TextForm, decode, keep_final_newline
from spark.tools.patched_files import PatchedFile, PatchedFiles
from spark.tools.places import missing

_SHOWN_CONTENT_BYTES: Final = 8 * 1024
_SHOWN_DIFF_BYTES: Final = 12 * 1024
_NEEDS: Final = {
    "replace": ("old_content", "new_content"),
    "insertBefore": ("old_content", "new_content"),
    "insertAfter": ("old_content", "new_content"),
    "delete": ("old_content",),
    "unified": ("patch",),
    "v4a": ("patch",),
    "whole": ("new_content",),
}
_UNCHECKED: Final = ("csharp/", "unity/", "json/", "asmdef/", "text/", "yaml/")
"""What `validate: false` accepts: mistakes inside the file, never references or metas that would break."""
_WIRE: Final = {"old_content": "oldContent", "new_content": "newContent", "patch": "patch"}


class ApplyCodePatch(Arguments):
    file_path: str
    patch_type: Literal["replace", "insertBefore", "insertAfter", "delete", "unified", "v4a", "whole"]
    old_content: Annotated[
        str | None, Field(description="Text to find, exact and once: for replace, delete; the inserts' anchor")
    ] = None
    new_content: Annotated[str | None, Field(description="For replace, inserts, whole")] = None
    patch: Annotated[
        str | None, Field(description="For unified (git diff) and v4a (apply_patch); may name several files")
    ] = None
    replace_all: bool | None = None
    expected_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", alias="expectedSha256")] = None
    validate_: Annotated[bool | None, Field(alias="validate", description="Default true: refuse new errors")] = None


async def _run(arguments: ApplyCodePatch, context: ToolContext) -> ToolAnswer:
    for name in _NEEDS[arguments.patch_type]:
        if getattr(arguments, name) is None:
            raise invalid_arguments({_WIRE[name]: f"needed for patchType {arguments.patch_type}"})
    return await asyncio.to_thread(_prepare, arguments, context)


def _prepare(arguments: ApplyCodePatch, context: ToolContext) -> ToolAnswer:
    in_patch = arguments.patch_type in ("unified", "v4a")
    files = PatchedFiles(context, "patch" if in_patch else "filePath")
    path = PatchedFiles(context, "filePath").parse(arguments.file_path)
    if arguments.expected_sha256 is not None:
        files.expected[path] = arguments.expected_sha256
    if in_patch:
        path = _apply_sections(arguments, path, files)
    elif arguments.patch_type == "whole":
        _write_whole(path, arguments.new_content or "", files, arguments.expected_sha256)
    else:
        patched = _edit(arguments, files.load(path))
        files.levels.append(patched.matched)
        files.put(path, patched.document.encode())
    changes = files.changes()
    findings = _checked(files, context) if arguments.validate_ is not False else []
    whole = frozenset([path]) if arguments.patch_type == "whole" else frozenset()
    removed = frozenset(change.path for change in changes if change.content is None)
    sources = frozenset(change.moved_from for change in changes if change.moved_from is not None)
    change_set = ChangeSet(tuple(changes), overwrites=whole | (removed - sources))
    diffs = [_diff(file, files) for file in files.changed() if file.now is not None or not _is_source(file, files)]
    return ToolAnswer(
        _result(path, files, findings, diffs),
        change_set,
        joined(diffs),
        tuple(findings),
        complete=_completed(path),
        forced=_UNCHECKED if arguments.validate_ is False else (),
    )


def _edit(arguments: ApplyCodePatch, document: Document) -> Patched:
    old, new = arguments.old_content, arguments.new_content or ""
    if arguments.patch_type == "replace":
        return replace(document, old, new, everywhere=bool(arguments.replace_all))
    if arguments.patch_type == "delete":
        return delete(document, old)
    return insert(document, old, new, where="before" if arguments.patch_type == "insertBefore" else "after")


def _write_whole(path: ProjectPath, text: str, files: PatchedFiles, expected: str | None) -> None:
    """A new text file, or all of an existing one in that one's own form."""
    if files.context.files.stat(path) is None:
        if expected is not None:
            raise missing(files.context, path, "filePath", hint="Leave expectedSha256 out to make a new file.")
        files.add(path, Document(text.removeprefix("\ufeff"), TextForm()).encode())
        return
    document = files.load(path)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    content = document.with_text(keep_final_newline(document.text, plain)).encode()
    files.levels.append("alreadyApplied" if content == files.files[path].now else "exact")
    files.put(path, content)


# -- patches of several files ----------------------------------------------------------------------------------------


def _apply_sections(arguments: ApplyCodePatch, path: ProjectPath, files: PatchedFiles) -> ProjectPath:
    """Applies every section; returns where the file of `filePath` is afterwards."""
    text = arguments.patch or ""
    if len(text) > min(FRAME_BYTES, 4 * FILE_BYTES):
        raise ToolRejected("too_large", "patch: too long", hint="Apply it in several calls.")
    sections = parse_unified(text) if arguments.patch_type == "unified" else parse_v4a(text)
    touched: set[ProjectPath] = set()
    result = path
    for section in sections:
        names = (section.old_path, section.new_path)
        old, new = (_named(name, section, path, files, alone=len(sections) == 1) for name in names)
        if section.binary:
            raise ToolRejected(
                "unsupported_asset", f"patch: {new or old} is binary", hint="Leave binary files out of the patch."
            )
        touched |= {name for name in (old, new) if name is not None}
        _apply_section(section, old, new, files, marks="\ufeff" in text)
        if old == path and new is not None and not section.copy:
            result = new
    if path not in touched:
        named = ", ".join(sorted(name.text for name in touched)[:5])
        raise invalid_arguments({"filePath": f"one of the files that the patch names ({named})"})
    return result


def _named(
    name: str | None, section: FilePatch, path: ProjectPath, files: PatchedFiles, *, alone: bool
) -> ProjectPath | None:
    """The file that a section's header names; an empty name stands for `filePath`, /dev/null for none."""
    if name is None:
        return None
    if not name:
        return path
    plain = (re.sub(r"^[a-z]/", "", name) if section.strip else name).removeprefix("./")
    if alone and plain.split("/", 1)[0] not in ROOTS and (path.text == plain or path.text.endswith("/" + plain)):
        # Models often write the bare file name; with one file it is plain which one they mean.
        return path
    return files.parse(plain)


def _apply_section(
    section: FilePatch, old: ProjectPath | None, new: ProjectPath | None, files: PatchedFiles, *, marks: bool
) -> None:
    """One file's part. `marks`: the patch writes byte order marks, so they belong to the text that it is compared with."""
    if old is None and new is not None:
        _add(section, new, files)
        return
    assert old is not None
    if new is None and not files.is_there(old) and not section.hunks:
        files.levels.append("alreadyApplied")
        return
    document = files.load(old)
    form = document.form
    if marks and form.bom and form.encoding == "utf-8":
        document = Document("\ufeff" + document.raw, TextForm(newline=form.newline, mixed=form.mixed))
    try:
        patched = apply_hunks(document, section.hunks)
    except ToolRejected as error:
        error.details.setdefault("path", old.text)
        raise ToolRejected(error.code, f"{old}: {error.message}", hint=error.hint, details=error.details) from error
    files.levels.append(patched.matched)
    content = patched.document.encode()
    if new is None:
        _delete(section, old, content, files)
    elif section.copy:
        files.add(new, content)
    elif new != old:
        files.move(old, new, content)
    else:
        files.put(old, content)


def _add(section: FilePatch, path: ProjectPath, files: PatchedFiles) -> None:
    patched = apply_hunks(Document("", TextForm()), section.hunks)
    files.add(path, patched.document.encode())


def _delete(section: FilePatch, path: ProjectPath, content: bytes, files: PatchedFiles) -> None:
    if section.hunks and decode(content).text:
        raise ToolRejected(
            "patch_does_not_apply",
            f"{path}: the patch deletes it, but it holds more than the patch says",
            hint="Read the file again; deleteAsset deletes a file whatever it holds.",
            details={"path": path.text},
        )
    files.remove(path)


# -- the answer ------------------------------------------------------------------------------------------------------


def _checked(files: PatchedFiles, context: ToolContext) -> list[Finding]:
    """What is new against the file before. Raises `invalid_script` or `invalid_asset` for new errors."""
    found: list[Finding] = []
    for file in files.changed():
        if file.now is not None and context.engine.is_text(file.path, file.now):
            origin = files.files[file.source] if file.before is None and file.source is not None else file
            found += context.engine.check(file.path, file.now, origin.before)
    errors = [finding for finding in found if finding.severity == "error"]
    if not errors:
        return found
    first = errors[0]
    is_script = first.path.endswith(".cs")
    raise ToolRejected(
        "invalid_script" if is_script else "invalid_asset",
        f"the patch would break {first.path} at line {first.line}: {first.message}; nothing was written",
        hint=first.fix or "Correct the patch; validate=false writes it all the same.",
        details={"path": first.path, "findings": [finding_to_wire(finding) for finding in errors[:20]]},
    )


def _is_source(file: PatchedFile, files: PatchedFiles) -> bool:
    return any(other.source == file.path for other in files.files.values())


def _diff(file: PatchedFile, files: PatchedFiles) -> str:
    if file.before is None and file.source is not None:
        return unified_diff(files.files[file.source].before, file.now, file.path.text, old_path=file.source.text)
    return unified_diff(file.before, file.now, file.path.text)


def _result(
    path: ProjectPath, files: PatchedFiles, findings: Sequence[Finding], diffs: Sequence[str]
) -> dict[str, Any]:
    file = files.files.get(path)
    content = None if file is None else file.now
    result: dict[str, Any] = {
        "path": path.text,
        "sha256": None if content is None else sha256_of(content),
        "matched": weakest(files.levels),
        "diagnostics": [finding_to_wire(finding) for finding in findings],
        "diff": joined(diffs, _SHOWN_DIFF_BYTES),
    }
    if not files.changed():
        result["unchanged"] = True
    if len(files.changed()) > 1:
        result["files"] = [
            {"path": item.path.text, "sha256": None if item.now is None else sha256_of(item.now)}
            for item in files.changed()
        ]
    if content is not None and len(content) <= _SHOWN_CONTENT_BYTES:
        result["newContent"] = decode(content).text
    return result


def _completed(path: ProjectPath) -> Any:
    """The answer once it landed: where the user's newer bytes were merged in, the hash is the merged file's."""

    def complete(result: Mapping[str, Any], landed: Landed) -> Mapping[str, Any]:
        final = dict(result)
        for change in landed.changes:
            if change.path == path:
                final["sha256"] = change.sha256_after
        if landed.merged:
            # What was merged in is not in the text or the diff that was prepared.
            final.pop("newContent", None)
            final["merged"] = sorted(item.text for item in landed.merged)
        return final

    return complete


APPLY_CODE_PATCH: Final = Tool(
    name="applyCodePatch",
    description="Edit text files; read them first. What is found in several places, or would break the file, is refused. "
    "BOM, line ends and final newline stay. whole on a new path makes any text asset with its .meta.",
    arguments=ApplyCodePatch,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
)
