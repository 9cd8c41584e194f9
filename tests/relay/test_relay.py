"""Prompts and calls through the relay, down to the bytes on disk and the history."""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from spark.adapters.journal import SqliteJournal
from spark.core.api import CallRequest, TurnRequest
from spark.core.conversation import FunctionCall, FunctionOutput, SystemNote, TokenUsage, UserMessage
from spark.core.errors import SparkError, Unavailable
from spark.core.ports import GeneratedCode, ScriptOrder
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.relay.daemon import Relay
from spark.relay.forgiving import ForgivingJournal
from spark.tools import TOOLS
from tests.fakes.scripted_model import DONE, ScriptedModel, Step, call, say
from tests.relay.conftest import Start

MOVER = "using UnityEngine;\n\npublic class Mover : MonoBehaviour\n{\n    public float speed = 1f;\n}\n"


def new_script(call_id: str = "c1", name: str = "Mover", code: str = MOVER) -> Any:
    arguments = {"prompt": "a script that moves", "className": name, "source": code, "folder": "Assets/Scripts"}
    return call("generateUnityScript", arguments, call_id)


def patch(old: str, new: str, call_id: str, path: str = "Assets/Scripts/Mover.cs") -> Any:
    arguments = {"filePath": path, "patchType": "replace", "oldContent": old, "newContent": new}
    return call("applyCodePatch", arguments, call_id)


async def test_a_prompt_becomes_files_with_history_and_events_without_gaps(start: Start) -> None:
    """The whole way: call, file and .meta on disk, versions with the prompt, events numbered from 1, usage and cost."""
    model = ScriptedModel([say("Making it."), new_script(), DONE], [say("Done."), DONE])
    async with start(model) as scene:
        events = await scene.prompt("make me a mover script")
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        kinds = [event["type"] for event in events]
        assert kinds[0] == "turnStarted"
        assert kinds[-1] == "turnFinished"
        assert {"textDelta", "callStarted", "callFinished", "usage"} <= set(kinds)
        assert events[0]["model"] == "scripted-1"
        assert events[0]["keySource"] == "none needed"
        finished = events[-1]
        assert finished["status"] == "done"
        assert finished["usage"]["inputTokens"] == 200
        assert finished["usage"]["costUsd"] == pytest.approx(0.002)
        assert {change["path"] for change in finished["changes"]} == {
            "Assets/Scripts/Mover.cs",
            "Assets/Scripts/Mover.cs.meta",
        }
        assert "public class Mover" in scene.text("Assets/Scripts/Mover.cs")
        page = scene.relay.history(path="Assets/Scripts/Mover.cs")
        assert [(v.prompt, v.author.kind, v.author.name, v.action) for v in page.versions] == [
            ("make me a mover script", "model", "scripted-1", "created")
        ]


async def test_the_model_gets_the_outputs_of_its_calls_and_may_edit_what_it_wrote(start: Start) -> None:
    """An own edit counts as a read: a patch of the new file lands without readFile; outputs carry the result."""
    model = ScriptedModel([new_script(), DONE], [patch("1f", "2f", "c2"), DONE])
    async with start(model) as scene:
        events = await scene.prompt("make a mover, then make it faster")
        assert events[-1]["status"] == "done"
        assert "speed = 2f" in scene.text("Assets/Scripts/Mover.cs")
        assert [output["success"] for output in model.outputs()] == [True, True]


async def test_an_edit_of_bytes_that_were_not_read_is_refused_and_the_turn_goes_on(start: Start) -> None:
    """conflict with what would have worked; nothing is written; the next call works."""
    model = ScriptedModel([new_script(), DONE], [patch("1f", "2f", "c2"), DONE])
    async with start(model) as scene:
        await scene.prompt("make a mover")
        path = scene.root / "Assets/Scripts/Mover.cs"
        path.write_text(MOVER.replace("1f", "1f /* mine */"))
        model.responses[:] = [[patch("1f", "3f", "c3"), DONE], [say("I see."), DONE]]
        await scene.prompt("make it faster")
        assert model.outputs()[-1]["error"]["code"] == "conflict"
        assert "mine" in path.read_text()


