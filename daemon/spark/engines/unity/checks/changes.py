"""What a change set would add to the findings of a project: asked before every landing, so it looks at the changed files and
those that refer to them, and at nothing else.

A reference that a change breaks is an error here, whatever it is where it has been broken for long: the one who breaks it can
still mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from spark.core.changes import sha256_of
from spark.core.diagnostics import Finding
from spark.core.paths import ProjectPath
from spark.core.patience import go_on
from spark.engines.unity.check import check_file
from spark.engines.unity.checks.facts import FileFacts, facts_of
from spark.engines.unity.checks.names import Folders
from spark.engines.unity.checks.nesting import held_prefabs, leads_to, nested_in_itself
from spark.engines.unity.checks.outward import (
    BUILT_IN,
    Target,
    lacks,
    lines_of,
    may_be_misused,
    missing_asset,
    missing_object,
    misused,
    places_of,
    target_of,
)
from spark.engines.unity.checks.packages import missing_packages
from spark.engines.unity.checks.present import present, unindexed
from spark.engines.unity.checks.project import NO_CONTEXT, ProjectChecks, importer_findings, order
from spark.engines.unity.meta import is_reserved

_MAX_FINDINGS: Final = 200
_NOTHING: Final = FileFacts("other")
Changes = Mapping[ProjectPath, bytes | None]


def check_changes(changes: Changes, checks: ProjectChecks) -> list[Finding]:
    """Errors and warnings that the project would have with the changes and has not now. None as bytes: the file is deleted.

    At most two hundred, by place.
    """
    after = _After(changes, checks)
    found = [finding for finding in after.findings() if finding.severity != "info"]
    return sorted(dict.fromkeys(found), key=order)[:_MAX_FINDINGS]


@dataclass(frozen=True, slots=True)
class _File:
    """One changed file: its bytes and facts before and after; None and no facts where there is none."""

    path: ProjectPath
    old: bytes | None
    new: bytes | None
    was: FileFacts
    now: FileFacts


class _After:
    """The project as it would be."""

    def __init__(self, changes: Changes, checks: ProjectChecks) -> None:
        self._checks = checks
        self._changes = changes
        old = {path: checks.read(path) for path in changes}
        # A file that moves has the bytes that it had: what is wrong with them is not new.
        moved = {sha256_of(content): content for path, content in old.items() if content and changes[path] is None}
        self._files: list[_File] = []
        for path, new in changes.items():
            before = old[path]
            if before is None and new and sha256_of(new) in moved:
                before = moved[sha256_of(new)]
            self._files.append(_File(path, before, new, _facts(path, before), _facts(path, new)))
        self._by_path = {file.path: file for file in self._files}
        self._added: dict[str, list[ProjectPath]] = {}
        for file in self._files:
            if file.now.guid:
                self._added.setdefault(file.now.guid, []).append(file.path.asset)

    def findings(self) -> Iterator[Finding]:
        for file in self._files:
            go_on()
            yield from self._own(file)
            yield from self._outward(file)
            yield from self._nested(file)
        yield from self._inward()
        yield from self._taken()
        yield from self._names()

    def _own(self, file: _File) -> Iterator[Finding]:
        if file.new is None:
            return
        context = self._checks.context(file.path) if file.path.suffix == ".cs" else NO_CONTEXT
        if file.now.importer and file.path.text not in self._unmoved and file.old == file.new:
            # The bytes are the same, the name that they are to fit is not.
            yield from importer_findings(file.path, file.now.importer)
        for finding in check_file(file.path, file.new, file.old, context):
            broken = finding.code == "yaml/dangling-reference" and finding.severity == "warning"
            yield replace(finding, severity="error") if broken else finding

    # -- what the project would hold

    def _exists(self, path: ProjectPath) -> bool:
        if path in self._changes:
            return self._changes[path] is not None
        if any(changed.is_under(path) for changed in self._kept):
            return True
        return self._checks.exists(path) and not self._is_emptied(path)

    def _is_emptied(self, folder: ProjectPath) -> bool:
        """Whether all that lies in a folder goes: then the folder goes as well."""
        if not any(changed.is_under(folder) for changed in self._changes):
            return False
        return all(entry.path in self._changes for entry in self._checks.index.entries(folder))

    @cached_property
    def _kept(self) -> list[ProjectPath]:
        return [path for path, content in self._changes.items() if content is not None]

    def _path_of_guid(self, guid: str) -> ProjectPath | None:
        added = self._added.get(guid)
        if added:
            return added[0]
        path = self._checks.index.path_of_guid(guid)
        if path is None or path.meta not in self._changes:
            return path
        # Its .meta is deleted or has another guid now; a second asset may have had the same.
        others = self._checks.index.duplicate_guids().get(guid, ())
        return next((other for other in others if other.meta not in self._changes), None)

    def _target(self, guid: str) -> Target:
        return target_of(guid, self._path_of_guid, self._exists)

    def _facts_after(self, path: ProjectPath) -> FileFacts | None:
        file = self._by_path.get(path)
        if file is not None:
            return file.now if file.new is not None else None
        return self._checks.facts(path)

    def _bytes_after(self, path: ProjectPath) -> bytes | None:
        return self._changes[path] if path in self._changes else self._checks.read(path)

    @cached_property
    def _unknown_may_be_a_package(self) -> bool:
        return bool(missing_packages(self._checks.files))

    # -- references of the changed files

    def _outward(self, file: _File) -> Iterator[Finding]:
        if file.new is None or file.now.references == file.was.references:
            return
        known = set(lines_of(file.was.references))
        known_guids = {guid for guid, _ in known}
        for guid, file_id in lines_of(file.now.references):
            if (guid, file_id) in known:
                continue
            go_on()
            target = self._target_on_disk(guid)
            if target is BUILT_IN or (target.state == "unknown" and self._unknown_may_be_a_package):
                continue
            found = None
            if target.state != "there":
                # Another object of an asset that was lost before is no new loss.
                if guid not in known_guids:
                    known_guids.add(guid)
                    found = missing_asset(file.path, guid, target, places_of(file.new, guid), worst="error")
            elif target.path is not None and may_be_misused(target.path, file_id):
                found = misused(file.path, target.path, places_of(file.new, guid, file_id))
            elif target.path is not None and lacks(target.path, file_id, self._facts_after):
                places = places_of(file.new, guid, file_id)
                found = missing_object(file.path, target.path, file_id, places, worst="error")
            if found is not None:
                yield found

    def _target_on_disk(self, guid: str) -> Target:
        """As `_target`, but the index is not trusted: it may be a moment behind what the user does."""
        target = self._target(guid)
        path = target.path
        if target.state == "unknown":
            path = self._unindexed.get(guid)
            return target if path is None else target_of(guid, self._unindexed.get, self._exists)
        if target.state != "there" or path is None or path.meta in self._changes:
            return target
        return target if present(self._checks, path, guid) else Target("unknown", path)

    @cached_property
    def _unindexed(self) -> dict[str, ProjectPath]:
        return unindexed(self._checks)

    def _nested(self, file: _File) -> Iterator[Finding]:
        """A prefab that would hold itself."""
        if file.new is None or file.path.suffix != ".prefab":
            return
        known = set(held_prefabs(file.was))
        for guid in held_prefabs(file.now):
            held = self._path_of_guid(guid)
            if guid in known or held is None:
                continue
            if leads_to(held, file.path, self._facts_after, self._path_of_guid):
                yield nested_in_itself(file.path, held, places_of(file.new, guid))

    # -- references to the changed files

    def _inward(self) -> Iterator[Finding]:
        lost = self._lost_guids()
        cut = self._cut_objects()
        turned = self._turned()
        if not lost and not cut and not turned:
            return
        for path in self._checks.index.references_to_any((*lost, *cut, *turned)):
            go_on()
            content = self._bytes_after(path)
            facts = self._facts_after(path)
            if content is None or facts is None:
                continue
            told: set[str] = set()
            for guid, file_id in lines_of(facts.references):
                found = None
                if guid in lost and guid not in told:
                    told.add(guid)
                    places = places_of(content, guid)
                    found = missing_asset(path, guid, lost[guid], places, worst="error")
                elif guid in turned and may_be_misused(turned[guid], file_id):
                    found = misused(path, turned[guid], places_of(content, guid, file_id))
                elif guid in cut and file_id in cut[guid][1]:
                    places = places_of(content, guid, file_id)
                    found = missing_object(path, cut[guid][0], file_id, places, worst="error")
                if found is not None:
                    yield found

    def _turned(self) -> dict[str, ProjectPath]:
        """Guids of assets that may be scripts or prefabs no more, because of their new name."""
        turned: dict[str, ProjectPath] = {}
        for file in self._files:
            if file.path.is_meta and file.now.guid and file.path.text not in self._unmoved:
                target = self._target(file.now.guid)
                if target.state == "there" and target.path is not None:
                    turned[file.now.guid] = target.path
        return turned

    def _lost_guids(self) -> dict[str, Target]:
        """Guids that lead nowhere any more, with the asset that they led to."""
        lost: dict[str, Target] = {}
        for file in self._files:
            path = file.path.asset
            if file.path.is_meta:
                guid = file.was.guid if file.now.guid != file.was.guid else ""
            elif file.new is None:
                # Its .meta may stay, or go in the same set.
                meta = self._by_path.get(path.meta)
                facts = meta.was if meta is not None else self._checks.facts(path.meta)
                guid = facts.guid if facts is not None else ""
            else:
                continue
            if guid and not is_reserved(guid):
                target = self._target(guid)
                if target.state != "there":
                    lost[guid] = target if target.state == "hidden" else Target("unknown", path)
        return lost

    def _cut_objects(self) -> dict[str, tuple[ProjectPath, frozenset[bytes]]]:
        """Objects that an asset loses, by the asset's guid."""
        cut: dict[str, tuple[ProjectPath, frozenset[bytes]]] = {}
        for file in self._files:
            if file.path.is_meta or file.new is None or not file.was.ids or file.was.ids == file.now.ids:
                continue
            ids = frozenset(file.was.ids.split()) - frozenset(file.now.ids.split())
            meta = self._facts_after(file.path.meta)
            if ids and meta is not None and meta.guid:
                cut[meta.guid] = (file.path, ids)
        return cut

    # -- metas

    def _taken(self) -> Iterator[Finding]:
        for guid, paths in self._added.items():
            owners = dict.fromkeys(paths)
            # The index may know several; those whose .meta the set changes speak for themselves.
            known = self._checks.index.path_of_guid(guid)
            if known is not None and known.meta not in self._changes:
                owners[known] = None
            if len(owners) < 2:
                continue
            for path in paths:
                file = self._by_path[path.meta]
                if file.was.guid == guid and file.old is not None and path.meta.text in self._unmoved:
                    continue
                others = ", ".join(owner.text for owner in owners if owner != path)
                fix = "Use a guid that no asset has."
                yield Finding(
                    "meta/guid-taken", "error", path.meta.text, 2, 1, f"the guid {guid} is also that of {others}", fix
                )

    @cached_property
    def _unmoved(self) -> frozenset[str]:
        """Changed files that were there before under the same name."""
        return frozenset(path.text for path in self._changes if self._checks.exists(path))

    def _names(self) -> Iterator[Finding]:
        folders = Folders((), self._checks.files.embedded_packages)
        for file in self._files:
            path, asset = file.path, file.path.asset
            if not folders.needs_meta(asset.text):
                continue
            was_there = path.text in self._unmoved
            if path.is_meta and file.new is None and was_there and self._exists(asset):
                message = "its .meta goes: Unity makes one with another guid, and references break"
                yield Finding("meta/missing", "warning", asset.text, 0, 0, message, "Keep the .meta.")
            elif path.is_meta and file.new is not None and not was_there and not self._exists(asset):
                message = f"the asset {asset.name} is not there"
                yield Finding("meta/orphan", "warning", path.text, 0, 0, message, "Add the asset.")
            elif not path.is_meta and file.new is not None and not was_there and not self._exists(path.meta):
                message = "the asset has no .meta: Unity makes one with another guid on each machine"
                yield Finding(
                    "meta/missing", "warning", path.text, 0, 0, message, "Add a .meta with a guid of its own."
                )
            elif not path.is_meta and file.new is None and was_there and self._exists(path.meta):
                message = f"the asset {path.name} goes, and its .meta stays"
                yield Finding("meta/orphan", "warning", path.meta.text, 0, 0, message, "Delete the .meta as well.")


def _facts(path: ProjectPath, content: bytes | None) -> FileFacts:
    return facts_of(path, content) if content is not None else _NOTHING
