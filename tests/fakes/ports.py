"""The ports that a function call reads through, over real files in a folder. Each keeps state and answers as a plain one would."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark.core.assets import AssetBytes, MaterialOrder, NewObject, ObjectOp, PropertyEdit
from spark.core.changes import sha256_of
from spark.core.diagnostics import Checked, Finding
from spark.core.engine import Referrer, ScriptPlace
from spark.core.errors import ToolRejected, Unavailable
from spark.core.paths import ROOTS, ProjectPath
from spark.core.ports import EditorState, FileStat, GeneratedCode, IndexEntry, ScriptOrder
from spark.core.versions import HistoryPage, Provenance, Version
from spark.engines.unity.referrers import referrers
from spark.text.merge import Merge, merge

_GUID = re.compile(rb"^guid: ([0-9a-f]{32})", re.MULTILINE)
_REFERENCE = re.compile(rb"guid: ([0-9a-f]{32})")


class FakeProjectFiles:
    """The files of a folder on disk. Links are refused, as the real adapter does."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        return self._root

    @property
    def embedded_packages(self) -> frozenset[str]:
        folder = self._root / "Packages"
        return frozenset(p.parent.name for p in folder.glob("*/package.json")) if folder.is_dir() else frozenset()

    def parse(self, raw: str, *, field: str = "path") -> ProjectPath:
        return ProjectPath.parse(raw, root=str(self._root), field=field)

    def _place(self, path: ProjectPath) -> Path:
        place = self._root / path.text
        if any(part.is_symlink() for part in (place, *place.parents) if part != self._root):
            raise ToolRejected("path_outside_project", f"{path} is a link")
        return place

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        place = self._place(path)
        if place.is_dir():
            raise ToolRejected("not_found", f"{path} is a folder")
        if not place.is_file():
            return None
        if limit_bytes is not None and place.stat().st_size > limit_bytes:
            raise ToolRejected("too_large", f"{path} has more than {limit_bytes} bytes")
        return place.read_bytes()

    def stat(self, path: ProjectPath) -> FileStat | None:
        place = self._place(path)
        if not place.exists():
            return None
        found = place.stat()
        return FileStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, place.is_dir())

    def names(self, folder: ProjectPath) -> list[str]:
        place = self._place(folder)
        return sorted(child.name for child in place.iterdir()) if place.is_dir() else []


class FakeIndex:
    """An index that looks at the disk each time, so it is always current."""

    def __init__(self, files: FakeProjectFiles) -> None:
        self.complete = True
        self._files = files

    def _paths(self) -> list[ProjectPath]:
        root = self._files.root
        found = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and not p.is_symlink()]
        return [ProjectPath(text) for text in sorted(found) if text.split("/")[0] in ROOTS]

    def __len__(self) -> int:
        return len(self._paths())

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        for path in self._paths():
            if folder is None or path.is_under(folder):
                yield self._entry(path)

    def entry(self, path: ProjectPath) -> IndexEntry | None:
        return self._entry(path) if path in self._paths() else None

    def _entry(self, path: ProjectPath) -> IndexEntry:
        content = self._files.read(path) or b""
        meta = self._files.read(path.meta)
        guid = None if meta is None else guid_in(meta)
        return IndexEntry(path, len(content), 0, sha256_of(content), guid)

    def read(self, path: ProjectPath) -> bytes:
        return self._files.read(path) or b""

    def same_when_folded(self, path: ProjectPath) -> ProjectPath | None:
        known = {path for file in self._paths() for path in (file, *_above(file))}
        return next((p for p in sorted(known) if p.folded == path.folded and p != path), None)

    def path_of_guid(self, guid: str) -> ProjectPath | None:
        metas = [path for path in self._paths() if path.is_meta]
        return next((path.asset for path in metas if guid_in(self._files.read(path) or b"") == guid), None)

    def references_to(self, guid: str) -> tuple[ProjectPath, ...]:
        own = self.path_of_guid(guid)
        return tuple(
            path
            for path in self._paths()
            if guid.encode() in _REFERENCE.findall(self._files.read(path) or b"") and (own is None or path != own.meta)
        )

    def references_to_any(self, guids: Iterable[str]) -> tuple[ProjectPath, ...]:
        return tuple(sorted({path for guid in guids for path in self.references_to(guid)}))

    def duplicate_guids(self) -> dict[str, tuple[ProjectPath, ...]]:
        found: dict[str, tuple[ProjectPath, ...]] = {}
        for path in self._paths():
            guid = guid_in(self._files.read(path) or b"") if path.is_meta else None
            if guid is not None:
                found[guid] = (*found.get(guid, ()), path.asset)
        return {guid: paths for guid, paths in found.items() if len(paths) > 1}


