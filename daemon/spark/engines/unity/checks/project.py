"""The check of a project, or of a part of it: every file on its own, then names, guids and references together.

Reads through the ports; holds facts by the hash of their bytes, so that what did not change is not looked at twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final

from spark.core.changes import sha256_of
from spark.core.diagnostics import Checked, Finding
from spark.core.errors import SparkError
from spark.core.limits import ASSET_BYTES, FILE_BYTES
from spark.core.paths import ProjectPath
from spark.core.patience import go_on
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.check import TEXT_SUFFIXES, check_file
from spark.engines.unity.checks.cache import FactsCache
from spark.engines.unity.checks.facts import Fault, FileFacts, facts_of
from spark.engines.unity.checks.metas import OTHER_IMPORTER, wrong_importer
from spark.engines.unity.checks.names import Folders, name_findings, taken_guids
from spark.engines.unity.checks.nesting import held_prefabs, in_rings, nested_in_itself
from spark.engines.unity.checks.outward import (
    Place,
    Target,
    lacks,
    may_be_misused,
    missing_asset,
    missing_object,
    misused,
    places_of,
    target_of,
)
from spark.engines.unity.checks.packages import missing_packages
from spark.engines.unity.csharp.check import CSharpContext
from spark.engines.unity.text_assets import BINARY_SUFFIXES, JSON_SUFFIXES, YAML_SUFFIXES

_RANK: Final = {"error": 0, "warning": 1, "info": 2}
_POINTER_BYTES: Final = 1024
_PLACES_KEPT: Final = 20_000
_UNKNOWN_BYTES: Final = 16 * 1024 * 1024
"""Of a file whose name says nothing: it may be an asset all the same."""


class ProjectChecks:
    """One per engine. `context` says what a script at a path is compiled with."""

    def __init__(
        self, files: ProjectFiles, index: ProjectIndex, context: Callable[[ProjectPath], CSharpContext]
    ) -> None:
        self.files = files
        self.index = index
        self.context = context
        self._cache = FactsCache()
        self._places: dict[tuple[str, str, bytes | None], list[Place]] = {}
        self._held: tuple[str, bytes] = ("", b"")

    def run(self, paths: Sequence[ProjectPath] | None = None, stop: Callable[[], bool] = lambda: False) -> Checked:
        """Findings of files and folders, with what they have to do with the rest of the project; None: of everything.

        `stop` is asked between files: what was found until then is answered, as not complete.
        """
        return _Run(self, paths, stop).checked()

    def facts(
        self, path: ProjectPath, sha256: str | None = None, context: CSharpContext | None = None
    ) -> FileFacts | None:
        """Facts of a file as it is on disk (or is known to be, by its hash); None where it cannot be read or says nothing."""
        return self.hashed_facts(path, sha256, context)[0]

    def hashed_facts(
        self, path: ProjectPath, sha256: str | None, context: CSharpContext | None
    ) -> tuple[FileFacts | None, str]:
        """The same with the hash of the bytes that they are of; empty where there are none."""
        tag, limit_bytes = _tag(path)
        if tag == ".cs":
            context = context or self.context(path)
            tag = (path.stem, context)
        if sha256 is not None:
            held = self._cache.get((sha256, tag))
            if held is not None:
                return held, sha256
        try:
            content = self.files.read(path, limit_bytes=limit_bytes)
        except SparkError as error:
            return _unread(path, error), ""
        except OSError:
            content = None
        if content is None:
            return None, ""
        sha256 = sha256_of(content)
        facts = self._cache.get((sha256, tag))
        if facts is None:
            facts = _judged(path, content, context)
            self._cache.put((sha256, tag), facts)
        return facts, sha256

    def read(self, path: ProjectPath) -> bytes | None:
        """The bytes; None where there are none to judge: gone, a link, not allowed, too large."""
        try:
            return self.files.read(path, limit_bytes=_tag(path)[1])
        except (SparkError, OSError):
            return None

    def places(self, path: ProjectPath, sha256: str, guid: str, file_id: bytes | None) -> list[Place]:
        """Where a file names a guid, kept for the file's bytes; unknown places where it changed meanwhile."""
        key = (sha256, guid, file_id)
        places = self._places.get(key)
        if places is None:
            if self._held[0] != sha256:
                # The same file is asked about again and again.
                self._held = (sha256, self.read(path) or b"")
            places = places_of(self._held[1], guid, file_id) or [Place(0, 0, b"")]
            if len(self._places) >= _PLACES_KEPT:
                self._places.clear()
            self._places[key] = places
        return places

    def exists(self, path: ProjectPath) -> bool:
        try:
            return self.files.stat(path) is not None
        except SparkError as error:
            # A link, or a package elsewhere on this disk: there, and not looked into.
            return error.code == "path_outside_project"
        except OSError:
            return False