async def test_in_mode_ask_nothing_lands_before_a_decision_and_only_what_was_accepted(start: Start) -> None:
    """approvalRequested carries diff and changes; accepting one path lands that file with its .meta only."""
    both = "\n".join(
        [
            "diff --git a/Assets/Scripts/A.txt b/Assets/Scripts/A.txt",
            "new file mode 100644",
            "--- /dev/null",
            "+++ b/Assets/Scripts/A.txt",
            "@@ -0,0 +1 @@",
            "+a",
            "diff --git a/Assets/Scripts/B.txt b/Assets/Scripts/B.txt",
            "new file mode 100644",
            "--- /dev/null",
            "+++ b/Assets/Scripts/B.txt",
            "@@ -0,0 +1 @@",
            "+b",
            "",
        ]
    )
    arguments = {"filePath": "Assets/Scripts/A.txt", "patchType": "unified", "patch": both}
    model = ScriptedModel([call("applyCodePatch", arguments, "c1"), DONE])
    async with start(model) as scene:
        turn_id = await scene.relay.start_turn(TurnRequest("write two files", mode="ask"))
        asked = await scene.until(turn_id, "approvalRequested")
        assert asked["reason"] == "mode"
        assert "+b" in asked["diff"]
        assert not (scene.root / "Assets/Scripts/A.txt").exists()
        await scene.relay.decide(asked["approvalId"], "accept", ["Assets/Scripts/B.txt"])
        events = await scene.events(turn_id)
        assert {change["path"] for change in events[-1]["changes"]} == {
            "Assets/Scripts/B.txt",
            "Assets/Scripts/B.txt.meta",
        }
        assert not (scene.root / "Assets/Scripts/A.txt").exists()
        with pytest.raises(SparkError) as again:
            await scene.relay.decide(asked["approvalId"], "accept")
        assert again.value.code == "not_found"


async def test_a_rejected_change_is_told_to_the_model(start: Start) -> None:
    """approval_denied, and no byte changes."""
    model = ScriptedModel([new_script(), DONE])
    async with start(model) as scene:
        turn_id = await scene.relay.start_turn(TurnRequest("make a mover", mode="ask"))
        asked = await scene.until(turn_id, "approvalRequested")
        await scene.relay.decide(asked["approvalId"], "reject")
        events = await scene.events(turn_id)
        assert events[-1]["changes"] == []
        assert model.outputs()[0]["error"]["code"] == "approval_denied"
        assert not (scene.root / "Assets/Scripts/Mover.cs").exists()


async def test_cancel_keeps_what_landed_and_lists_it(start: Start) -> None:
    """A cancelled turn ends as cancelled with its changes; the model's stream was closed."""
    never = asyncio.Event()
    model = ScriptedModel([new_script(), never, DONE])
    async with start(model) as scene:
        turn_id = await scene.relay.start_turn(TurnRequest("make a mover"))
        await scene.until(turn_id, "callFinished")
        await scene.relay.cancel_turn(turn_id)
        events = await scene.events(turn_id)
        assert events[-1]["status"] == "cancelled"
        assert len(events[-1]["changes"]) == 2
        assert model.cancelled == 1
        assert (scene.root / "Assets/Scripts/Mover.cs").exists()


async def test_a_queued_turn_can_be_cancelled_while_another_runs(start: Start) -> None:
    """One model turn at a time; a waiting one is cancelled at once and never asks the model."""
    gate = asyncio.Event()
    model = ScriptedModel([gate, say("first"), DONE])
    async with start(model) as scene:
        first = await scene.relay.start_turn(TurnRequest("first"))
        second = await scene.relay.start_turn(TurnRequest("second"))
        await scene.relay.cancel_turn(second)
        assert (await scene.events(second))[-1]["status"] == "cancelled"
        gate.set()
        assert (await scene.events(first))[-1]["status"] == "done"
        assert len(model.requests) == 1


async def test_a_call_id_runs_once_ever_also_in_another_turn_and_after_a_restart(start: Start) -> None:
    """The same call id with the same arguments answers what it answered; with others it is refused; nothing runs twice."""
    insert = {"filePath": "Assets/Scripts/Mover.cs", "patchType": "insertAfter", "oldContent": "{\n"}
    once = call("applyCodePatch", {**insert, "newContent": "    // once\n"}, "c2")
    other = call("applyCodePatch", {**insert, "newContent": "    // other\n"}, "c2")
    async with start(ScriptedModel([new_script(), DONE], [once, DONE])) as scene:
        await scene.prompt("make a mover with a comment")
    model = ScriptedModel([once, DONE], [other, DONE])
    async with start(model) as scene:
        await scene.prompt("again")
        assert scene.text("Assets/Scripts/Mover.cs").count("// once") == 1
        assert "// other" not in scene.text("Assets/Scripts/Mover.cs")


