"""Random edits of hierarchies as the Editor makes them: objects added, deleted, moved; every result is consistent."""

from __future__ import annotations

import random

from spark.engines.unity.merge.contested import TRANSFORMS, children, components, father, game_object
from spark.engines.unity.merge.version import Document, version_of


class Hierarchy:
    """One side's documents, edited in place."""

    def __init__(self, content: bytes, chance: random.Random) -> None:
        version = version_of(content)
        self._head = version.head
        self._documents = dict(version.documents)
        self._chance = chance

    def to_bytes(self) -> bytes:
        return self._head + b"".join(document.raw for document in self._documents.values())

    def edit(self) -> None:
        if not self._transforms():
            return
        self._chance.choice((self._add, self._add, self._delete, self._move, self._rename, self._component))()

    def _transforms(self) -> list[Document]:
        found = [d for d in self._documents.values() if d.class_id in TRANSFORMS and not d.stripped]
        return [d for d in found if game_object(d.body) in self._documents]

    def _put(self, file_id: int, old: str, new: str) -> None:
        document = self._documents[file_id]
        assert old.encode() in document.body
        self._documents[file_id] = document.with_body(document.body.replace(old.encode(), new.encode(), 1))

    def _take_out(self, file_id: int) -> None:
        """A Transform from its parent's children."""
        parent = self._documents.get(father(self._documents[file_id].body))
        if parent is None or parent.stripped or file_id not in children(parent.body):
            return
        if len(children(parent.body)) == 1:
            self._put(parent.file_id, f"m_Children:\n  - {{fileID: {file_id}}}\n", "m_Children: []\n")
        else:
            self._put(parent.file_id, f"  - {{fileID: {file_id}}}\n", "")

    def _put_in(self, file_id: int, parent: int) -> None:
        if not children(self._documents[parent].body):
            self._put(parent, "m_Children: []\n", "m_Children:\n")
        self._put(parent, "  m_Father:", f"  - {{fileID: {file_id}}}\n  m_Father:")

    def _add(self) -> None:
        parent = self._chance.choice(self._transforms())
        new = self._chance.randrange(10**8, 2 * 10**9)
        owner = self._documents[game_object(parent.body)]
        made = owner.body
        for component in components(owner.body):
            made = made.replace(f"  - component: {{fileID: {component}}}\n".encode(), b"")
        made = made.replace(b"m_Component:\n", f"m_Component:\n  - component: {{fileID: {new + 1}}}\n".encode())
        place = parent.body.replace(
            f"m_GameObject: {{fileID: {owner.file_id}}}".encode(), f"m_GameObject: {{fileID: {new}}}".encode()
        )
        for child in children(parent.body):
            place = place.replace(f"  - {{fileID: {child}}}\n".encode(), b"")
        place = place.replace(b"m_Children:\n", b"m_Children: []\n").replace(
            f"m_Father: {{fileID: {father(parent.body)}}}".encode(), f"m_Father: {{fileID: {parent.file_id}}}".encode()
        )
        for file_id, like, body in ((new, owner, made), (new + 1, parent, place)):
            header = f"--- !u!{like.class_id} &{file_id}\n".encode()
            self._documents[file_id] = Document(like.class_id, file_id, False, header, body)
        self._put_in(new + 1, parent.file_id)

    def _component(self) -> None:
        owner = self._documents[game_object(self._chance.choice(self._transforms()).body)]
        new = self._chance.randrange(10**8, 2 * 10**9)
        self._put(owner.file_id, "  m_Layer:", f"  - component: {{fileID: {new}}}\n  m_Layer:")
        body = f"BoxCollider:\n  m_GameObject: {{fileID: {owner.file_id}}}\n  m_Enabled: 1\n".encode()
        self._documents[new] = Document(65, new, False, f"--- !u!65 &{new}\n".encode(), body)

    def _below(self, file_id: int) -> set[int]:
        found, todo = {file_id}, [file_id]
        while todo:
            document = self._documents.get(todo.pop())
            fresh = set(children(document.body)) - found if document is not None and not document.stripped else set()
            found |= fresh
            todo += fresh
        return found

    def _plain(self, file_ids: set[int]) -> bool:
        """No prefab instance hangs there: those are deleted with more than is done here."""
        return all(i in self._documents and not self._documents[i].stripped for i in file_ids)

    def _delete(self) -> None:
        inner = [d for d in self._transforms() if father(d.body) in self._documents]
        if len(inner) < 2:
            return
        top = self._chance.choice(inner).file_id
        gone = self._below(top)
        if not self._plain(gone):
            return
        self._take_out(top)
        for owner in {game_object(self._documents[transform].body) for transform in gone}:
            for file_id in (owner, *components(self._documents[owner].body)):
                self._documents.pop(file_id, None)

    def _move(self) -> None:
        inner = [d for d in self._transforms() if father(d.body) in self._documents]
        if not inner:
            return
        file_id = self._chance.choice(inner).file_id
        places = [d.file_id for d in self._transforms() if d.file_id not in self._below(file_id)]
        if not places:
            return
        new = self._chance.choice(places)
        self._take_out(file_id)
        old = father(self._documents[file_id].body)
        self._put(file_id, f"m_Father: {{fileID: {old}}}", f"m_Father: {{fileID: {new}}}")
        self._put_in(file_id, new)

    def _rename(self) -> None:
        owner = self._documents[game_object(self._chance.choice(self._transforms()).body)]
        self._put(owner.file_id, "  m_Name: ", f"  m_Name: {self._chance.randrange(10)}")
