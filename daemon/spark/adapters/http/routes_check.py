"""The route of the check."""

from __future__ import annotations

from aiohttp import web

from spark.adapters.http.answers import json_answer
from spark.adapters.http.call import HttpCall


async def check(call: HttpCall) -> web.StreamResponse:
    """Findings of a file or folder, without `path` of the whole project."""
    return json_answer(await call.api.check(call.query.get("path")))
