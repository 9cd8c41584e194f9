"""The route of the check over a real socket."""

from __future__ import annotations

import aiohttp

from tests.fakes.daemon_api import FakeDaemonApi

FINDING = {
    "code": "yaml/syntax",
    "severity": "error",
    "path": "Assets/größe.prefab",
    "line": 3,
    "column": 1,
    "message": "no",
    "fix": "yes",
}


async def test_findings_of_a_path_and_of_everything(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """The answer is the contract's; `path` reaches the daemon decoded, and without it everything is meant."""
    api.files = {"Assets/größe.prefab": [FINDING], "Assets/b c.mat": []}
    answer = await client.get("/v1/check")
    assert (answer.status, await answer.json()) == (200, {"findings": [FINDING], "checked": 2})
    answer = await client.get("/v1/check", params={"path": "Assets/b c.mat"})
    assert await answer.json() == {"findings": [], "checked": 1}


async def test_what_cannot_be_checked_is_refused(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """An unknown path is 404, a parameter that the route does not have 400, another method 405."""
    assert (await client.get("/v1/check", params={"path": "Assets/none"})).status == 404
    assert (await client.get("/v1/check", params={"folder": "Assets"})).status == 400
    assert (await client.post("/v1/check", json={})).status == 405
