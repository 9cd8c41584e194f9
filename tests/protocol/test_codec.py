"""One parse from raw bytes: shapes, limits and refusals by field."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core import limits
from spark.core.api import TurnRequest
from spark.core.errors import ToolRejected
from spark.protocol.codec import MAX_DEPTH, depth_of, encode, message_id, parse_body, parse_client_message
from spark.protocol.messages import (
    CLIENT_MESSAGES,
    CallBody,
    CancelMessage,
    DecideMessage,
    EmptyBody,
    GetSnapshotMessage,
    PromptBody,
    PromptMessage,
    UpdateMessage,
    Wire,
)


def fields_of(refusal: pytest.ExceptionInfo[ToolRejected]) -> dict[str, str]:
    assert refusal.value.code == "invalid_arguments"
    return dict(refusal.value.details["fields"])


def test_every_message_is_understood() -> None:
    """Each type of the contract becomes its own class, with and without an id."""
    cases: dict[type[Wire], dict[str, Any]] = {
        PromptMessage: {"type": "prompt", "text": "x"},
        CancelMessage: {"type": "cancel", "turnId": "t"},
        DecideMessage: {"type": "decide", "approvalId": "a", "decision": "accept", "paths": ["Assets/A.cs"]},
        GetSnapshotMessage: {"type": "getSnapshot"},
        UpdateMessage: {"type": "update", "basedOn": 1, "path": ["a", 0], "value": None},
    }
    assert set(CLIENT_MESSAGES.values()) == set(cases)
    for kind, document in cases.items():
        assert type(parse_client_message(encode(document))) is kind
        assert parse_client_message(encode({**document, "id": "m"})).id == "m"


def test_a_prompt_becomes_a_request() -> None:
    """Missing and null fields are the defaults."""
    body = parse_body(PromptBody, b'{"text":" x ","conversation":"new","mode":null}')
    assert body.to_request() == TurnRequest(" x ", new_conversation=True)


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b'{"type":"prompt","id":"m"}', {"text"}),
        (b'{"type":"prompt","text":"x","nope":1}', {"nope"}),
        (b'{"type":"cancel"}', {"turnId"}),
        (b'{"type":"update","basedOn":"1","path":"a"}', {"basedOn", "path", "value"}),
        (b'{"type":"update","basedOn":1.0,"path":[1.5],"value":1}', {"basedOn", "path.0.str", "path.0.int"}),
        (b'{"type":"what"}', {"type"}),
        (b'{"text":"x"}', {"type"}),
        (b"[]", {"message"}),
        (b"{", {"message"}),
    ],
)
def test_refusals_name_the_fields(raw: bytes, fields: set[str]) -> None:
    """Every wrong, missing or unknown field is named as it is on the wire."""
    with pytest.raises(ToolRejected) as refusal:
        parse_client_message(raw)
    assert set(fields_of(refusal)) == fields


def test_unknown_fields_are_told_what_there_is() -> None:
    """The refusal lists the fields that would have worked."""
    with pytest.raises(ToolRejected) as refusal:
        parse_client_message(b'{"type":"cancel","turnId":"t","turn":"t"}')
    assert "turnId" in fields_of(refusal)["turn"]
    with pytest.raises(ToolRejected) as refusal:
        parse_body(EmptyBody, b'{"x":1}')
    assert fields_of(refusal)["x"] == "no such field; there is none to give"


def test_input_is_never_told_back() -> None:
    """A refusal does not quote values: they may be secrets."""
    with pytest.raises(ToolRejected) as refusal:
        parse_body(PromptBody, b'{"text":"x","mode":"hunter2"}')
    assert "hunter2" not in json.dumps(refusal.value.to_wire())


def test_frames_over_the_limit_are_too_large() -> None:
    """The limit holds for bodies and frames alike."""
    raw = b" " * (limits.FRAME_BYTES + 1)
    for parse in (lambda: parse_body(CallBody, raw), lambda: parse_client_message(raw)):
        with pytest.raises(ToolRejected) as refusal:
            parse()
        assert refusal.value.code == "too_large"


def test_a_million_wrong_items_are_one_finding() -> None:
    """A list of wrong items or a crowd of unknown fields is refused without listing them all."""
    with pytest.raises(ToolRejected) as refusal:
        parse_body(PromptBody, b'{"text":"x","attachments":[' + b"1," * 200_000 + b"1]}")
    assert len(fields_of(refusal)) == 1
    with pytest.raises(ToolRejected) as refusal:
        parse_body(EmptyBody, b"{" + b",".join(b'"k%d":1' % n for n in range(10_000)) + b"}")
    assert len(fields_of(refusal)) == 1


def nest(depth: int, leaf: Any) -> Any:
    for level in range(depth):
        leaf = [leaf] if level % 2 else {'[{\\"': leaf, "b": []}
    return leaf


def python_depth(value: Any) -> int:
    """Own count, by recursion."""
    if isinstance(value, dict):
        return 1 + max((python_depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((python_depth(item) for item in value), default=0)
    return 0


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('[]{}"\\a'), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from('[]{}"\\'), max_size=4), inner, max_size=3)
    ),
    max_leaves=30,
)


@given(document=documents)
@settings(deadline=None, max_examples=200)
def test_depth_is_counted_as_python_counts_it(document: Any) -> None:
    """Brackets in strings and keys do not count; siblings do not add up."""
    assert depth_of(json.dumps(document).encode()) == python_depth(document)


def test_depth_is_limited() -> None:
    """Just the limit passes, one more is refused, and far more too."""
    for depth, passes in ((MAX_DEPTH - 1, True), (MAX_DEPTH, False), (150, False), (5_000, False)):
        raw = b'{"arguments":{"x":' + b"[" * (depth - 1) + b"[]" * 0 + b"]" * (depth - 1) + b"}}"
        if passes:
            # The body's own two braces count.
            raw = b'{"arguments":{"x":' + b"[" * (MAX_DEPTH - 2) + b"]" * (MAX_DEPTH - 2) + b"}}"
            parse_body(CallBody, raw)
        else:
            with pytest.raises(ToolRejected):
                parse_body(CallBody, raw)


@given(
    document=st.dictionaries(
        st.text(max_size=5), documents | st.floats(allow_nan=False, allow_infinity=False), max_size=4
    )
)
@settings(deadline=None, max_examples=100)
def test_what_is_encoded_is_read_back(document: dict[str, Any]) -> None:
    """Encoding is ASCII JSON that the parser of calls reads back unchanged."""
    raw = encode({"arguments": document})
    assert raw.isascii()
    assert parse_body(CallBody, raw).arguments == document


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+999", "9" * 400 + ".0"])
def test_numbers_that_json_has_not_are_refused(number: str) -> None:
    """Nothing infinite comes in, and nothing goes out; the same letters in a text are fine."""
    with pytest.raises(ToolRejected):
        parse_body(CallBody, b'{"arguments":{"a":' + number.encode() + b"}}")
    assert parse_body(CallBody, encode({"arguments": {"a": number}})).arguments == {"a": number}
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"a": math.inf})


def test_lone_surrogates_are_sent_escaped() -> None:
    """A file name that is no Unicode cannot break the peer's decoder."""
    assert encode({"name": "a\udcff"}) == b'{"name":"a\\udcff"}'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"id":"m"}', "m"),
        (b'{"id":""}', None),
        (b'{"id":5}', None),
        (b'{"id":"' + b"x" * 300 + b'"}', None),
        (b"[1]", None),
        (b"{", None),
        (b"", None),
        (b"[" * 10_000, None),
    ],
)
def test_the_id_of_a_bad_message(raw: bytes, expected: str | None) -> None:
    """A usable id is found, anything else is none."""
    assert message_id(raw) == expected


@given(raw=st.binary(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_refused_by_rule(raw: bytes) -> None:
    """Garbage gives a refusal, never another error."""
    for parse in (lambda: parse_client_message(raw), lambda: parse_body(CallBody, raw)):
        with pytest.raises(ToolRejected):
            parse()
    message_id(raw)