async def test_a_call_that_landed_before_a_crash_took_its_answer_is_not_run_again(start: Start) -> None:
    """The journal says started, the store says landed: the answer is made from the versions."""
    async with start(ScriptedModel([new_script("c9"), DONE])) as scene:
        await scene.prompt("make a mover")
        database = scene.parts.store.db  # type: ignore[attr-defined]
        with database.transaction() as db:
            db.execute("UPDATE call SET state='started', answer=NULL, status=NULL WHERE id='c9'")
            db.execute("DELETE FROM item")
    model = ScriptedModel([new_script("c9"), DONE])
    async with start(model) as scene:
        await scene.prompt("make a mover", new_conversation=True)
        (output,) = model.outputs()
        assert output["success"] is True
        assert output["result"] == {"recovered": True}
        assert {change["path"] for change in output["changes"]} >= {"Assets/Scripts/Mover.cs"}


async def test_an_idempotency_key_answers_once_also_when_asked_twice_at_the_same_time(start: Start) -> None:
    """Two callers with one key: one file change, one answer; other arguments are idempotency_mismatch."""
    arguments = {"prompt": "a script that moves", "className": "Mover", "source": MOVER}
    async with start(ScriptedModel()) as scene:
        one, two = await asyncio.gather(
            scene.call("generateUnityScript", arguments, idempotency_key="k"),
            scene.call("generateUnityScript", arguments, idempotency_key="k"),
        )
        assert one.status == 200
        assert one == two
        third = await scene.call("generateUnityScript", arguments, idempotency_key="k")
        assert third.body == one.body
        with pytest.raises(SparkError) as mismatch:
            await scene.call("generateUnityScript", {**arguments, "className": "Other"}, idempotency_key="k")
        assert mismatch.value.code == "idempotency_mismatch"
    async with start(ScriptedModel()) as scene:
        again = await scene.call("generateUnityScript", arguments, idempotency_key="k")
        assert again.body == one.body


async def test_a_refusal_is_also_the_one_answer_of_a_key(start: Start) -> None:
    """A refused call with a key answers the same refusal again."""
    async with start(ScriptedModel()) as scene:
        first = await scene.call("readFile", {"path": "Assets/Nope.cs"}, idempotency_key="r")
        assert first.status == 404
        (scene.root / "Assets/Nope.cs").write_text("// now it is there\n")
        assert await scene.call("readFile", {"path": "Assets/Nope.cs"}, idempotency_key="r") == first


async def test_a_dry_run_tells_what_would_change_and_writes_nothing(start: Start) -> None:
    """dryRun: the diff and the paths in the result, no change, no version."""
    arguments = {"prompt": "a script that moves", "className": "Mover", "source": MOVER, "folder": "Assets/New"}
    async with start(ScriptedModel()) as scene:
        outcome = await scene.call("generateUnityScript", arguments, dry_run=True)
        assert outcome.status == 200
        assert outcome.body["changes"] == []
        assert "+public class Mover" in outcome.body["result"]["diff"]
        assert not (scene.root / "Assets/New").exists()
        assert scene.relay.history().versions == ()


async def test_an_external_turn_groups_the_calls_of_an_outside_agent(start: Start) -> None:
    """Its calls share a turn with the agent's text as prompt; closed turns take no more calls; one undo takes all back."""
    async with start(ScriptedModel()) as scene:
        turn_id = await scene.relay.start_turn(TurnRequest("agent: two scripts", external=True))
        for name in ("One", "Two"):
            code = MOVER.replace("Mover", name)
            arguments = {"prompt": "a script that moves", "className": name, "source": code}
            outcome = await scene.call("generateUnityScript", arguments, turn_id=turn_id)
            assert outcome.status == 200
            assert outcome.body["turnId"] == turn_id
        ended = await scene.relay.end_turn(turn_id)
        assert ended["status"] == "done"
        assert {version.prompt for version in scene.relay.history().versions} == {"agent: two scripts"}
        with pytest.raises(SparkError) as closed:
            await scene.call("readFile", {"path": "Assets"}, turn_id=turn_id)
        assert closed.value.code == "not_found"
        undone = await scene.relay.undo([turn_id])
        assert undone.status == 200
        assert not list((scene.root / "Assets").rglob("One.cs*"))


