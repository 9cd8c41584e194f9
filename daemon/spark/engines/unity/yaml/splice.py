"""Edits of one document: the bytes of a property are put in the place of its old ones, and nothing else.

A value stands in a *slot*: what is behind the colon of its key or behind its dash, up to the line end that follows it.
Knows the tree and the writer; what a value looks like is the writer's matter alone. After every edit what stands at the
place is read back and compared, so that an edit that could be misread is refused (`invalid_arguments`), never written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.yaml import write
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import LateMode, Newline
from spark.engines.unity.yaml.place import Place, dash_of, walk
from spark.engines.unity.yaml.scalars import Style, can_carry, is_simple
from spark.engines.unity.yaml.shape import alike, as_read, rebuilt, with_item, with_pair, without
from spark.engines.unity.yaml.tree import DOUBLE, FLOW_MAP, FLOW_SEQ, NULL, PLAIN, SINGLE, Node, parse
from spark.engines.unity.yaml.values import Pairs, Value

if TYPE_CHECKING:
    from spark.engines.unity.yaml.document import AssetDocument

_STYLES: Final[dict[int, Style]] = {PLAIN: "plain", SINGLE: "single", DOUBLE: "double"}

# -- set ---------------------------------------------------------------------------------------------------------------


def set_value(document: AssetDocument, place: Place, value: Value, mode: LateMode) -> None:
    """Gives a place a value."""
    node = place.node
    if isinstance(value, str | int | float) and _set_simple(document, place, write.scalar_text(value)):
        return
    write.check_depth(value)
    mode = _local(document.body, node.start, mode)
    value = alike(value, node)
    flow = place.flow
    if flow is not None:
        wanted = rebuilt(flow.node, node, lambda _: value)
        column = _column(document.body, node.start)
        new = write.value_bytes(value, mode, indent=flow.node.indent, column=column, inside_flow=True)
        _set_flow(document, flow, wanted, mode, node.start, node.end, new)
        return
    if place.up is None and (place.slot < 0 or not isinstance(value, Pairs)):
        raise invalid_arguments({"property": "a property below the top"})
    end = _slot_end(document.body, node)
    old = document.body[place.slot : end]
    if node.is_block:
        document.forget()
    made = document.remembered(place.path, value)
    if made is None:
        made = _slot_bytes(document.body, place, value, mode, _kept_style(document.body, place, value, mode, old))
    if not node.is_block:
        document.remember(place.path, node.plain(), old)
    _exchange(document, place, end, made, value)


def _set_simple(document: AssetDocument, place: Place, text: str) -> bool:
    """The common case: one plain word for another, which look and read the same in every mode."""
    node = place.node
    if node.kind != PLAIN or place.in_flow or place.slot < 0:
        return False
    if not is_simple(text) or not is_simple(node.text) or node.start != place.slot + 1:
        return False
    raw = node.raw
    document.remember(place.path, raw.decode("ascii"), b" " + raw)
    document.exchange(node.start, node.end, text.encode("ascii"))
    return True


def _kept_style(body: bytes, place: Place, value: Value, mode: LateMode, old: bytes) -> Style | None:
    """The style of the old text where Unity would not have chosen it and it can carry the new one."""
    node = place.node
    if node.kind not in _STYLES or not isinstance(value, str | int | float):
        return None
    if _slot_bytes(body, place, node.plain(), mode) == old:
        return None
    style = _STYLES[node.kind]
    return style if can_carry(style, write.scalar_text(value)) else None


def _set_flow(
    document: AssetDocument, flow: Place, wanted: Value, mode: LateMode, start: int, end: int, new: bytes
) -> None:
    """Changes something inside an inline value. Where the whole stood as Unity would write it, the whole is written anew,
    so that its line ends move as Unity would move them; else only the bytes from `start` to `end` are exchanged."""
    body, node = document.body, flow.node
    slot_end = _slot_end(body, node)
    old = body[flow.slot : slot_end]
    plain = node.plain()
    made = document.remembered(flow.path, wanted)
    if made is None and _slot_bytes(body, flow, plain, mode) == old:
        made = _slot_bytes(body, flow, wanted, mode)
    if made is None:
        made = body[flow.slot : start] + new + body[end:slot_end]
    document.remember(flow.path, plain, old)
    _exchange(document, flow, slot_end, made, wanted)


def _exchange(document: AssetDocument, place: Place, end: int, slot: bytes, wanted: Value) -> None:
    """Puts new bytes into a slot that ends at `end`. They are read back alone, at the columns that they will stand in: what
    follows a slot is never deeper than its owner, so it cannot change how they read."""
    nested = place.indent > 0 or place.is_item
    lead = b"k:\n" + b" " * place.indent if nested else b""
    try:
        node = parse(lead + (b"-" if place.is_item else b"k:") + slot + b"\n").root
        for _ in range(2 if nested else 1):
            (node,) = node.items() if node.is_sequence else [value for _, value in node.entries()]
        fits = node.plain() == as_read(wanted)
    except (YamlError, ValueError):
        # ValueError: more than one entry came out.
        fits = False
    if not fits:
        raise _unwritable()
    document.exchange(place.slot, end, slot)


def _splice(document: AssetDocument, start: int, end: int, new: bytes, place: Place, wanted: Value) -> None:
    """Puts in or takes out whole lines of a block, and looks that it reads as wanted; else nothing is changed."""
    before, tree = document.body, document.tree
    try:
        document.replace(start, end, new)
        found, gone = walk(document.top, place.path)
        if gone == len(place.path) and found.node.plain() == as_read(wanted):
            return
    except YamlError:
        pass
    document.body, document.parsed = before, tree
    raise _unwritable()


def _unwritable() -> ToolRejected:
    return invalid_arguments({"value": "a value that can be written at this place so that it reads back the same"})


# -- insert ------------------------------------------------------------------------------------------------------------


def insert_key(document: AssetDocument, place: Place, key: str, value: Value, mode: LateMode, before: str) -> None:
    """A new key in a mapping. Raises `not_found` for `before`, `already_exists`, `invalid_arguments`."""
    body, node = document.body, place.node
    if not (node.is_mapping or node.kind == NULL):
        raise invalid_arguments({"property": "the path of a mapping"})
    if "\n" in key:
        raise invalid_arguments({"key": "a name on one line"})
    if node.entry(key) is not None:
        raise ToolRejected("already_exists", f"there is a key {key!r} already", hint="Set its value instead.")
    write.check_depth(value)
    keys = [name for name, _ in node.entries()]
    at = next((number for number, name in enumerate(keys) if name.text == before), None) if before else len(keys)
    if at is None:
        raise ToolRejected("not_found", f"there is no key {before!r} to put {key!r} before")
    document.forget()
    mode = _local(body, node.start, mode)
    if not keys and not place.in_flow:
        set_value(document, place, {key: value}, mode)
    elif node.kind == FLOW_MAP:
        flow = place.flow or place
        wanted = rebuilt(flow.node, node, lambda plain: with_pair(plain, at, key, value))
        new = write.pair_bytes(key, value, mode, indent=flow.node.indent)
        start, new = _between([*node.entries()], at, node, new)
        _set_flow(document, flow, wanted, mode, start, start, new)
    else:
        wanted = with_pair(node.plain(), at, key, value)
        lines = write.entry_bytes(key, value, mode, indent=node.indent)
        start, new = _before(keys[at].start, node, lines) if at < len(keys) else _behind(body, node, lines, mode)
        _splice(document, start, start, new, place, wanted)


def insert_item(document: AssetDocument, place: Place, index: int, value: Value, mode: LateMode) -> None:
    """A new item of a list. Raises `invalid_arguments`."""
    body, node = document.body, place.node
    if not (node.is_sequence or node.kind == NULL):
        raise invalid_arguments({"property": "the path of a list"})
    items = node.items()
    if not 0 <= index <= len(items):
        raise invalid_arguments({"index": f"a number from 0 to {len(items)}"})
    write.check_depth(value)
    document.forget()
    mode = _local(body, node.start, mode)
    if items:
        value = alike(value, items[min(index, len(items) - 1)])
    if not items and not place.in_flow:
        set_value(document, place, [value], mode)
    elif node.kind == FLOW_SEQ:
        flow = place.flow or place
        wanted = rebuilt(flow.node, node, lambda plain: with_item(plain, index, value))
        new = write.value_bytes(value, mode, indent=flow.node.indent, column=0, inside_flow=True)
        start, new = _between([(item, item) for item in items], index, node, new)
        _set_flow(document, flow, wanted, mode, start, start, new)
    else:
        wanted = with_item(node.plain(), index, value)
        lines = write.item_bytes(value, mode, indent=node.indent)
        inside = index < len(items)
        start, new = _before(dash_of(node, items, index), node, lines) if inside else _behind(body, node, lines, mode)
        _splice(document, start, start, new, place, wanted)


def _before(at: int, node: Node, lines: bytes) -> tuple[int, bytes]:
    """New lines before the key or dash at an offset, which may stand behind a dash itself."""
    return at, lines[node.indent :] + b" " * node.indent


def _behind(body: bytes, node: Node, lines: bytes, mode: LateMode) -> tuple[int, bytes]:
    """New last lines of a block; a file without a line end at its end stays so."""
    newline = mode.newline.encode()
    if body[node.end - 1 : node.end] != b"\n":
        return node.end, newline + lines.removesuffix(newline)
    return node.end, lines


def _between(parts: list[tuple[Node, Node]], at: int, node: Node, new: bytes) -> tuple[int, bytes]:
    """Where in an inline value a new part goes, with its comma."""
    if not parts:
        return node.start + 1, new
    if at < len(parts):
        return parts[at][0].start, new + b", "
    return parts[-1][1].end, b", " + new


# -- remove ------------------------------------------------------------------------------------------------------------


def remove(document: AssetDocument, place: Place, mode: LateMode, *, named: bool = False) -> None:
    """Takes out a key with its value, or an item; the last one leaves ` {}` or ` []`. `named`: the place was found by
    `[name]`, so that its whole item goes."""
    up = place.up
    if up is None:
        raise invalid_arguments({"property": "a property below the top of the document"})
    if named and up.up is not None and len(list(up.node.entries())) == 1:
        place, up = up, up.up
    body, node = document.body, up.node
    mode = _local(body, node.start, mode)
    parts = list(node.entries()) if node.is_mapping else [(item, item) for item in node.items()]
    at = next(number for number, (_, value) in enumerate(parts) if value.same(place.node))
    document.forget()
    if len(parts) == 1 and not up.in_flow:
        set_value(document, up, Pairs(inline=True) if node.is_mapping else [], mode)
    elif node.is_flow:
        flow = up.flow or up
        wanted = rebuilt(flow.node, node, lambda plain: without(plain, at))
        start = parts[at][0].start if at + 1 < len(parts) or not at else parts[at - 1][1].end
        end = parts[at + 1][0].start if at + 1 < len(parts) else parts[at][1].end
        _set_flow(document, flow, wanted, mode, start, end, b"")
    else:
        items = node.items()
        starts = (
            [key.start for key, _ in parts] if node.is_mapping else [dash_of(node, items, n) for n in range(len(items))]
        )
        if at + 1 < len(parts):
            start, end = starts[at], starts[at + 1]
        else:
            start, end = starts[at] - node.indent, node.end
            if body[end - 1 : end] != b"\n":
                start -= 2 if body[start - 2 : start] == b"\r\n" else 1
        _splice(document, start, end, b"", up, without(node.plain(), at))


# -- slots -------------------------------------------------------------------------------------------------------------


def _slot_bytes(body: bytes, place: Place, value: Value, mode: LateMode, style: Style | None = None) -> bytes:
    indent = place.indent
    if place.is_item:
        lines = write.item_bytes(value, mode, indent=indent, style=style)
        return lines[indent + 1 :].removesuffix(mode.newline.encode())
    return write.value_bytes(value, mode, indent=indent, column=_column(body, place.slot), style=style)


def _slot_end(body: bytes, node: Node) -> int:
    """Behind the value's last byte, without the line end."""
    end = node.end
    if node.is_scalar and node.start == end:
        while body[end : end + 1] == b" ":
            end += 1
    elif node.is_block and body[end - 1 : end] == b"\n":
        end -= 2 if body[end - 2 : end] == b"\r\n" else 1
    return end


def _column(body: bytes, at: int) -> int:
    return at - (body.rfind(b"\n", 0, at) + 1)


def _local(body: bytes, at: int, mode: LateMode) -> LateMode:
    """The mode with the line end of the line at an offset: a file may hold both kinds."""
    end = body.find(b"\n", at)
    newline: Newline = mode.newline if end < 0 else "\r\n" if body[end - 1 : end] == b"\r" else "\n"
    return mode if newline == mode.newline else mode.with_newline(newline)
