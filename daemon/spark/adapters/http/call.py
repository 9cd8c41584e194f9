"""One request on its way to the API: what a route function gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from aiohttp import web

from spark.adapters.http.outbox import Outbox
from spark.core.api import DaemonApi


@dataclass(frozen=True, slots=True)
class HttpCall:
    """`argument` is the decoded id or name in the path; `open_outbox` lends a queue that the server ends at its close."""

    request: web.BaseRequest
    api: DaemonApi
    argument: str
    query: Mapping[str, str]
    open_outbox: Callable[[], AbstractContextManager[Outbox]]
