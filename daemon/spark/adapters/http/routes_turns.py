"""Routes of turns, approvals and the session socket."""

from __future__ import annotations

from contextlib import ExitStack

from aiohttp import web

from spark.adapters.http.answers import json_answer, outcome_answer
from spark.adapters.http.call import HttpCall
from spark.adapters.http.reading import limit_of, read_body
from spark.adapters.http.session import refuse_socket, run_session
from spark.adapters.http.sse import stream_turn, wants_events
from spark.core.errors import ToolRejected
from spark.protocol.messages import DecisionBody, EmptyBody, PromptBody, UndoBody


async def start(call: HttpCall) -> web.StreamResponse:
    body = await read_body(call.request, PromptBody)
    if wants_events(call.request):
        # Its place first: who is refused one has started nothing.
        with call.open_outbox() as outbox:
            turn_id = await call.api.start_turn(body.to_request())
            return await stream_turn(call.request, call.api, turn_id, outbox)
    turn_id = await call.api.start_turn(body.to_request())
    return json_answer({"turnId": turn_id}, 202, {"Location": f"/v1/turns/{turn_id}"})


async def listed(call: HttpCall) -> web.StreamResponse:
    return json_answer(call.api.turns(limit=limit_of(call.query), before=call.query.get("before")))


async def one(call: HttpCall) -> web.StreamResponse:
    return json_answer(call.api.turn(call.argument))


async def end(call: HttpCall) -> web.StreamResponse:
    await read_body(call.request, EmptyBody, optional=True)
    return json_answer(await call.api.end_turn(call.argument))


async def cancel(call: HttpCall) -> web.StreamResponse:
    await read_body(call.request, EmptyBody, optional=True)
    return json_answer(await call.api.cancel_turn(call.argument))


async def undo(call: HttpCall) -> web.StreamResponse:
    body = await read_body(call.request, UndoBody, optional=True)
    turn_ids = list(dict.fromkeys([call.argument, *(body.turns or ())]))
    return outcome_answer(await call.api.undo(turn_ids, dry_run=bool(body.dry_run)))


async def decide(call: HttpCall) -> web.StreamResponse:
    body = await read_body(call.request, DecisionBody)
    return json_answer(await call.api.decide(call.argument, body.decision, body.paths))


async def session(call: HttpCall) -> web.StreamResponse:
    with ExitStack() as stack:
        try:
            outbox = stack.enter_context(call.open_outbox())
        except ToolRejected as refusal:
            return await refuse_socket(call.request, 1013, refusal.message)
        return await run_session(call.request, call.api, outbox)