def _above(path: ProjectPath) -> Iterator[ProjectPath]:
    parent = path.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def guid_in(meta: bytes) -> str | None:
    match = _GUID.search(meta)
    return match.group(1).decode() if match else None


class FakeStore:
    """A history in memory. `forget` drops bytes, as for files over the size limit."""

    def __init__(self) -> None:
        self.versions: list[Version] = []
        self._contents: dict[str, bytes] = {}

    def add(self, path: ProjectPath, content: bytes | None, action: str, by: Provenance, size: int = 0) -> Version:
        parent = self.latest(path)
        sha256 = None if content is None else sha256_of(content)
        if content is not None:
            self._contents[sha256_of(content)] = content
        version = Version(
            version_id=f"v_{len(self.versions):08d}",
            path=path.text,
            action=action,
            sha256=sha256,
            size=len(content or b""),
            content="kept",
            author=by.author,
            turn_id=by.turn_id,
            call_id=by.call_id,
            prompt=None,
            git=by.git,
            parent_id=None if parent is None else parent.version_id,
            created_at=f"2026-01-01T00:00:{len(self.versions) % 60:02d}.000Z",
        )
        self.versions.append(version)
        return version

    def forget(self, sha256: str) -> None:
        del self._contents[sha256]

    def version(self, version_id: str) -> Version | None:
        return next((version for version in self.versions if version.version_id == version_id), None)

    def latest(self, path: ProjectPath) -> Version | None:
        return next((version for version in reversed(self.versions) if version.path == path.text), None)

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage:
        rows = [
            version
            for version in reversed(self.versions)
            if (path is None or version.path == path or version.path.startswith(path + "/"))
            and (turn_id is None or version.turn_id == turn_id)
            and (before is None or version.version_id < before)
        ]
        return HistoryPage(tuple(rows[:limit]), rows[limit - 1].version_id if len(rows) > limit else None)

    def turn_versions(self, turn_id: str) -> list[Version]:
        return [version for version in self.versions if version.turn_id == turn_id]

    def call_versions(self, call_id: str) -> list[Version]:
        return [version for version in self.versions if version.call_id == call_id]

    def content(self, sha256: str) -> bytes | None:
        return self._contents.get(sha256)


class FakeReads:
    def __init__(self) -> None:
        self._seen: dict[ProjectPath, set[str]] = defaultdict(set)

    def known_sha256(self, path: ProjectPath) -> frozenset[str]:
        return frozenset(self._seen[path])

    def note(self, path: ProjectPath, sha256: str) -> None:
        self._seen[path].add(sha256)


class FakeEditor:
    """No Editor is connected."""

    def state(self) -> EditorState:
        return EditorState()