async def test_a_moved_head_pauses_a_turn_before_its_next_write(start: Start) -> None:
    """A branch switch during a turn: the next change set is held with the reason headMoved, also in mode auto."""
    async with start(ScriptedModel()) as scene:
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@t.invalid", "-C", str(scene.root)]
        for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "start"]):
            subprocess.run([*git, *command], check=True)

        def switch() -> None:
            subprocess.run([*git, "checkout", "-q", "-b", "feature"], check=True)

        scene.parts.model.responses = [[switch, new_script(), DONE]]  # type: ignore[attr-defined]
        turn_id = await scene.relay.start_turn(TurnRequest("make a mover"))
        asked = await scene.until(turn_id, "approvalRequested")
        assert asked["reason"] == "headMoved"
        assert not (scene.root / "Assets/Scripts/Mover.cs").exists()
        await scene.relay.decide(asked["approvalId"], "accept")
        assert (await scene.events(turn_id))[-1]["status"] == "done"


async def test_the_conversation_goes_on_after_a_restart_until_a_new_one_is_asked_for(start: Start) -> None:
    """The next daemon sends the whole conversation; `new` sends only the new prompt."""
    async with start(ScriptedModel([new_script(), DONE], [say("Done."), DONE])) as scene:
        await scene.prompt("make a mover")
    model = ScriptedModel([say("Yes."), DONE], [say("Who?"), DONE])
    async with start(model) as scene:
        await scene.prompt("what did you make?")
        sent = model.requests[0].items
        assert [item.text for item in sent if isinstance(item, UserMessage)] == ["make a mover", "what did you make?"]
        assert any(isinstance(item, SystemNote) and item.text.startswith("Last turn: turn_") for item in sent)
        await scene.prompt("hello", new_conversation=True)
        assert [type(item) for item in model.requests[1].items] == [UserMessage]


async def test_a_crash_in_mid_turn_leaves_no_open_call_and_no_running_turn(start: Start) -> None:
    """After a crash the turn is failed and its open call has an output: the next request is one that a model accepts."""
    async with start(ScriptedModel()) as scene:
        await scene.prompt("hello")
        conversation = scene.relay._session.conversation
        conversation.say("do something")
        conversation.call(FunctionCall("x", "open_call", "readFile", "{}"))
        row = scene.parts.journal.turns(limit=1)[0]
        with scene.parts.store.db.transaction() as db:  # type: ignore[attr-defined]
            db.execute("UPDATE turn SET status='running', ended_at=NULL WHERE id=?", (row.turn_id,))
    model = ScriptedModel()
    async with start(model) as scene:
        assert scene.relay.turn(row.turn_id)["status"] == "failed"
        await scene.prompt("go on")
        calls = {item.call_id for item in model.requests[0].items if isinstance(item, FunctionCall)}
        outputs = {item.call_id for item in model.requests[0].items if isinstance(item, FunctionOutput)}
        assert calls == outputs == {"open_call"}


async def test_what_no_longer_fits_is_summarised_and_said(start: Start) -> None:
    """A conversation over the limit is sent as a summary and its newest prompts; turnStarted says how many are summarised."""
    answers: list[list[Step]] = [[say("x" * 400), DONE] for _ in range(6)]
    model = ScriptedModel(*answers)
    async with start(model, context_chars=1500) as scene:
        for number in range(5):
            await scene.prompt(f"prompt number {number}")
        events = await scene.prompt("the last one")
        assert events[0]["summarised"] >= 1
        first, *rest = model.requests[-1].items
        assert isinstance(first, SystemNote)
        assert "prompt number 0" in first.text
        assert isinstance(rest[-1], UserMessage)


async def test_a_used_up_budget_stops_the_turn_after_its_call(start: Start) -> None:
    """At the day's limit a turn ends as quota_exceeded after its call; the next prompt asks no model at all."""
    model = ScriptedModel([new_script(), DONE])
    async with start(model, budget_usd=0.0005) as scene:
        events = await scene.prompt("make a mover")
        assert events[-1]["status"] == "failed"
        assert events[-1]["error"]["code"] == "quota_exceeded"
        assert (scene.root / "Assets/Scripts/Mover.cs").exists()
        events = await scene.prompt("again")
        assert events[-1]["error"]["code"] == "quota_exceeded"
        assert len(model.requests) == 1