NO_CONTEXT: Final = CSharpContext(frozenset(), frozenset())
_KNOWN: Final = YAML_SUFFIXES | JSON_SUFFIXES | TEXT_SUFFIXES
_META: Final = (".meta", ASSET_BYTES)


def _tag(path: ProjectPath) -> tuple[Hashable, int]:
    """What of the name the answer depends on, and how many bytes are read of such a file."""
    if path.text.endswith(".meta"):
        return _META
    suffix = path.suffix
    if suffix == ".cs":
        return suffix, FILE_BYTES
    if suffix == ".asset" and "/StreamingAssets/" in path.text:
        suffix = "raw"
    return suffix, ASSET_BYTES if suffix in _KNOWN else _UNKNOWN_BYTES


def _is_known(path: ProjectPath) -> bool:
    """Whether the name says that it should be text."""
    return path.is_meta or path.suffix == ".cs" or path.suffix in _KNOWN


def _judged(path: ProjectPath, content: bytes, context: CSharpContext | None) -> FileFacts:
    facts = facts_of(path, content)
    if facts.kind != "other" or path.suffix in YAML_SUFFIXES or not _is_known(path):
        return facts
    found = check_file(path, content, None, context or NO_CONTEXT)
    faults = tuple(Fault(f.code, f.severity, f.line, f.column, f.message, f.fix) for f in found)
    return FileFacts("other", faults, references=facts.references) if faults else facts


def _unread(path: ProjectPath, error: SparkError) -> FileFacts | None:
    if error.code == "forbidden":
        fault = Fault("text/unreadable", "warning", 0, 0, error.message, error.hint)
    elif error.code == "too_large" and _is_known(path):
        fault = Fault("text/too-large", "info", 0, 0, f"not judged: {error.message}")
    else:
        return None
    return FileFacts("other", (fault,))