class ScriptedCodeModel:
    """Answers with the given scripts in turn; with none left it is away."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = list(scripts)
        self.orders: list[ScriptOrder] = []

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        self.orders.append(order)
        if not self.scripts:
            raise Unavailable("model_unavailable", "no model is connected")
        return GeneratedCode(self.scripts.pop(0), 100, "scripted:test")


@dataclass
class FakeEngine:
    """An engine with one rule each for scripts (braces pair) and assets (the word BROKEN is an error)."""

    newline: str = "\n"
    bom: bool = False
    indent: str = "    "
    guids_made: int = 0
    index: FakeIndex | None = None
    """The project's, where it shall check more than the bytes that it is given."""

    name = "unity"
    editor_version = "2022.3.41f1"

    def brief(self) -> str:
        return "a fake project"

    def new_guid(self) -> str:
        self.guids_made += 1
        return f"{self.guids_made:032x}"

    def meta(self, path: ProjectPath, guid: str, *, folder: bool = False) -> bytes:
        kind = "folderAsset: yes\n" if folder else ""
        return f"fileFormatVersion: 2\nguid: {guid}\n{kind}".encode()

    def guid_in_meta(self, content: bytes) -> str | None:
        return guid_in(content)

    def check(self, path: ProjectPath, content: bytes, before: bytes | None = None) -> list[Finding]:
        known = set() if before is None else {found.code for found in self._findings(path, before)}
        return [found for found in self._findings(path, content) if found.code not in known]

    def _findings(self, path: ProjectPath, content: bytes) -> Iterator[Finding]:
        if path.suffix == ".cs" and content.count(b"{") != content.count(b"}"):
            yield Finding("CS1513", "error", path.text, 1, 1, "braces do not pair", "add the missing brace")
        if path.suffix == ".cs" and b"GameObject.Find(" in content:
            yield Finding("SP0001", "warning", path.text, 1, 1, "Find is slow")
        if path.suffix in (".asset", ".mat") and b"BROKEN" in content:
            yield Finding("SP0100", "error", path.text, 1, 1, "the asset is broken")

    def place_script(
        self, class_name: str, *, namespace: str | None, folder: str | None, base_class: str | None
    ) -> ScriptPlace:
        path = ProjectPath(f"{folder or 'Assets/Scripts'}/{class_name}.cs")
        newline: Any = self.newline
        return ScriptPlace(path, namespace, newline, self.bom, self.indent, "scripts lie there")

    def is_text(self, path: ProjectPath, content: bytes) -> bool:
        utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return (utf16 or b"\x00" not in content) and not content.startswith(b"version https://git-lfs")

    def new_asset(self, path: ProjectPath, kind: str, properties: Mapping[str, Any]) -> AssetBytes:
        return AssetBytes(f"{kind} {dict(properties)}\n".encode(), {"kind": kind})

    def new_prefab(self, path: ProjectPath, objects: Sequence[NewObject], variant_of: ProjectPath | None) -> AssetBytes:
        lines = [f"{item.path} {item.prefab} {[part.type for part in item.components]}" for item in objects]
        return AssetBytes("\n".join([f"base {variant_of}", *lines, ""]).encode())

    def edit_prefab(self, path: ProjectPath, content: bytes, ops: Sequence[ObjectOp]) -> AssetBytes:
        return AssetBytes(content + b"".join(f"{op.op} {op.object} {op.has_value}\n".encode() for op in ops))

    def edit_asset(self, path: ProjectPath, content: bytes, edits: Sequence[PropertyEdit]) -> AssetBytes:
        made = b"".join(f"{edit.property}={edit.value!r}\n".encode() for edit in edits if edit.property != "same")
        return AssetBytes(content + made)

    def new_material(self, path: ProjectPath, order: MaterialOrder) -> AssetBytes:
        return AssetBytes(
            f"{order.shader} {dict(order.properties)} {order.keywords}\n".encode(), {"shader": "Standard"}
        )

    def edit_material(self, path: ProjectPath, content: bytes, order: MaterialOrder) -> AssetBytes:
        return AssetBytes(content + f"{order.shader} {dict(order.properties)} {order.keywords}\n".encode())

    def renamed(self, old: ProjectPath, new: ProjectPath, content: bytes) -> bytes:
        return content.replace(f"m_Name: {old.stem}".encode(), f"m_Name: {new.stem}".encode())

    def outline(self, path: ProjectPath, content: bytes, target: str | None) -> list[str]:
        if not content.startswith(b"%YAML"):
            raise ToolRejected("unsupported_asset", f"{path} is no text asset")
        lines = content.decode().splitlines()
        return [line for line in lines if target is None or target in line]

    def referrers(self, content: bytes, guid: str, file_id: int | None = None) -> list[Referrer]:
        return referrers(content, guid, file_id)

    def merge(self, path: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merge:
        return merge(base, ours, theirs)

    def check_changes(self, changes: Mapping[ProjectPath, bytes | None]) -> list[Finding]:
        return [found for path, content in changes.items() if content for found in self.check(path, content)]

    def check_project(
        self, paths: Sequence[ProjectPath] | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Checked:
        """Each file on its own."""
        findings: list[Finding] = []
        checked = 0
        for entry in self.index.entries() if self.index is not None else ():
            path = entry.path
            if (paths is None or any(path == one or path.is_under(one) for one in paths)) and not stop():
                checked += 1
                findings += self._findings(path, self.index.read(path) if self.index is not None else b"")
        return Checked(tuple(findings), checked, self.index is None or self.index.complete)