async def test_an_unknown_price_is_null_and_never_zero(start: Start) -> None:
    """costUsd is left out of the events and null in the usage where the price is unknown."""
    async with start(ScriptedModel([say("hi"), DONE]), cost_usd=lambda _m, _u: None) as scene:
        events = await scene.prompt("hello")
        assert "costUsd" not in events[-1]["usage"]
        assert scene.relay.usage("model")["usage"][0]["costUsd"] is None


async def test_a_model_that_is_away_fails_the_turn_with_its_error(start: Start) -> None:
    """model_unavailable reaches the client with its hint."""
    away = Unavailable("model_unavailable", "no connection", hint="spark key set openai")
    async with start(ScriptedModel([away])) as scene:
        events = await scene.prompt("hello")
        assert events[-1]["status"] == "failed"
        assert events[-1]["error"]["code"] == "model_unavailable"
        assert events[-1]["error"]["hint"] == "spark key set openai"


async def test_an_interrupted_response_goes_on_with_the_outputs_it_has(start: Start) -> None:
    """After a cut the model gets its call's output and a note; the call is not run again."""
    cut = Unavailable("model_unavailable", "cut", details={"interrupted": True})
    model = ScriptedModel([new_script(), cut], [say("Where was I? Done."), DONE])
    async with start(model) as scene:
        events = await scene.prompt("make a mover")
        assert events[-1]["status"] == "done"
        assert len(events[-1]["changes"]) == 2
        notes = [item.text for item in model.requests[1].items if isinstance(item, SystemNote)]
        assert any("interrupted" in note for note in notes)


async def test_read_only_lists_no_writing_functions_and_refuses_them(start: Start) -> None:
    """readOnly: the request offers reading functions only; a writing call all the same is refused."""
    model = ScriptedModel([new_script(), DONE])
    async with start(model) as scene:
        await scene.prompt("look", mode="readOnly")
        offered = {tool.name for tool in model.requests[0].tools}
        assert "readFile" in offered
        assert "applyCodePatch" not in offered
        assert model.outputs()[0]["error"]["code"] == "forbidden"
        assert not (scene.root / "Assets/Scripts/Mover.cs").exists()


async def test_a_bug_in_a_function_is_an_internal_error_of_that_call_only(start: Start) -> None:
    """The model is told, the turn goes on, the daemon stays."""

    class Nothing(Arguments):
        pass

    async def explode(_: Nothing, __: ToolContext) -> ToolAnswer:
        raise ZeroDivisionError("secret detail")

    broken = Tool("broken", "Breaks.", Nothing, explode)
    model = ScriptedModel([call("broken", {}, "c1"), DONE])
    async with start(model, tools=(*TOOLS, broken)) as scene:
        events = await scene.prompt("break it")
        assert events[-1]["status"] == "done"
        assert model.outputs()[0]["error"]["code"] == "internal"
        assert "secret detail" not in json.dumps(model.outputs())


async def test_unknown_functions_and_fields_are_told_to_the_model(start: Start) -> None:
    """unknown_tool and invalid_arguments name what there is."""
    bad = call("readFile", {"path": "Assets/Nope.cs", "colour": "red"}, "c2")
    model = ScriptedModel([call("makeCoffee", {}, "c1"), bad, DONE])
    async with start(model) as scene:
        await scene.prompt("coffee")
        first, second = model.outputs()
        assert first["error"]["code"] == "unknown_tool"
        assert second["error"]["code"] == "invalid_arguments"
        assert "colour" in second["error"]["details"]["fields"]


async def test_an_attachment_is_shown_and_counts_as_a_read(start: Start) -> None:
    """The file's text is part of the prompt, and the model may edit it at once; other kinds say what is missing."""
    async with start(ScriptedModel([new_script(), DONE])) as scene:
        await scene.prompt("make a mover")
        model = scene.parts.model
        model.responses = [[patch("1f", "5f", "c7"), DONE]]  # type: ignore[attr-defined]
        await scene.prompt("faster", attachments=("Assets/Scripts/Mover.cs",), new_conversation=True)
        assert "speed = 5f" in scene.text("Assets/Scripts/Mover.cs")
        for attachment, code in (
            ("@selection", "editor_unavailable"),
            ("@nothing", "invalid_arguments"),
            ("Assets/None.cs", "not_found"),
            ("../x", "path_outside_project"),
        ):
            with pytest.raises(SparkError) as refused:
                await scene.relay.start_turn(TurnRequest("x", attachments=(attachment,)))
            assert refused.value.code == code


