"""The children of one parent, or the roots of a file: in their order, by name, and with the labels that paths are made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.objects import GameObject


class Siblings:
    """`order` is never changed in place: a change makes another one, so that who holds it keeps what was."""

    __slots__ = ("_labels", "_named", "order")

    def __init__(self, order: list[GameObject]) -> None:
        self.order = order
        self._named: dict[str, list[GameObject]] | None = None
        self._labels: dict[int, str] | None = None

    @property
    def named(self) -> dict[str, list[GameObject]]:
        """Those of each name, in order."""
        if self._named is None:
            self._named = {}
            for at in self.order:
                self._named.setdefault(at.name, []).append(at)
        return self._named

    def label(self, at: GameObject) -> str:
        """The name, with an index where a sibling has it as well."""
        if len(self.named.get(at.name, ())) < 2:
            return at.name
        if self._labels is None:
            self._labels = {id(other): label for label, other in self.labelled()}
        return self._labels.get(id(at), at.name)

    def labelled(self) -> list[tuple[str, GameObject]]:
        numbers: Counter[str] = Counter()
        labels = []
        for at in self.order:
            labels.append((f"{at.name}[{numbers[at.name]}]" if len(self.named[at.name]) > 1 else at.name, at))
            numbers[at.name] += 1
        return labels

    def with_child(self, child: GameObject, index: int | None) -> Siblings:
        """One more, at a place (None: as the last)."""
        order = self.order.copy()
        order.insert(len(order) if index is None else index, child)
        made = Siblings(order)
        if self._named is not None and index in (None, len(self.order)):
            # Nobody asks the old one any more.
            made._named, self._named = self._named, None
            made._named.setdefault(child.name, []).append(child)
        return made

    def without(self, child: GameObject) -> Siblings:
        made = Siblings([at for at in self.order if at is not child])
        if self._named is not None:
            made._named, self._named = self._named, None
            same = [at for at in made._named.get(child.name, ()) if at is not child]
            if same:
                made._named[child.name] = same
            else:
                made._named.pop(child.name, None)
        return made
