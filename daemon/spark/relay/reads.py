"""Which bytes a conversation has read. An edit of other bytes is refused: it was made from something else."""

from __future__ import annotations

from spark.core.paths import ProjectPath
from spark.core.records import Journal


class ConversationReads:
    """`core.ports.Reads` of one conversation, kept in the journal."""

    def __init__(self, journal: Journal, conversation_id: str) -> None:
        self._journal = journal
        self._conversation_id = conversation_id
        self._known: set[tuple[str, str]] = set()

    def known_sha256(self, path: ProjectPath) -> frozenset[str]:
        return self._journal.reads(self._conversation_id, path.text)

    def note(self, path: ProjectPath, sha256: str) -> None:
        # A file read again and again costs one durable write, not one each time.
        if (path.text, sha256) not in self._known:
            self._journal.note_read(self._conversation_id, path.text, sha256)
            self._known.add((path.text, sha256))


class OwnReads:
    """`core.ports.Reads` of a call that is a turn of its own: nothing is remembered after it."""

    def __init__(self) -> None:
        self._seen: dict[ProjectPath, set[str]] = {}

    def known_sha256(self, path: ProjectPath) -> frozenset[str]:
        return frozenset(self._seen.get(path, ()))

    def note(self, path: ProjectPath, sha256: str) -> None:
        self._seen.setdefault(path, set()).add(sha256)