async def test_undo_is_a_turn_and_can_be_undone_and_keeps_later_edits(start: Start) -> None:
    """undo of one turn, undo of that undo, and an undo that keeps what the user wrote elsewhere in the file."""
    first = ScriptedModel([new_script(), DONE], [DONE], [patch("1f", "2f", "c2"), DONE])
    async with start(first) as scene:
        await scene.prompt("make a mover")
        changed = (await scene.prompt("faster"))[0]["turnId"]
        path = scene.root / "Assets/Scripts/Mover.cs"
        path.write_text(path.read_text() + "\n// the user's own line\n")
        outcome = await scene.relay.undo([changed])
        assert outcome.status == 200
        assert "speed = 1f" in path.read_text()
        assert "user's own line" in path.read_text()
        again = await scene.relay.undo([outcome.body["turnId"]])
        assert again.status == 200
        assert "speed = 2f" in path.read_text()
        assert "user's own line" in path.read_text()


async def test_several_turns_are_undone_as_one_change(start: Start) -> None:
    """Two turns named together: one new turn, both taken back; an unknown one changes nothing."""
    model = ScriptedModel([new_script(), DONE], [DONE], [patch("1f", "2f", "c2"), DONE])
    async with start(model) as scene:
        one = (await scene.prompt("make a mover"))[0]["turnId"]
        two = (await scene.prompt("faster"))[0]["turnId"]
        with pytest.raises(SparkError) as unknown:
            await scene.relay.undo([one, "turn_nope"])
        assert unknown.value.code == "not_found"
        dry = await scene.relay.undo([one, two], dry_run=True)
        assert dry.status == 200
        assert (scene.root / "Assets/Scripts/Mover.cs").exists()
        outcome = await scene.relay.undo([one, two])
        assert outcome.status == 200
        assert not (scene.root / "Assets/Scripts/Mover.cs").exists()
        assert not (scene.root / "Assets/Scripts/Mover.cs.meta").exists()


async def test_session_state_is_the_same_for_all_and_outlives_the_daemon(start: Start) -> None:
    """A client's change is a delta for everybody, is kept, and versions go on after a restart."""
    async with start(ScriptedModel()) as scene:
        feed = scene.relay.deltas()
        waiting = asyncio.ensure_future(anext(feed))  # noqa: TID251 the test waits for one delta
        await asyncio.sleep(0)
        version = scene.relay.snapshot()["version"]
        scene.relay.update_state(version, ["settings", "reasoning"], "creative")
        assert (await waiting)["value"] == "creative"
        await feed.aclose()
        last = scene.relay.snapshot()
        with pytest.raises(SparkError) as stale:
            scene.relay.update_state(version, ["settings", "reasoning"], "auto")
        assert stale.value.code == "stale_version"
    async with start(ScriptedModel()) as scene:
        again = scene.relay.snapshot()
        assert again["version"] >= last["version"]
        assert again["state"]["settings"] == {"reasoning": "creative"}
        events = await scene.prompt("list the scripts")
        assert events[0]["reasoning"] == "creative"


async def test_plain_reads_leave_no_trace_and_plain_writes_are_turns(start: Start) -> None:
    """A reading call opens no turn; a writing one is a turn of its own that can be undone."""
    async with start(ScriptedModel()) as scene:
        assert (await scene.call("listAssets", {})).status == 200
        assert scene.relay.turns()["turns"] == []
        arguments = {"prompt": "a script that moves", "className": "Mover", "source": MOVER}
        outcome = await scene.call("generateUnityScript", arguments)
        (turn,) = scene.relay.turns()["turns"]
        assert turn["turnId"] == outcome.body["turnId"]
        assert turn["kind"] == "direct"
        assert turn["status"] == "done"


async def test_prompts_that_say_nothing_or_too_much_are_refused(start: Start) -> None:
    """invalid_arguments and too_large name the field; nothing is started."""
    async with start(ScriptedModel()) as scene:
        for text, code in (("  ", "invalid_arguments"), ("x" * 100_001, "too_large")):
            with pytest.raises(SparkError) as refused:
                await scene.relay.start_turn(TurnRequest(text))
            assert refused.value.code == code
        assert scene.relay.turns()["turns"] == []


