"""The state machine of a turn, as dialogues: what happened, and what is done next."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core import commands as do
from spark.core import events as ev
from spark.core.conversation import FunctionCall, TokenUsage
from spark.core.limits import OVERWRITES_BEFORE_ASKING, RESUMES_PER_TURN, SAME_CALL_REPEATS, TOOL_ROUNDS_PER_TURN
from spark.core.turn import Turn
from spark.core.versions import GitPlace

MAIN = GitPlace("a" * 40, "main")
OTHER = GitPlace("b" * 40, "feature")


def call(call_id: str, name: str = "applyCodePatch", arguments: str = "{}") -> FunctionCall:
    return FunctionCall("item", call_id, name, arguments)


class Dialogue:
    """A turn, its answers without the published events, and those events on their own."""

    def __init__(self, kind: str = "model", mode: str = "auto") -> None:
        numbers = count(1)
        self.turn = Turn(kind, mode, MAIN, new_approval_id=lambda: f"approval_{next(numbers)}")  # type: ignore[arg-type]
        self.published: list[do.Publish] = []

    def __call__(self, event: ev.Event) -> list[do.Command]:
        commands = self.turn.handle(event)
        self.published += [command for command in commands if isinstance(command, do.Publish)]
        return [command for command in commands if not isinstance(command, do.Publish)]

    def types(self) -> list[str]:
        return [event.type for event in self.published]


def opened(kind: str = "model", mode: str = "auto") -> Dialogue:
    say = Dialogue(kind, mode)
    say(ev.TurnOpened())
    return say


def write(call_id: str, **kwargs: object) -> ev.CallArrived:
    return ev.CallArrived(call(call_id, arguments=f'{{"n":"{call_id}"}}'), writes=True, **kwargs)  # type: ignore[arg-type]


def read(call_id: str) -> ev.CallArrived:
    return ev.CallArrived(call(call_id, "readFile", f'{{"n":"{call_id}"}}'), writes=False)


def prepared(call_id: str, overwrites: int = 0, head: GitPlace = MAIN) -> ev.CallPrepared:
    return ev.CallPrepared(call_id, ("Assets/A.cs",), overwrites, head)


def done(call_id: str, success: bool = True) -> ev.CallDone:
    return ev.CallDone(call_id, success, f"output of {call_id}", 1)


def test_an_opened_model_turn_asks_the_model() -> None:
    """new + TurnOpened -> responding: the start is published, then the model is asked."""
    say = Dialogue()
    assert say(ev.TurnOpened()) == [do.AskModel()]
    assert say.types() == ["turnStarted"]
    assert say.turn.phase == "responding"
    assert say(ev.TurnOpened()) == []


def test_text_streams_through_and_a_plain_answer_ends_the_turn() -> None:
    """responding + text, then a completed response without calls -> ended as done, usage told."""
    say = opened()
    say(ev.TextArrived("Hel"))
    say(ev.TextArrived("lo"))
    assert say(ev.ResponseFinished("completed", TokenUsage(10, 2, 5))) == [do.EndTurn("done")]
    assert say.types() == ["turnStarted", "textDelta", "textDelta", "usage"]
    assert say.turn.usage == TokenUsage(10, 2, 5)


def test_a_call_runs_lands_and_its_output_goes_back_before_the_model_is_asked_again() -> None:
    """The way of one writing call: RunTool, LandChanges, TellModel, AskModel; the response's end is waited for."""
    say = opened()
    assert say(write("c1")) == [do.RunTool(call("c1", arguments='{"n":"c1"}'), False)]
    assert say(prepared("c1")) == [do.LandChanges("c1", None)]
    assert say(done("c1")) == [do.TellModel("c1", "output of c1")]
    assert say(ev.ResponseFinished("completed")) == [do.AskModel()]
    assert say.types() == ["turnStarted", "callStarted", "callFinished"]


def test_the_model_is_asked_once_after_all_calls_of_a_response_have_outputs() -> None:
    """settling waits for the last CallDone; two parallel calls give one further response."""
    say = opened()
    say(read("c1"))
    say(read("c2"))
    assert say(ev.ResponseFinished("completed")) == []
    assert say(done("c2")) == [do.TellModel("c2", "output of c2")]
    assert say(done("c1")) == [do.TellModel("c1", "output of c1"), do.AskModel()]


