"""The table of routes and the way to one: path, method, query names, then the function that answers.

Every route of the public contract that exists has exactly one row here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from aiohttp import web

from spark.adapters.http import routes_check, routes_history, routes_turns
from spark.adapters.http.answers import error_answer, json_answer, outcome_answer
from spark.adapters.http.call import HttpCall
from spark.adapters.http.reading import idempotency_key, read_body, read_query, split_target
from spark.core.api import CallRequest
from spark.core.errors import ToolRejected
from spark.protocol.messages import CallBody

Answer = Callable[[HttpCall], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row. In `path`, `*` stands for the id or name; `query` lists the parameters that are understood."""

    method: str
    path: str
    answer: Answer
    query: tuple[str, ...] = ()
    open: bool = field(default=False)
    """Whether it needs no token."""


async def healthz(call: HttpCall) -> web.StreamResponse:
    return json_answer({"status": "ok"}) if call.api.ready() else json_answer({"status": "starting"}, 503)


async def status(call: HttpCall) -> web.StreamResponse:
    return json_answer(call.api.status())


async def tools(call: HttpCall) -> web.StreamResponse:
    return json_answer(call.api.tools())


async def run_tool(call: HttpCall) -> web.StreamResponse:
    key = idempotency_key(call.request)
    body = await read_body(call.request, CallBody)
    outcome = await call.api.call(
        CallRequest(
            name=call.argument,
            arguments=body.arguments,
            turn_id=body.turn_id,
            dry_run=bool(body.dry_run),
            idempotency_key=key,
        )
    )
    return outcome_answer(outcome)


SESSION_PATH: Final = "/v1/session"

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/healthz", healthz, open=True),
    Route("GET", "/v1/status", status),
    Route("GET", "/v1/tools", tools),
    Route("POST", "/v1/tools/*", run_tool),
    Route("POST", "/v1/turns", routes_turns.start),
    Route("GET", "/v1/turns", routes_turns.listed, ("limit", "before")),
    Route("GET", "/v1/turns/*", routes_turns.one),
    Route("POST", "/v1/turns/*/end", routes_turns.end),
    Route("POST", "/v1/turns/*/cancel", routes_turns.cancel),
    Route("POST", "/v1/turns/*/undo", routes_turns.undo),
    Route("POST", "/v1/approvals/*", routes_turns.decide),
    Route("GET", "/v1/history", routes_history.history, ("path", "turn", "limit", "before")),
    Route("GET", "/v1/versions/*", routes_history.version, ("content",)),
    Route("POST", "/v1/versions/*/restore", routes_history.restore),
    Route("GET", "/v1/check", routes_check.check, ("path",)),
    Route("GET", "/v1/usage", routes_history.usage, ("by",)),
    Route("GET", SESSION_PATH, routes_turns.session),
)

_Key = tuple[str, ...]
_BY_PATH: Final[dict[_Key, dict[str, Route]]] = {}
for _route in ROUTES:
    _BY_PATH.setdefault(tuple(_route.path[1:].split("/")), {})[_route.method] = _route


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request goes. `methods` is empty for unknown paths; `route` is None for those and for wrong methods."""

    route: Route | None
    methods: tuple[str, ...]
    argument: str
    query: str


@lru_cache(maxsize=256)
def find(method: str, target: str) -> Found:
    """Looks a request target up. Raises `invalid_arguments` where it is no decodable path."""
    segments, query = split_target(target)
    by_method, argument = _BY_PATH.get(segments), ""
    # All ids and names stand in third place; an empty one is no id.
    if by_method is None and len(segments) > 2 and segments[2]:
        by_method, argument = _BY_PATH.get((*segments[:2], "*", *segments[3:])), segments[2]
    if by_method is None:
        return Found(None, (), "", query)
    return Found(by_method.get(method), tuple(by_method), argument, query)


def read_route_query(found: Found) -> dict[str, str]:
    assert found.route is not None
    return read_query(found.query, found.route.query)


def no_route(found: Found, method: str) -> web.Response:
    """404 for an unknown path, 405 with `Allow` for a known one."""
    if not found.methods:
        return error_answer(
            ToolRejected(
                "not_found",
                "there is no such route",
                hint="Routes: " + ", ".join(f"{route.method} {route.path}" for route in ROUTES),
            )
        )
    allowed = ", ".join(found.methods)
    refusal = ToolRejected(
        "invalid_arguments",
        f"this route does not take {method[:20]}",
        hint=f"Use {allowed}.",
        details={"fields": {"method": allowed}},
    )
    return error_answer(refusal, status=405, headers={"Allow": allowed})
