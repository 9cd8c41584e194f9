"""The documents of an open asset. One that nobody looks at stays a span of the file's bytes; one that was looked at has its
own bytes and, once somebody asks for a value, its tree. Not thread-safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field
from typing import overload

from spark.core.patience import go_on
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.paths import Step
from spark.engines.unity.yaml.place import Place, walk
from spark.engines.unity.yaml.shape import as_read
from spark.engines.unity.yaml.split import Split
from spark.engines.unity.yaml.tree import Node, Tree, parse_document
from spark.engines.unity.yaml.values import Value


@dataclass(slots=True, eq=False)
class AssetDocument:
    """One object. `header` is its `---` line with the line end (empty in a `.meta`), `body` the lines behind it: the class name
    and its fields. Who sets `body` sets `parsed` to None."""

    class_id: int
    file_id: int
    stripped: bool
    header: bytes
    body: bytes
    parsed: Tree | None = field(default=None, repr=False)
    number: int = field(default=-1, repr=False)
    """Which of the file's documents this was when it was opened; -1 for a new one."""
    _first: dict[tuple[str | int, ...], tuple[Value, bytes]] | None = field(default=None, repr=False)

    @property
    def tree(self) -> Tree:
        """Parsed at the first look. Raises `YamlError`."""
        if self.parsed is None:
            go_on()
            self.parsed = parse_document(self.body)
        return self.parsed

    @property
    def raw(self) -> bytes:
        """Header and body."""
        return self.header + self.body

    def end_with(self, newline: bytes) -> None:
        """Gives the last line the line end that it lacks."""
        if self.body:
            self.body, self.parsed = self.body + newline, None
        else:
            self.header += newline

    def end_bare(self) -> None:
        """Takes the line end off the last line."""
        if self.body:
            self.body, self.parsed = self.body.removesuffix(b"\n").removesuffix(b"\r"), None
        else:
            self.header = self.header.removesuffix(b"\n").removesuffix(b"\r")

    @property
    def class_name(self) -> str:
        """As the body says; empty in a `.meta`."""
        return self.body.partition(b":")[0].decode("ascii", "replace").strip() if self.header else ""

    @property
    def top(self) -> Place:
        """Where the fields stand: behind the class name, or, in a `.meta`, the whole. Raises `YamlError`."""
        root = self.tree.root
        if not self.header:
            return Place(root, -1, None, None, ())
        entries = list(root.entries())
        if len(entries) != 1 or not entries[0][1].is_mapping:
            raise YamlError(
                "a document is one class name with fields below it", entries[1][0].start if entries[1:] else 0
            )
        key, fields = entries[0]
        return Place(fields, key.end + 1, key, None, ())

    @property
    def fields(self) -> Node:
        """The mapping below the class name; of a `.meta` the whole. Raises `YamlError`."""
        return self.top.node

    def value(self, *steps: Step) -> Value:
        """The plain value of a property; None where it is not there. Raises `YamlError`."""
        node = self.find(*steps)
        return None if node is None else node.plain()

    def find(self, *steps: Step) -> Node | None:
        """The node of a property; None where it is not there. Raises `YamlError`."""
        place, gone = walk(self.top, steps)
        return place.node if gone == len(steps) else None

    def replace(self, start: int, end: int, new: bytes) -> None:
        """Puts bytes in the place of others. The result must still parse, else nothing is changed (`YamlError`)."""
        body = self.body[:start] + new + self.body[end:]
        tree = parse_document(body)
        self.body, self.parsed = body, tree

    def exchange(self, start: int, end: int, new: bytes) -> None:
        """`replace` for bytes that are known to read back in this place; the tree is made when it is next asked for."""
        self.body = self.body[:start] + new + self.body[end:]
        self.parsed = None

    # What stood at a place before its first edit, so that setting the old value again gives the old bytes, whatever their
    # style was.

    def remember(self, path: tuple[str | int, ...], plain: Value, slot: bytes) -> None:
        if self._first is None:
            self._first = {}
        self._first.setdefault(path, (plain, slot))

    def remembered(self, path: tuple[str | int, ...], value: Value) -> bytes | None:
        first = self._first.get(path) if self._first else None
        return first[1] if first is not None and first[0] == as_read(value) else None

    def forget(self) -> None:
        """After an edit that moves items or keys a path may mean something else."""
        self._first = None