def test_reads_run_side_by_side_and_writes_wait_for_everything_before_them() -> None:
    """A writing call waits for all before it; a reading call only for writing ones before it."""
    say = opened()
    assert len(say(read("r1"))) == 1
    assert len(say(read("r2"))) == 1
    assert say(write("w1")) == []
    assert say(read("r3")) == []
    assert say(done("r1")) == [do.TellModel("r1", "output of r1")]
    assert do.RunTool(call("w1", arguments='{"n":"w1"}'), False) in say(done("r2"))
    assert say.turn.call_state("r3") == "queued"
    say(prepared("w1"))
    assert any(isinstance(command, do.RunTool) for command in say(done("w1")))


def test_a_repeated_call_id_runs_once_and_is_answered_once() -> None:
    """The same call id again is not run again, and the model still gets its next response."""
    say = opened()
    say(write("c1"))
    assert say(write("c1")) == []
    say(prepared("c1"))
    say(done("c1"))
    assert say(done("c1")) == []
    say(ev.ResponseFinished("completed"))
    assert say(write("c1")) == []
    assert say(ev.ResponseFinished("completed")) == [do.AskModel()]


def test_a_call_that_ran_in_an_earlier_life_gives_its_known_output() -> None:
    """A call id that the journal knows is told its old output and is not run."""
    say = opened()
    assert say(write("c1", known_output="old")) == [do.TellModel("c1", "old")]
    assert say(ev.ResponseFinished("completed")) == [do.AskModel()]


def test_a_model_that_repeats_the_same_call_is_stopped_from_it() -> None:
    """The same name and arguments more often than the limit are refused, not run."""
    say = opened()
    for number in range(SAME_CALL_REPEATS):
        same = ev.CallArrived(call(f"c{number}", "readFile", '{"path":"Assets/A.cs"}'), writes=False)
        assert isinstance(say(same)[0], do.RunTool)
        say(done(f"c{number}"))
    again = say(ev.CallArrived(call("last", "readFile", '{"path":"Assets/A.cs"}'), writes=False))
    assert isinstance(again[0], do.RefuseCall)
    assert again[0].code == "conflict"


def test_a_model_that_never_stops_calling_is_stopped_after_the_limit_of_rounds() -> None:
    """More rounds of calls than the limit end the turn as failed."""
    say = opened()
    last: list[do.Command] = []
    for number in range(TOOL_ROUNDS_PER_TURN):
        say(read(f"c{number}"))
        say(done(f"c{number}"))
        last = say(ev.ResponseFinished("completed"))
    assert isinstance(last[-1], do.EndTurn)
    assert last[-1].status == "failed"


def test_mode_ask_holds_each_change_set_and_an_accepted_one_lands() -> None:
    """running + CallPrepared in mode ask -> held; accept -> landing, with the chosen paths."""
    say = opened(mode="ask")
    say(write("c1"))
    assert say(prepared("c1")) == [do.AskApproval("approval_1", "c1", "mode")]
    assert say(ev.ApprovalDecided("nobody", True)) == []
    assert say(ev.ApprovalDecided("approval_1", True, ("Assets/A.cs",))) == [do.LandChanges("c1", ("Assets/A.cs",))]
    assert say(ev.ApprovalDecided("approval_1", True)) == []


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (ev.ApprovalDecided("approval_1", False), "approval_denied"),
        (ev.ApprovalDecided("approval_1", True, ()), "approval_denied"),
        (ev.ApprovalExpired("approval_1"), "approval_required"),
    ],
)
def test_a_change_that_is_not_accepted_is_dropped_with_its_reason(event: ev.Event, code: str) -> None:
    """held + rejection, an empty choice or no decision in time -> nothing lands and the model is told why."""
    say = opened(mode="ask")
    say(write("c1"))
    say(prepared("c1"))
    (command,) = say(event)
    assert isinstance(command, do.DropChanges)
    assert command.code == code


def test_read_only_refuses_a_writing_call_without_running_it() -> None:
    """readOnly + a writing call -> RefuseCall; reading calls run."""
    say = opened(mode="readOnly")
    (refused,) = say(write("c1"))
    assert isinstance(refused, do.RefuseCall)
    assert isinstance(say(done("c1"))[0], do.TellModel)
    assert isinstance(say(read("c2"))[0], do.RunTool)


def test_more_than_ten_overwritten_files_ask_in_every_mode_once() -> None:
    """Deleting or replacing more than ten files in one turn asks, also in mode auto; a yes holds for the turn."""
    say = opened()
    say(write("c1"))
    assert say(prepared("c1", OVERWRITES_BEFORE_ASKING)) == [do.LandChanges("c1", None)]
    say(done("c1"))
    say(write("c2"))
    assert say(prepared("c2", 1)) == [do.AskApproval("approval_1", "c2", "manyFiles")]
    assert say(ev.ApprovalDecided("approval_1", True)) == [do.LandChanges("c2", None)]
    say(done("c2"))
    say(write("c3"))
    assert say(prepared("c3", 5)) == [do.LandChanges("c3", None)]