async def test_a_stopping_daemon_lands_what_is_landing_and_takes_nothing_new(start: Start) -> None:
    """stop: running turns are cancelled, then calls are refused as cancelled."""
    never = asyncio.Event()
    async with start(ScriptedModel([say("thinking"), never])) as scene:
        turn_id = await scene.relay.start_turn(TurnRequest("think"))
        await scene.until(turn_id, "textDelta")
        await scene.relay.stop(5.0)
        assert scene.relay.turn(turn_id)["status"] == "cancelled"
        with pytest.raises(SparkError) as refused:
            await scene.relay.call(CallRequest("deleteAsset", {"path": "Assets/Scripts"}))
        assert refused.value.code == "cancelled"


async def test_tokens_of_generated_code_are_counted_with_their_turn_and_stopped_by_the_budget(start: Start) -> None:
    """generateUnityScript without source: its tokens are in the usage; at the day's limit it is quota_exceeded, unasked."""

    class Writer:
        asked = 0

        async def write_script(self, order: ScriptOrder) -> GeneratedCode:
            self.asked += 1
            return GeneratedCode(MOVER.replace("Mover", order.class_name), 150, "t:m", "m", TokenUsage(100, 0, 50))

    writer = Writer()
    arguments = {"prompt": "a script that moves", "className": "Mover"}
    async with start(ScriptedModel(), code_model=writer, budget_usd=0.0005) as scene:
        outcome = await scene.call("generateUnityScript", arguments)
        assert outcome.body["result"]["tokensUsed"] == 150
        usage = scene.relay.usage("model")
        assert usage["usage"][0]["model"] == "m"
        assert usage["usage"][0]["inputTokens"] == 100
        assert usage["todayUsd"] == pytest.approx(0.001)
        refused = await scene.call("generateUnityScript", {**arguments, "className": "Other"})
        assert refused.body["error"]["code"] == "quota_exceeded"
        assert 0 < refused.body["error"]["details"]["retryAfterS"] <= 86_400
        assert writer.asked == 1


async def test_undo_and_restore_have_speaking_prompts(start: Start) -> None:
    """The history names what was taken back, not only the function that did it."""
    async with start(ScriptedModel([new_script(), DONE])) as scene:
        turn_id = (await scene.prompt("make a mover"))[0]["turnId"]
        outcome = await scene.relay.undo([turn_id])
        assert scene.relay.turn(outcome.body["turnId"])["text"] == "undo of: make a mover"
        version = scene.relay.history(path="Assets/Scripts/Mover.cs").versions[-1]
        outcome = await scene.relay.restore(version.version_id)
        assert scene.relay.turn(outcome.body["turnId"])["text"].startswith("restore of Assets/Scripts/Mover.cs")
        assert "class Mover" in scene.text("Assets/Scripts/Mover.cs")


async def test_tokens_of_a_cancelled_prompt_are_counted_late(start: Start) -> None:
    """What a backend learns after the end of a turn is added to it."""
    async with start(ScriptedModel([say("hi"), DONE])) as scene:
        turn_id = (await scene.prompt("hello"))[0]["turnId"]
        conversation = scene.relay.status()["session"]["conversation"]
        scene.relay.late_usage(conversation, TokenUsage(7, 0, 3))
        assert scene.relay.turn(turn_id)["usage"]["inputTokens"] == 107


async def test_a_call_from_outside_that_must_be_asked_is_told_so_at_once_and_lands_when_accepted(start: Start) -> None:
    """Deleting more than ten files over HTTP: approval_required with the id, nothing deleted; accept lands and tells it."""
    async with start(ScriptedModel()) as scene:
        folder = scene.root / "Assets/Many"
        folder.mkdir()
        for number in range(12):
            (folder / f"F{number}.txt").write_text("x")
        held = await scene.call("deleteAsset", {"path": "Assets/Many"}, idempotency_key="many")
        assert held.status == 403
        details = held.body["error"]["details"]
        assert held.body["error"]["code"] == "approval_required"
        assert details["reason"] == "manyFiles"
        assert folder.exists()
        with pytest.raises(SparkError) as foreign:
            await scene.relay.decide(details["approvalId"], "accept", ["Assets/Other.txt"])
        assert foreign.value.code == "invalid_arguments"
        decided = await scene.relay.decide(details["approvalId"], "accept")
        assert decided["call"]["success"] is True
        assert not folder.exists()
        again = await scene.call("deleteAsset", {"path": "Assets/Many"}, idempotency_key="many")
        assert again.status == 200