class DocumentList(MutableSequence[AssetDocument]):
    """The documents of an open asset, in the file's order. Behaves as a list; looking at one twice gives the same object."""

    __slots__ = ("_content", "_entries", "_made", "_split")

    def __init__(self, content: bytes, split: Split) -> None:
        self._content = content
        self._split = split
        self._made: dict[int, AssetDocument] = {}
        # Set when the order changes: documents, and the numbers of those in the file that nobody looked at.
        self._entries: list[AssetDocument | int] | None = None

    def __len__(self) -> int:
        return len(self._split.documents) if self._entries is None else len(self._entries)

    @overload
    def __getitem__(self, at: int) -> AssetDocument: ...
    @overload
    def __getitem__(self, at: slice) -> list[AssetDocument]: ...
    def __getitem__(self, at: int | slice) -> AssetDocument | list[AssetDocument]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        number = range(len(self))[at]
        entry = number if self._entries is None else self._entries[number]
        return self._document(entry) if isinstance(entry, int) else entry

    def __iter__(self) -> Iterator[AssetDocument]:
        number = 0
        while number < len(self):
            go_on()
            yield self[number]
            number += 1

    @overload
    def __setitem__(self, at: int, value: AssetDocument) -> None: ...
    @overload
    def __setitem__(self, at: slice, value: Iterable[AssetDocument]) -> None: ...
    def __setitem__(self, at: int | slice, value: AssetDocument | Iterable[AssetDocument]) -> None:
        self._ordered()[at] = value  # type: ignore[assignment, index]

    def __delitem__(self, at: int | slice) -> None:
        del self._ordered()[at]

    def insert(self, index: int, value: AssetDocument) -> None:
        self._ordered().insert(index, value)

    def with_id(self, file_id: int) -> list[AssetDocument]:
        """The documents with a file id."""
        found = self._split.documents.find(file_id)
        if self._entries is None:
            return [self._document(number) for number in found]
        numbers = set(found)
        return [
            self._document(entry) if isinstance(entry, int) else entry
            for entry in self._entries
            if (entry in numbers if isinstance(entry, int) else entry.file_id == file_id)
        ]

    def remove(self, value: AssetDocument) -> None:
        """Takes out a document of this list without looking at the others. Raises `ValueError` where it is not here."""
        entries = self._ordered()
        entry = value.number if self._made.get(value.number) is value else value
        try:
            del entries[entries.index(entry)]
        except ValueError:
            # It was put elsewhere by hand.
            del entries[entries.index(value)]

    def pieces(self, until: AssetDocument | None = None) -> Iterable[bytes | memoryview]:
        """The bytes of all documents, or of those before one; what nobody looked at in one piece."""
        content, bounds = memoryview(self._content), self._split.documents.bounds
        if self._entries is None:
            at = self._split.head_end
            for number in sorted(self._made):
                start, end = bounds(number)
                yield content[at:start]
                if self._made[number] is until:
                    return
                yield self._made[number].header
                yield self._made[number].body
                at = end
            yield content[at:]
            return
        # From where to where stand documents that nobody looked at, one behind the other.
        first = behind = 0
        for entry in self._entries:
            if isinstance(entry, int) and entry not in self._made:
                start, end = bounds(entry)
                if start != behind:
                    yield content[first:behind]
                    first = start
                behind = end
                continue
            yield content[first:behind]
            first = behind = 0
            document = self._made[entry] if isinstance(entry, int) else entry
            if document is until:
                return
            yield document.header
            yield document.body
        yield content[first:behind]

    def _document(self, number: int) -> AssetDocument:
        made = self._made.get(number)
        if made is None:
            span, content = self._split.documents[number], self._content
            header, body = content[span.start : span.body_start], content[span.body_start : span.end]
            made = self._made[number] = AssetDocument(
                span.class_id, span.file_id, span.stripped, header, body, number=number
            )
        return made

    def _ordered(self) -> list[AssetDocument | int]:
        if self._entries is None:
            self._entries = list(range(len(self._split.documents)))
        return self._entries