def test_a_moved_head_pauses_the_turn_before_its_next_write() -> None:
    """A change of HEAD during a turn asks in every mode; accepted once, the new place is the turn's."""
    say = opened()
    say(write("c1"))
    assert say(prepared("c1", head=OTHER)) == [do.AskApproval("approval_1", "c1", "headMoved")]
    assert say(ev.ApprovalDecided("approval_1", True)) == [do.LandChanges("c1", None)]
    say(done("c1"))
    say(write("c2"))
    assert say(prepared("c2", head=OTHER)) == [do.LandChanges("c2", None)]


def test_cancel_stops_the_model_the_tools_and_the_queue_but_never_a_landing() -> None:
    """cancelling: the response and running tools are stopped, queued and held calls refused, a landing is waited for."""
    say = opened()
    say(write("landing"))
    say(prepared("landing"))
    say(write("queued"))
    commands = say(ev.CancelRequested())
    assert do.CancelModel() in commands
    assert [c.call_id for c in commands if isinstance(c, do.RefuseCall)] == ["queued"]
    assert not any(isinstance(c, do.EndTurn) for c in commands)
    say(done("queued", False))
    assert say(ev.ResponseFinished("cancelled")) == []
    assert say(done("landing")) == [do.TellModel("landing", "output of landing"), do.EndTurn("cancelled")]


def test_cancel_stops_a_running_tool_and_drops_what_it_prepares_too_late() -> None:
    """running + CancelRequested -> StopTool; a CallPrepared that crossed it is dropped, not landed."""
    say = opened()
    say(write("c1"))
    assert say(ev.CancelRequested()) == [do.CancelModel(), do.StopTool("c1")]
    (dropped,) = say(prepared("c1"))
    assert isinstance(dropped, do.DropChanges)
    assert say(done("c1", False))[-1] == do.EndTurn("cancelled")


def test_cancel_of_a_held_change_drops_it() -> None:
    """held + CancelRequested -> DropChanges, then ended."""
    say = opened(mode="ask")
    say(write("c1"))
    say(prepared("c1"))
    say(ev.ResponseFinished("completed"))
    (dropped,) = say(ev.CancelRequested())
    assert isinstance(dropped, do.DropChanges)
    assert dropped.code == "cancelled"
    assert say(done("c1", False))[-1] == do.EndTurn("cancelled")


def test_a_turn_that_waits_for_its_place_is_cancelled_at_once() -> None:
    """new + CancelRequested -> ended; it never opens."""
    say = Dialogue()
    assert say(ev.CancelRequested()) == [do.EndTurn("cancelled")]
    assert say(ev.TurnOpened()) == []


def test_a_model_that_is_away_ends_the_turn_with_its_error() -> None:
    """ModelBroke before anything arrived -> ended as failed, with the backend's error; nothing is asked again."""
    say = opened()
    error = {"code": "model_unavailable", "message": "away", "hint": "", "details": {}}
    assert say(ev.ModelBroke(error, interrupted=False)) == [do.EndTurn("failed", error)]


def test_an_interrupted_response_is_resumed_with_what_is_known_never_replayed() -> None:
    """ModelBroke after parts arrived: its calls get their outputs, then the model is asked to go on, at most N times."""
    say = opened()
    say(write("c1"))
    say(prepared("c1"))
    error = {"code": "model_unavailable", "message": "cut", "hint": "", "details": {}}
    assert say(ev.ModelBroke(error, interrupted=True)) == []
    tell, ask = say(done("c1"))
    assert tell == do.TellModel("c1", "output of c1")
    assert isinstance(ask, do.AskModel)
    assert "interrupted" in ask.note
    for _ in range(RESUMES_PER_TURN - 1):
        assert isinstance(say(ev.ModelBroke(error, interrupted=True))[0], do.AskModel)
    assert say(ev.ModelBroke(error, interrupted=True)) == [do.EndTurn("failed", error)]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (ev.ResponseFinished("failed", code="quota_exceeded", message="no money"), "failed", "quota_exceeded"),
        (ev.ResponseFinished("failed"), "failed", "model_unavailable"),
        (ev.ResponseFinished("incomplete", code="max_output_tokens"), "failed", "model_unavailable"),
        (ev.ResponseFinished("cancelled"), "cancelled", None),
    ],
)
def test_a_response_that_did_not_complete_ends_the_turn(event: ev.Event, status: str, code: str | None) -> None:
    """failed, incomplete and cancelled responses end the turn after its calls, and say why."""
    say = opened()
    (end,) = say(event)
    assert isinstance(end, do.EndTurn)
    assert end.status == status
    assert (end.error or {}).get("code") == code