class _Run:
    """One check. `_wanted` says whether a path is asked about."""

    def __init__(self, checks: ProjectChecks, paths: Sequence[ProjectPath] | None, stop: Callable[[], bool]) -> None:
        self._checks = checks
        self._stop = stop
        self._paths = None if paths is None else frozenset(path.text for path in paths)
        self._above = {parent for path in paths or () for parent in _parents(path.text)}
        self._contexts: dict[str, CSharpContext] = {}
        self._sha256: dict[str, str | None] = {}
        self._targets: dict[str, Target] = {}
        self._missing_packages = missing_packages(checks.files)
        self._unjudged: dict[str, int] = {}
        self._folders = Folders((), frozenset())
        self._seen: dict[str, tuple[FileFacts | None, str]] = {}

    def checked(self) -> Checked:
        index = self._checks.index
        entries = list(index.entries())
        self._sha256 = {entry.path.text: entry.sha256 for entry in entries}
        self._folders = Folders(self._sha256, self._checks.files.embedded_packages)
        chosen = entries if self._paths is None else [entry for entry in entries if self._wanted(entry.path.text)]
        findings: list[Finding] = []
        checked = 0
        complete = index.complete
        for entry in chosen:
            if self._stop():
                complete = False
                break
            go_on()
            facts, _ = self._facts(entry.path, entry.size)
            checked += 1
            if facts is not None and facts.faults:
                findings += [fault.at(entry.path) for fault in facts.faults]
            if facts is not None and facts.importer:
                findings += importer_findings(entry.path, facts.importer)
        for path, (facts, sha256) in list(self._seen.items()):
            if facts is not None and facts.references and self._wanted(path):
                findings += self._outward(ProjectPath(path), facts, sha256)
        findings += self._nested()
        findings += name_findings(self._folders, self._wanted_name, self._is_folder_meta, self._exists)
        findings += taken_guids(index.duplicate_guids(), self._wanted)
        findings += self._packages()
        findings.sort(key=order)
        return Checked(tuple(findings), checked, complete)

    def _wanted(self, path: str) -> bool:
        asked = self._paths
        if asked is None or path in asked:
            return True
        while path:
            path = path.rpartition("/")[0]
            if path in asked:
                return True
        return False

    def _wanted_name(self, path: str) -> bool:
        """Also folders on the way to what was asked for: a new file may lie in a new folder."""
        return self._wanted(path) or path in self._above or self._wanted(f"{path}.meta")

    def _facts(self, path: ProjectPath, size: int = _POINTER_BYTES) -> tuple[FileFacts | None, str]:
        """Facts and hash of a file of the project, looked for once in a run."""
        found = self._seen.get(path.text)
        if found is None:
            if size > _POINTER_BYTES and path.suffix in BINARY_SUFFIXES:
                found = (None, "")
            else:
                context = self._context(path) if path.text.endswith(".cs") else None
                found = self._checks.hashed_facts(path, self._sha256.get(path.text), context)
            self._seen[path.text] = found
        return found

    def _context(self, path: ProjectPath) -> CSharpContext:
        # Scripts of one folder are compiled alike.
        folder = path.text.rpartition("/")[0]
        found = self._contexts.get(folder)
        if found is None:
            found = self._contexts[folder] = self._checks.context(path)
        return found

    def _is_folder_meta(self, path: str) -> bool:
        facts, _ = self._facts(ProjectPath(path))
        return facts is not None and facts.is_folder

    def _exists(self, path: str) -> bool:
        return self._folders.has(path) or self._checks.exists(ProjectPath(path))

    # -- references to other files

    def _outward(self, path: ProjectPath, facts: FileFacts, sha256: str) -> Iterator[Finding]:
        lost: dict[str, Target] = {}
        targets = self._targets
        for line in facts.references.decode("ascii").split("\n"):
            guid = line[:32]
            target = targets.get(guid)
            if target is None:
                target = targets[guid] = target_of(guid, self._checks.index.path_of_guid, self._there)
            if target.state == "unknown":
                if self._missing_packages:
                    self._unjudged[guid] = self._unjudged.get(guid, 0) + 1
                else:
                    lost[guid] = target
            elif target.state in ("gone", "hidden"):
                lost[guid] = target
            elif target.path is not None and target.path != path:
                file_id = line[33:].encode("ascii")
                found = None
                if may_be_misused(target.path, file_id):
                    found = misused(path, target.path, self._checks.places(path, sha256, guid, file_id))
                elif lacks(target.path, file_id, self._target_facts):
                    places = self._checks.places(path, sha256, guid, file_id)
                    found = missing_object(path, target.path, file_id, places)
                if found is not None:
                    yield found
        for guid, target in lost.items():
            found = missing_asset(path, guid, target, self._checks.places(path, sha256, guid, None))
            if found is not None:
                yield found

    def _there(self, path: ProjectPath) -> bool:
        return self._exists(path.text)

    def _target_facts(self, path: ProjectPath) -> FileFacts | None:
        return self._facts(path)[0]

    def _nested(self) -> Iterator[Finding]:
        """Prefabs that hold themselves."""
        waiting = [ProjectPath(path) for path, (facts, _) in self._seen.items() if facts is not None and facts.sources]
        holds: dict[ProjectPath, set[ProjectPath]] = {}
        while waiting:
            path = waiting.pop()
            if path in holds:
                continue
            found = {self._checks.index.path_of_guid(guid) for guid in held_prefabs(self._target_facts(path))}
            holds[path] = {held for held in found if held is not None and held.suffix == ".prefab"}
            waiting += holds[path]
        rings = in_rings(holds)
        for path in sorted(rings):
            if self._wanted(path.text):
                _, sha256 = self._facts(path)
                for guid in held_prefabs(self._target_facts(path)):
                    held = self._checks.index.path_of_guid(guid)
                    if held is not None and held in rings:
                        yield nested_in_itself(path, held, self._checks.places(path, sha256, guid, None))

    def _packages(self) -> Iterator[Finding]:
        if not self._unjudged:
            return
        references, guids = sum(self._unjudged.values()), len(self._unjudged)
        others = len(self._missing_packages) - 1
        what = f"{references} references to {guids} guids"
        for package in self._missing_packages:
            shared = f", or to {others} other packages that are not there" if others else ""
            message = (
                f"package {package.name} {package.version}".rstrip() + f" is not on disk: {what} may lead to it{shared}"
            )
            fix = "Open the project in Unity once: it fetches its packages to Library/PackageCache."
            if not package.name:
                message = f"the project does not say which packages it has: {what} may lead to them"
                fix = "Restore Packages/manifest.json."
            message += ", and are not judged"
            yield Finding("reference/package-not-on-disk", "info", package.path.text, package.line, 0, message, fix)


def importer_findings(path: ProjectPath, importer: str) -> Iterator[Finding]:
    message = wrong_importer(path.text[: -len(".meta")], importer)
    if message:
        yield Finding("meta/importer", "warning", path.text, 0, 0, message, OTHER_IMPORTER)


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def order(finding: Finding) -> tuple[str, int, int, int, str, str]:
    """By place, then the worst first."""
    return (finding.path, finding.line, finding.column, _RANK[finding.severity], finding.code, finding.message)