async def test_why_a_reasoning_was_chosen_is_kept_with_the_turn(start: Start) -> None:
    """auto picks by the rule table; the rule is in turnStarted and in the turn."""
    async with start(ScriptedModel()) as scene:
        events = await scene.prompt("fix the jump")
        assert events[0]["reasoning"] == "deterministic"
        assert "fix" in events[0]["rule"]
        assert scene.relay.turn(events[0]["turnId"])["rule"] == events[0]["rule"]


async def test_a_held_change_is_listed_and_given_up_when_nobody_is_connected(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that vanished during an approval blocks no later prompt: its turn is cancelled, nothing is written."""
    monkeypatch.setattr("spark.relay.daemon.ABANDONED_S", 0.05)
    async with start(ScriptedModel([new_script(), DONE])) as scene:
        scene.relay.client_connected()
        turn_id = await scene.relay.start_turn(TurnRequest("make a mover", mode="ask"))
        asked = await scene.until(turn_id, "approvalRequested")
        (listed,) = scene.relay.turn(turn_id)["approvals"]
        assert listed["approvalId"] == asked["approvalId"]
        assert scene.relay.status()["session"]["approvals"] == [listed]
        scene.relay.client_gone()
        events = await scene.events(turn_id)
        assert events[-1]["status"] == "cancelled"
        assert not (scene.root / "Assets/Scripts/Mover.cs").exists()


async def test_events_of_calls_say_what_they_are_about_and_why_they_were_refused(start: Start) -> None:
    """callStarted carries its target; a refused callFinished carries code and message."""
    model = ScriptedModel([call("readFile", {"path": "Assets/None.cs"}, "c1"), DONE])
    async with start(model) as scene:
        events = await scene.prompt("read it")
        (started,) = [event for event in events if event["type"] == "callStarted"]
        (finished,) = [event for event in events if event["type"] == "callFinished"]
        assert started["target"] == "Assets/None.cs"
        assert finished["error"]["code"] == "not_found"
        assert scene.relay.status()["counters"]["calls"] == 1


class FullDisk:
    """A journal's database whose disk is full from a moment on: what follows an event cannot be written."""

    def __init__(self, inner: SqliteJournal) -> None:
        self.inner = inner
        self.full = False
        self.also: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        failing = ("answer_call", "close_turn", "append_items", "count_usage", "put_state", *self.also)
        if not self.full or name not in failing:
            return method

        def fail(*_: Any, **__: Any) -> None:
            raise Unavailable("internal", "the history could not be used: disk full", counts=False)

        return fail


async def test_a_journal_that_cannot_be_written_still_answers_and_is_reported(start: Start) -> None:
    """The disk fills up in mid-turn: the turn ends, its caller is told, the problem is known, the next one works."""
    async with start(ScriptedModel()) as scene:
        disk = FullDisk(scene.parts.journal)  # type: ignore[arg-type]
        journal = ForgivingJournal(disk)
        async with asyncio.TaskGroup() as tasks:
            model = ScriptedModel([lambda: setattr(disk, "full", True), new_script(), DONE], [say("ok"), DONE])
            relay = Relay(replace(scene.parts, journal=journal, model=model), tasks)
            relay.open()
            turn_id = await relay.start_turn(TurnRequest("make a mover"))
            async with asyncio.timeout(20):
                events = [event async for event in relay.events(turn_id)]
            assert events[-1]["status"] == "done"
            assert len(events[-1]["changes"]) == 2
            assert "could not be written down" in journal.problem
            disk.also = ("open_turn",)
            with pytest.raises(SparkError) as refused:
                await relay.call(CallRequest("deleteAsset", {"path": "Assets/Scripts/Mover.cs"}))
            assert refused.value.code == "internal"
            assert "nothing new can be begun" in journal.problem
            disk.full = False
            outcome = await relay.call(CallRequest("deleteAsset", {"path": "Assets/Scripts/Mover.cs"}))
            assert outcome.status == 200
            assert journal.problem == ""