def test_a_used_up_budget_stops_the_turn_after_its_call() -> None:
    """BudgetReached: what runs is finished and told, then the turn ends as quota_exceeded instead of asking again."""
    say = opened()
    say(read("c1"))
    say(ev.BudgetReached({"code": "quota_exceeded"}))
    say(ev.ResponseFinished("completed"))
    commands = say(done("c1"))
    assert isinstance(commands[-1], do.EndTurn)
    assert (commands[-1].error or {})["code"] == "quota_exceeded"


def test_a_budget_used_up_before_the_start_asks_no_model() -> None:
    """BudgetReached before TurnOpened: no response is asked for at all."""
    say = Dialogue()
    say(ev.BudgetReached({"code": "quota_exceeded"}))
    (end,) = say(ev.TurnOpened())
    assert isinstance(end, do.EndTurn)


def test_a_direct_turn_ends_with_its_call() -> None:
    """direct: serving until its one call is answered; a refused one ends it as failed."""
    for success, status in ((True, "done"), (False, "failed")):
        say = opened("direct")
        say(write("c1"))
        say(prepared("c1"))
        assert say(done("c1", success))[-1] == do.EndTurn(status)  # type: ignore[arg-type]


def test_an_external_turn_takes_calls_until_it_is_closed() -> None:
    """external: serving; EndRequested waits for the calls, then ends as done."""
    say = opened("external")
    say(write("c1"))
    say(prepared("c1"))
    say(done("c1"))
    say(write("c2"))
    assert say(ev.EndRequested()) == []
    say(prepared("c2"))
    assert say(done("c2"))[-1] == do.EndTurn("done")
    assert say(write("c3")) == []


def test_a_dry_run_is_run_in_every_mode() -> None:
    """dryRun is passed to the tool, also in readOnly: it writes nothing."""
    say = opened("external", "readOnly")
    assert say(write("c1", dry_run=True)) == [do.RunTool(call("c1", arguments='{"n":"c1"}'), True)]


EVENTS = st.one_of(
    st.just(ev.TurnOpened()),
    st.builds(ev.TextArrived, st.text(max_size=3)),
    st.sampled_from(["a", "b", "c"]).map(write),
    st.sampled_from(["d", "e"]).map(read),
    st.builds(ev.ResponseFinished, st.sampled_from(["completed", "cancelled", "failed", "incomplete"])),
    st.builds(ev.ModelBroke, st.just({"code": "model_unavailable"}), st.booleans()),
    st.builds(prepared, st.sampled_from(["a", "b", "c"]), st.integers(0, 12), st.sampled_from([MAIN, OTHER])),
    st.builds(done, st.sampled_from(["a", "b", "c", "d", "e"]), st.booleans()),
    st.builds(ev.ApprovalDecided, st.sampled_from(["approval_1", "approval_2"]), st.booleans()),
    st.just(ev.CancelRequested()),
    st.just(ev.BudgetReached({"code": "quota_exceeded"})),
    st.just(ev.EndRequested()),
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["model", "external", "direct"]),
    st.sampled_from(["ask", "auto", "readOnly"]),
    st.lists(EVENTS, max_size=40),
)
def test_whatever_happens_the_promises_hold(kind: str, mode: str, events: list[ev.Event]) -> None:
    """In any order of events: one end at most, each call run and answered at most once, no ask while a call is open."""
    say = Dialogue(kind, mode)
    ran: list[str] = []
    told: list[str] = []
    ends = 0
    for event in events:
        for command in say(event):
            match command:
                case do.RunTool(call=one):
                    ran.append(one.call_id)
                case do.TellModel(call_id=call_id):
                    told.append(call_id)
                case do.AskModel():
                    assert all(say.turn.call_state(name) in (None, "answered") for name in "abcde")
                case do.EndTurn():
                    ends += 1
                case do.LandChanges(call_id=call_id):
                    assert mode != "readOnly"
                    assert call_id in ran
                case _:
                    pass
    assert ends <= 1
    assert ends == say.turn.ended
    assert len(set(ran)) == len(ran)
    assert len(set(told)) == len(told)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_every_turn_can_be_brought_to_an_end(events: list[ev.Event]) -> None:
    """After any history a cancel, and an answer to whatever still runs or lands, ends an opened turn."""
    say = opened()
    for event in events:
        say(event)
    say(ev.CancelRequested())
    for _ in range(2):
        for name in "abcde":
            if say.turn.call_state(name) not in (None, "answered"):
                say(done(name, False))
    assert say.turn.ended
