"""The pure parts of the Realtime link: the server's copy of the conversation, and frames of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.models.realtime_memory import INTERRUPTED_OUTPUT, Plan, SessionMemory, Tail
from spark.adapters.models.realtime_response import StreamedResponse
from spark.adapters.models.realtime_wire import (
    Frame,
    Other,
    ResponseDone,
    SessionCreated,
    TextDelta,
    parse_error_body,
    parse_frame,
    short_id,
)
from spark.core.conversation import (
    AssistantMessage,
    FunctionCall,
    FunctionOutput,
    Item,
    SystemNote,
    UserMessage,
)
from spark.core.errors import Unavailable


class FakeCopy:
    """A server's copy of a conversation, as strict as the real one."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.made = 0

    def apply(self, plan: Plan) -> None:
        for item_id in plan.deletes:
            assert any(item["id"] == item_id for item in self.items)
            self.items = [item for item in self.items if item["id"] != item_id]
        for item in plan.creates:
            assert len(item["id"]) <= 32
            assert all(known["id"] != item["id"] for known in self.items)
            if item["type"] == "function_call_output":
                assert item["call_id"] in self.calls()
            self.items.append(item)

    def calls(self) -> set[str]:
        return {item["call_id"] for item in self.items if item["type"] == "function_call"}

    def respond(self, text: str, call_ids: list[str]) -> Tail:
        tail = Tail(text=text)
        if text:
            tail.text_ids.append(self._add({"type": "message", "content": [{"text": text}]}))
        for call_id in call_ids:
            item_id = self._add({"type": "function_call", "call_id": call_id})
            if call_id in tail.calls:
                tail.extra.append(item_id)
            else:
                tail.calls[call_id] = item_id
        return tail

    def _add(self, item: dict[str, Any]) -> str:
        self.made += 1
        item["id"] = f"server_{self.made}"
        self.items.append(item)
        return str(item["id"])

    def shape(self) -> list[str]:
        """Texts and calls, sorted: what the copy says, wherever it stands."""
        return sorted(
            item["content"][0]["text"].strip() if item["type"] == "message" else f"{item['type']} {item['call_id']}"
            for item in self.items
        )


