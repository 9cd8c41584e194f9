"""The files that a patch touches, as it leaves them: reads, checks that they may be edited, and makes the change set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from spark.core.changes import FileChange, sha256_of
from spark.core.errors import ToolRejected
from spark.core.limits import FILE_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import ToolContext
from spark.text.patch import Level
from spark.text.preserve import Document, decode
from spark.tools.places import NewAssets, refuse_existing, wants_meta, writable
from spark.tools.read_file import load_text
from spark.tools.referrers import broken, referrers


@dataclass(slots=True)
class PatchedFile:
    """One file: its bytes on disk and as the patch leaves them (None: absent). `source`: where it was moved from."""

    path: ProjectPath
    before: bytes | None
    now: bytes | None
    source: ProjectPath | None = None

    @property
    def origin(self) -> ProjectPath:
        return self.source or self.path


@dataclass
class PatchedFiles:
    """All files of one patch. Sections that name a file twice see each other's result."""

    context: ToolContext
    field_name: str
    expected: dict[ProjectPath, str] = field(default_factory=dict)
    files: dict[ProjectPath, PatchedFile] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)

    def parse(self, raw: str) -> ProjectPath:
        return writable(self.context, raw, self.field_name)

    def load(self, path: ProjectPath) -> Document:
        """The file's text as the patch has it so far. Raises `not_found`, `unsupported_asset`, `too_large`, `conflict`."""
        known = self.files.get(path)
        if known is not None and known.now is not None:
            return decode(known.now, path=path.text)
        if known is not None:
            raise ToolRejected(
                "not_found", f"{self.field_name}: the patch itself deletes or moves {path}", details={"path": path.text}
            )
        content, document = load_text(self.context, path, self.field_name)
        self._check_known(path, content)
        self.files[path] = PatchedFile(path, content, content)
        return document

    def _check_known(self, path: ProjectPath, content: bytes) -> None:
        present = sha256_of(content)
        expected = self.expected.get(path)
        if expected is not None:
            if expected == present:
                return
            raise ToolRejected(
                "conflict",
                f"{path} is not as expected: it was changed since",
                hint="Read it again with readFile, then make the patch from what it says now.",
                details={"path": path.text, "expectedSha256": expected, "presentSha256": present},
            )
        if self.context.own_turn or present in self.context.reads.known_sha256(path):
            return
        seen = bool(self.context.reads.known_sha256(path))
        raise ToolRejected(
            "conflict",
            f"{path} was {'changed since it was read' if seen else 'not read'} in this conversation",
            hint="Call readFile first, or give expectedSha256.",
            details={"path": path.text, "presentSha256": present},
        )

    def put(self, path: ProjectPath, content: bytes) -> None:
        """New bytes of a file that was loaded."""
        if len(content) > FILE_BYTES:
            raise ToolRejected(
                "too_large",
                f"{path} would have {len(content)} bytes; at most {FILE_BYTES}",
                hint="Split it into several files.",
                details={"path": path.text, "limitBytes": FILE_BYTES},
            )
        self.files[path].now = content

    def is_there(self, path: ProjectPath) -> bool:
        known = self.files.get(path)
        return known.now is not None if known is not None else self.context.files.stat(path) is not None

    def add(self, path: ProjectPath, content: bytes) -> None:
        """A new file. Raises `already_exists`; the same bytes already there are no change."""
        known = self.files.get(path)
        if known is None:
            found = self.context.files.stat(path)
            same = found is not None and not found.is_folder and found.size == len(content)
            if same and self.context.files.read(path) == content:
                self.files[path] = PatchedFile(path, content, content)
                self.levels.append("alreadyApplied")
                return
            hint = "Change an existing file with replace, unified or v4a, or overwrite it with whole."
            refuse_existing(self.context, path, self.field_name, hint=hint)
            self.files[path] = PatchedFile(path, None, None)
        elif known.now is not None:
            raise ToolRejected("already_exists", f"the patch makes {path} twice", details={"path": path.text})
        self.put(path, content)
        self.levels.append("exact")

    def remove(self, path: ProjectPath) -> None:
        """Deletes a file that was loaded."""
        self.files[path].now = None

    def move(self, path: ProjectPath, target: ProjectPath, content: bytes) -> None:
        """Moves a file that was loaded, with new bytes."""
        if self.is_there(target):
            hint = "Name a path that is free."
            refuse_existing(self.context, target, self.field_name, hint=hint)
        elif target not in self.files:
            refuse_existing(self.context, target, self.field_name, hint="Name a free path.", leaving=path.text)
        moved = self.files[path]
        self.files[target] = PatchedFile(target, self.files[target].before if target in self.files else None, None)
        self.files[target].source = moved.origin if moved.before is not None or moved.source else None
        self.put(target, content)
        moved.now = None

    # -- the change set ----------------------------------------------------------------------------------------------

    def changed(self) -> list[PatchedFile]:
        return [file for file in self.files.values() if file.before != file.now]

    def changes(self) -> list[FileChange]:
        """All files with their metas. Raises `broken_reference` for what would cost a guid that something needs."""
        self._check_metas()
        new = NewAssets(self.context)
        made: list[FileChange] = []
        sources = {file.source for file in self.changed() if file.source is not None and file.before is None}
        deleted: list[ProjectPath] = []
        for file in self.changed():
            before = None if file.before is None else sha256_of(file.before)
            if file.before is None:
                made += new.folders(file.path)
            source = file.source if file.before is None else None
            made.append(FileChange(file.path, before, file.now, source, base=file.before))
            if file.path.is_meta or file.path.meta in self.files:
                continue
            if file.before is None and file.source is not None:
                made += self._moved_meta(file.source, file.path, new)
            elif file.before is None:
                made += new.meta(file.path)
            elif file.now is None and file.path not in sources:
                deleted.append(file.path)
        made += self._deleted_metas(deleted)
        return made

    def _moved_meta(self, source: ProjectPath, target: ProjectPath, new: NewAssets) -> Iterator[FileChange]:
        meta = self.context.files.read(source.meta)
        if meta is None or not wants_meta(target):
            yield from new.meta(target)
            return
        yield FileChange(source.meta, sha256_of(meta), None)
        yield FileChange(target.meta, None, meta, source.meta)

    def _deleted_metas(self, paths: list[ProjectPath]) -> list[FileChange]:
        metas = {path.meta: self.context.files.read(path.meta) for path in paths}
        held = {path: content for path, content in metas.items() if content is not None}
        left = referrers(self.context, held, [*self.files, *held])
        if left:
            raise broken(
                left, f"{next(iter(left))} is not deleted", "Take the references out first, or use deleteAsset."
            )
        return [FileChange(path, sha256_of(content), None) for path, content in held.items()]

    def _check_metas(self) -> None:
        """A guid is what everything else in the project knows an asset by."""
        engine = self.context.engine
        for file in self.changed():
            if not file.path.is_meta:
                continue
            old = file.before if file.source is None or file.before is not None else self.files[file.source].before
            before = None if old is None else engine.guid_in_meta(old)
            now = None if file.now is None else engine.guid_in_meta(file.now)
            asset = self.files.get(file.path.asset)
            leaves = asset is not None and asset.now is None
            comes = asset is not None and asset.before is None and asset.now is not None
            taken = self.context.index.path_of_guid(now) if now and old is None else None
            if file.now is None:
                allowed, why = leaves, "without it Unity gives the asset a new guid, and every reference to it breaks"
            elif taken is not None:
                allowed, why = False, f"its guid belongs to {taken}"
            elif file.before is None:
                allowed = comes and now is not None and (old is None or now == before)
                why = "a .meta is made and moved with its asset, not by itself"
            else:
                allowed = before == now
                why = f"its guid would change from {before} to {now}, and every reference to it would break"
            if allowed:
                continue
            raise ToolRejected(
                "broken_reference",
                f"{file.path} is not changed: {why}",
                hint="Leave the guid line and the .meta as they are; moveAsset and deleteAsset take metas along.",
                details={"path": file.path.text},
            )