def shape_of(items: list[Item]) -> list[str]:
    """What a copy of these items must say: texts, calls once each, exactly one output for each call."""
    calls = list(dict.fromkeys(item.call_id for item in items if isinstance(item, FunctionCall)))
    texts = [item.text for item in items if isinstance(item, UserMessage | AssistantMessage | SystemNote)]
    return sorted(
        [text.strip() for text in texts if text.strip()]
        + [f"function_call {call_id}" for call_id in calls]
        + [f"function_call_output {call_id}" for call_id in calls]
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["user", "note", "trim", "respond", "respond", "respond"]),
        st.sampled_from(["", "a text", "other text ", "  "]),
        st.lists(st.sampled_from(["c1", "c2", "c3", "c4", "c5"]), max_size=3),
        st.booleans(),  # whether the text is taken into the conversation
        st.sampled_from(["all", "some", "none", "reversed", "late"]),  # which calls get outputs
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=150)
@given(STEPS)
def test_copy_always_says_what_the_conversation_says(steps: list[tuple[str, str, list[str], bool, str]]) -> None:
    """Whatever is said, answered, left out or summarised: after each plan (or a fresh session) the server's copy holds the
    conversation's texts and calls once, each call with one output, and no output without its call."""
    memory, copy = SessionMemory(), FakeCopy()
    items: list[Item] = []
    numbers = iter(range(10_000))
    late: list[FunctionOutput] = []

    def output(call_id: str) -> FunctionOutput:
        return FunctionOutput(f"fo_{next(numbers)}", call_id, "{}")

    for response, (kind, text, wire_ids, keeps_text, answers) in enumerate(steps):
        # An id comes twice in one response at most: the conversation's own ids never come again.
        call_ids = [f"{wire_id}_{response}" for wire_id in wire_ids]
        items += late
        late = []
        if kind == "trim":
            items = items[len(items) // 2 :]
        elif kind == "note":
            items.append(SystemNote(f"n_{next(numbers)}", text))
        else:
            items.append(UserMessage(f"u_{next(numbers)}", text))
        plan = memory.plan(items)
        if plan is None:
            memory, copy = SessionMemory(), FakeCopy()
            plan = memory.plan(items)
        assert plan is not None
        copy.apply(plan)
        memory.commit(plan)
        assert copy.shape() == shape_of(items)
        again = memory.plan(items)
        assert again is not None
        assert (again.creates, again.deletes) == ((), ())
        if kind != "respond":
            continue
        memory.response_added(copy.respond(text, call_ids))
        if keeps_text and text.strip():
            items.append(AssistantMessage(f"a_{next(numbers)}", text.strip()))
        calls = [FunctionCall(f"fc_{next(numbers)}", call_id, "f", "{}") for call_id in dict.fromkeys(call_ids)]
        outputs = [output(call.call_id) for call in calls]
        match answers:
            case "all":
                items += [item for pair in zip(calls, outputs, strict=True) for item in pair]
            case "some":
                items += [*calls, *outputs[:1]]
            case "reversed":
                items += [*calls, *reversed(outputs)]
            case "late":
                items += calls
                late = outputs
            case _:
                items += calls


def test_text_spoken_by_the_server_is_not_told_again() -> None:
    """What a response said and called is recognised in the caller's items, with outputs between the calls or after them."""
    memory, copy = SessionMemory(), FakeCopy()
    items: list[Item] = [UserMessage("u1", "go")]
    plan = memory.plan(items)
    assert plan is not None
    memory.commit(plan)
    memory.response_added(copy.respond("Reading.", ["a", "b"]))
    items += [
        FunctionCall("f1", "a", "readFile", "{}"),
        FunctionOutput("o1", "a", "{}"),
        AssistantMessage("t1", "Reading.\n"),
        FunctionCall("f2", "b", "readFile", "{}"),
        FunctionOutput("o2", "b", "{}"),
    ]
    plan = memory.plan(items)
    assert plan is not None
    assert [(item["type"], item["call_id"]) for item in plan.creates] == [
        ("function_call_output", "a"),
        ("function_call_output", "b"),
    ]
    assert plan.deletes == ()


def test_late_output_of_an_interrupted_call_needs_a_fresh_session() -> None:
    """Once the server was told that a call was interrupted, its real output cannot be told there as well."""
    memory = SessionMemory()
    items: list[Item] = [UserMessage("u1", "go"), FunctionCall("f1", "a", "readFile", "{}")]
    plan = memory.plan(items)
    assert plan is not None
    assert plan.creates[-1]["output"] == INTERRUPTED_OUTPUT
    memory.commit(plan)
    items.append(FunctionOutput("o1", "a", "{}"))
    assert memory.plan(items) is None


@pytest.mark.parametrize(
    "items",
    [
        [UserMessage("u2", "other")],
        [UserMessage("u2", "other"), UserMessage("u1", "go")],
        [UserMessage("u1", "go")],
        [],
    ],
)
def test_what_is_no_extension_has_no_plan(items: list[Item]) -> None:
    """Items that were replaced, put in front, or taken away cannot be told to a session that knows them."""
    memory = SessionMemory()
    plan = memory.plan([UserMessage("u1", "go"), SystemNote("n1", "note")])
    assert plan is not None
    memory.commit(plan)
    assert memory.plan(items) is None


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=100))
def test_ids_are_short_plain_and_stable(text: str) -> None:
    """Any id becomes one that the server takes, always the same one, and plain ones stay as they are."""
    made = short_id(text, "item")
    assert 1 <= len(made) <= 32
    assert made.isascii()
    assert made == short_id(text, "item") == short_id(made, "item")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = [
    *["session.created", "session.updated", "error", "rate_limits.updated", "response.created", "response.done"],
    *["response.output_text.delta", "response.output_text.done", "response.output_item.added"],
    *["response.output_item.done", "conversation.item.added", "something.new"],
]
FIELDS = [
    *["session", "error", "response", "item", "rate_limits", "delta", "text", "response_id", "item_id"],
    *["content_index", "status", "usage", "status_details", "expires_at"],
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_frames_of_any_shape_are_read(kind: str, fields: dict[str, Any]) -> None:
    """A frame of a known type whose fields hold anything is parsed and taken without an exception of ours."""
    frame: Frame = parse_frame(json.dumps({**fields, "type": kind}).encode())
    response = StreamedResponse("host", "resp_1")
    try:
        list(response.take(frame))
    except Unavailable:
        assert isinstance(frame, ResponseDone)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_read(raw: bytes) -> None:
    """What is no JSON object is an unknown frame, and an error body without an error says nothing."""
    assert parse_frame(raw) == Other()
    assert parse_error_body(raw).code == ""


def test_deeply_nested_frame_is_unknown() -> None:
    """Nesting beyond what the parser takes is no crash."""
    assert parse_frame(b'{"a":' * 200_000) == Other()


def test_known_frames_are_read_whole() -> None:
    """Frames as recorded give exactly their fields."""
    delta = {"type": "response.output_text.delta", "response_id": "r", "item_id": "i", "content_index": 1, "delta": "x"}
    assert parse_frame(json.dumps(delta).encode()) == TextDelta("r", "i", 1, "x")
    created = {"type": "session.created", "session": {"expires_at": 1795386783}}
    assert parse_frame(json.dumps(created).encode()) == SessionCreated(1795386783.0)
