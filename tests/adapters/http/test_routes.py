"""Every route's good and bad answers over a real socket."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from spark.adapters.http.routes import ROUTES
from spark.adapters.http.server import Running
from spark.core.api import CallRequest, TurnRequest
from spark.core.changes import sha256_of
from spark.core.errors import HTTP_STATUS
from tests.adapters.http.raw import BEARER, exchange, request
from tests.fakes.daemon_api import FakeDaemonApi

JSON = {"Content-Type": "application/json"}


async def refused(answer: aiohttp.ClientResponse, status: int, code: str) -> dict[str, Any]:
    """Checks that an answer is the contract's refusal and returns its `details.fields`."""
    body = await answer.json()
    assert answer.status == status, body
    assert answer.content_type == "application/json"
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "hint", "details"}
    assert body["error"]["code"] == code
    return dict(body["error"]["details"].get("fields", {}))


async def test_status_and_tools(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Both say what the daemon says, and a client is counted while it is served."""
    assert await (await client.get("/v1/status")).json() == {"healthy": True, "reasons": [], "clients": 1}
    listed = await (await client.get("/v1/tools")).json()
    assert [tool["name"] for tool in listed] == ["echo"]
    assert api.clients == 0


async def test_a_call_reaches_the_api_whole(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Name, arguments, turn, dry run and key arrive as they were sent; the answer comes back as it is."""
    arguments = {"text": "größe 日本 \U0001f600", "deep": [{"a": [1, 2.5, None, True]}]}
    answer = await client.post(
        "/v1/tools/echo",
        json={"arguments": arguments, "turnId": "turn_1", "dryRun": True},
        headers={"Idempotency-Key": "key 1"},
    )
    body = await answer.json()
    assert (answer.status, body["success"], body["result"], body["turnId"]) == (200, True, arguments, "turn_1")
    assert api.requests == [CallRequest("echo", arguments, "turn_1", dry_run=True, idempotency_key="key 1")]


async def test_a_key_makes_a_call_happen_once(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """The header's key is passed on: the second call gets the first answer, other arguments are 409."""
    first, second = [
        await (
            await client.post(
                "/v1/tools/write",
                json={"arguments": {"path": "Assets/A.cs", "text": "x"}},
                headers={"Idempotency-Key": "k"},
            )
        ).json()
        for _ in range(2)
    ]
    assert first == second
    assert len(api.versions) == 1
    other = await client.post(
        "/v1/tools/write", json={"arguments": {"path": "Assets/A.cs", "text": "y"}}, headers={"Idempotency-Key": "k"}
    )
    await refused(other, 409, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "x" * 201, "caf\xe9"])
async def test_unusable_keys_are_refused(server: Running, api: FakeDaemonApi, key: str) -> None:
    """An empty, overlong or non-ASCII key is refused by name and nothing runs."""
    body = '{"arguments":{}}'
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Idempotency-Key: {key}",
        first="POST /v1/tools/echo HTTP/1.1",
    )
    answer = await exchange(server.port, head + body.encode())
    assert answer.status == 400
    assert "Idempotency-Key" in answer.json()["error"]["details"]["fields"]
    assert api.requests == []


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "Content-Type"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"arguments":{}} x', "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b'{"arguments":{"a":"\xff"}}', "body"),
        (b"{}", "arguments"),
        (b'{"arguments":[]}', "arguments"),
        (b'{"arguments":"{}"}', "arguments"),
        (b'{"arguments":{},"dryRun":"true"}', "dryRun"),
        (b'{"arguments":{},"dryRun":1}', "dryRun"),
        (b'{"arguments":{},"turnId":5}', "turnId"),
        (b'{"arguments":{},"turnId":""}', "turnId"),
        (b'{"arguments":{},"turn_id":"t"}', "turn_id"),
        (b'{"arguments":{},"extra":1}', "extra"),
        (b'{"arguments":{"a":NaN}}', "body"),
        (b'{"arguments":{"a":1e999}}', "body"),
        (b'{"arguments":{"a":"\\ud800"}}', "body"),
        (b'{"arguments":{"a":' + b"[" * 70 + b"]" * 70 + b"}}", "body"),
        (b'{"arguments":{"a":' + b"[" * 100_000, "body"),
        (b'{"arguments":{},' + b",".join(b'"k%d":1' % n for n in range(50)) + b"}", "body"),
    ],
)
async def test_bad_bodies_are_refused_by_field(
    client: aiohttp.ClientSession, api: FakeDaemonApi, raw: bytes, field: str
) -> None:
    """What is not the body of a call is 400 with the field named, nothing runs, and the next call works."""
    headers = JSON if raw else {}
    fields = await refused(await client.post("/v1/tools/echo", data=raw, headers=headers), 400, "invalid_arguments")
    assert field in fields
    assert api.requests == []
    assert (await client.post("/v1/tools/echo", json={"arguments": {}})).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "json"]
)
async def test_other_content_types_are_refused(client: aiohttp.ClientSession, content_type: str) -> None:
    """What a web form could send is no JSON."""
    answer = await client.post("/v1/tools/echo", data=b'{"arguments":{}}', headers={"Content-Type": content_type})
    assert "Content-Type" in await refused(answer, 400, "invalid_arguments")


async def test_json_nested_up_to_the_limit_is_taken(client: aiohttp.ClientSession) -> None:
    """Depth 64 passes, also with brackets inside strings."""
    raw = b'{"arguments":{"s":"' + b"[{" * 200 + b'\\"","a":' + b"[" * 62 + b"]" * 62 + b"}}"
    assert (await client.post("/v1/tools/echo", data=raw, headers=JSON)).status == 200
    raw = raw.replace(b"[" * 62 + b"]" * 62, b"[" * 63 + b"]" * 63)
    assert (await client.post("/v1/tools/echo", data=raw, headers=JSON)).status == 400


async def test_refusals_of_calls_pass_through(client: aiohttp.ClientSession) -> None:
    """A call's own refusal keeps its status and code; a waiting time becomes `Retry-After`, rounded up."""
    for code, status in HTTP_STATUS.items():
        answer = await client.post("/v1/tools/refuse", json={"arguments": {"code": code, "status": status}})
        await refused(answer, status, code)
        assert answer.headers.get("Retry-After") == ("2" if status in (429, 503) else None)
        answer = await client.post("/v1/tools/raise", json={"arguments": {"code": code}})
        await refused(answer, status, code)
    await refused(await client.post("/v1/tools/none", json={"arguments": {}}), 404, "unknown_tool")


async def test_names_and_ids_are_decoded_once(client: aiohttp.ClientSession, server: Running) -> None:
    """A percent-encoded name is decoded exactly once, and a slash in it makes no other route."""
    answer = await client.post("/v1/tools/%65cho", json={"arguments": {}})
    assert answer.status == 200
    for path, status in (("/v1/turns/a%2Fcancel", 404), ("/v1/turns/%ff", 400), ("/v1/turns/%25", 404)):
        raw = await exchange(server.port, request(server.port, BEARER, first=f"GET {path} HTTP/1.1"))
        assert raw.status == status


async def test_a_prompt_starts_a_turn(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """202 with the turn's id; every field arrives."""
    answer = await client.post(
        "/v1/turns",
        json={
            "text": "make a player",
            "reasoning": "creative",
            "mode": "auto",
            "attachments": ["Assets/A.cs", "@errors"],
            "conversation": "new",
            "external": True,
        },
    )
    turn_id = (await answer.json())["turnId"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"/v1/turns/{turn_id}"
    assert api.requests == [
        TurnRequest(
            "make a player", "creative", "auto", ("Assets/A.cs", "@errors"), new_conversation=True, external=True
        )
    ]
    assert (await (await client.get(f"/v1/turns/{turn_id}")).json())["status"] == "done"
    nulls = {"text": "x", "mode": None, "reasoning": None, "attachments": None, "conversation": None, "external": None}
    assert (await client.post("/v1/turns", json=nulls)).status == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n\t"}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x", "mode": "yolo"}, "mode"),
        ({"text": "x", "reasoning": "hybrid"}, "reasoning"),
        ({"text": "x", "conversation": "old"}, "conversation"),
        ({"text": "x", "attachments": "Assets/A.cs"}, "attachments"),
        ({"text": "x", "attachments": [""]}, "attachments.0"),
        ({"text": "x", "attachments": ["a"] * 101}, "attachments"),
        ({"text": "x", "external": "yes"}, "external"),
        ({"text": "x", "id": "1"}, "id"),
    ],
)
async def test_bad_prompts_are_refused_by_field(
    client: aiohttp.ClientSession, api: FakeDaemonApi, body: dict[str, Any], field: str
) -> None:
    """Each wrong field of a prompt is named; no turn starts."""
    assert field in await refused(await client.post("/v1/turns", json=body), 400, "invalid_arguments")
    assert api.turn_rows == {}


async def test_turns_are_listed_and_paged(client: aiohttp.ClientSession) -> None:
    """Newest first, page by page, each exactly once."""
    ids = [(await (await client.post("/v1/turns", json={"text": f"t{n}"})).json())["turnId"] for n in range(5)]
    seen: list[str] = []
    before: str | None = None
    while True:
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = await (await client.get("/v1/turns", params=query)).json()
        seen += [turn["turnId"] for turn in page["turns"]]
        before = page["next"]
        if before is None:
            break
    assert seen == ids[::-1]


async def test_turns_are_cancelled_ended_and_undone(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """The three take a turn's id, with an empty body, `{}` or the fields they know."""
    ids = [(await (await client.post("/v1/turns", json={"text": f"long {n}"})).json())["turnId"] for n in range(2)]
    cancelled = await client.post(f"/v1/turns/{ids[0]}/cancel")
    assert (await cancelled.json())["status"] == "cancelled"
    assert (await (await client.post(f"/v1/turns/{ids[1]}/end", json={})).json())["status"] == "done"
    assert (await client.post(f"/v1/turns/{ids[0]}/undo")).status == 200
    assert (
        await client.post(f"/v1/turns/{ids[0]}/undo", json={"turns": [ids[1], ids[0]], "dryRun": True})
    ).status == 200
    assert api.requests[-2:] == [("undo", [ids[0]], False), ("undo", [ids[0], ids[1]], True)]
    for verb in ("cancel", "end", "undo"):
        await refused(await client.post(f"/v1/turns/none/{verb}"), 404, "not_found")
        bad = await client.post(f"/v1/turns/{ids[0]}/{verb}", json={"force": True})
        assert "force" in await refused(bad, 400, "invalid_arguments")
    await refused(await client.get("/v1/turns/none"), 404, "not_found")


async def test_approvals_are_decided(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Decision and paths arrive; anything else is refused by field."""
    answer = await client.post("/v1/approvals/appr_1", json={"decision": "accept", "paths": ["Assets/A.cs"]})
    assert await answer.json() == {"approvalId": "appr_1", "decision": "accept", "paths": ["Assets/A.cs"]}
    assert api.approvals == {"appr_1": "accept"}
    bad = await client.post("/v1/approvals/appr_1", json={"decision": "maybe", "paths": []})
    assert set(await refused(bad, 400, "invalid_arguments")) == {"decision", "paths"}
    await refused(await client.post("/v1/approvals/none", json={"decision": "reject"}), 404, "not_found")
    assert "Content-Type" in await refused(await client.post("/v1/approvals/appr_1"), 400, "invalid_arguments")


async def test_history_is_filtered_and_paged(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Path, turn, limit and before reach the store; versions come in the contract's shape."""
    for number in range(3):
        api.write("Assets/A.cs", b"a%d" % number, "turn_a")
    api.write("Assets/B.cs", b"b")
    page = await (await client.get("/v1/history", params={"path": "Assets/A.cs", "limit": "2"})).json()
    assert [version["path"] for version in page["versions"]] == ["Assets/A.cs"] * 2
    assert set(page["versions"][0]) == {
        "versionId",
        "path",
        "action",
        "sha256",
        "size",
        "content",
        "author",
        "turnId",
        "callId",
        "prompt",
        "git",
        "parentId",
        "createdAt",
    }
    rest = await (
        await client.get("/v1/history", params={"turn": "turn_a", "before": page["next"], "limit": "500"})
    ).json()
    assert (len(rest["versions"]), rest["next"]) == (1, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e2", "limit"),
        ("limit=٣", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=", "limit"),
        ("nope=1", "nope"),
        ("path=%ff", "query"),
        ("path", "query"),
        ("&".join(f"a{n}=1" for n in range(30)), "query"),
    ],
)
async def test_bad_queries_are_refused_by_name(client: aiohttp.ClientSession, query: str, field: str) -> None:
    """Unknown, repeated, empty and out-of-range parameters are named."""
    from yarl import URL

    answer = await client.get(URL(f"/v1/history?{query}", encoded=field != "limit" or query.isascii()))
    assert field in await refused(answer, 400, "invalid_arguments")


async def test_a_version_and_its_bytes(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """The description is JSON; `content=1` gives the bytes untouched with their hash."""
    content = bytes(range(256)) * 10
    version_id = api.write("Assets/A.bytes", content).version_id
    described = await (await client.get(f"/v1/versions/{version_id}")).json()
    assert (described["versionId"], described["size"]) == (version_id, len(content))
    answer = await client.get(f"/v1/versions/{version_id}", params={"content": "1"})
    assert await answer.read() == content
    assert answer.headers["X-Spark-Sha256"] == sha256_of(content)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "content" in await refused(
        await client.get(f"/v1/versions/{version_id}?content=yes"), 400, "invalid_arguments"
    )
    await refused(await client.get("/v1/versions/none?content=1"), 404, "not_found")


async def test_a_version_is_restored(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """With and without a body; `dryRun` arrives."""
    version_id = api.write("Assets/A.cs", b"x").version_id
    assert (await client.post(f"/v1/versions/{version_id}/restore")).status == 200
    assert (await client.post(f"/v1/versions/{version_id}/restore", json={"dryRun": True})).status == 200
    assert api.requests == [("restore", version_id, False), ("restore", version_id, True)]
    await refused(await client.post("/v1/versions/none/restore"), 404, "not_found")


async def test_usage(client: aiohttp.ClientSession) -> None:
    """By day unless asked otherwise; other groupings are refused."""
    assert (await (await client.get("/v1/usage")).json())["by"] == "day"
    assert (await (await client.get("/v1/usage?by=turn")).json())["by"] == "turn"
    assert "by" in await refused(await client.get("/v1/usage?by=week"), 400, "invalid_arguments")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "//v1/status",
        "/v1/status/",
        "/V1/status",
        "/v1/tools/",
        "/v1/turns//end",
        "/v1/turns/a/b/c",
        "/v1/builds",
        "/metrics",
        "/v1/browser",
        "/v1/editor",
        "/v1/turns/x/../y",
        "/healthz/",
    ],
)
async def test_unknown_routes_are_not_found(server: Running, path: str) -> None:
    """Nothing answers but the routes that exist, in exactly their spelling."""
    for method in ("GET", "POST"):
        answer = await exchange(server.port, request(server.port, BEARER, first=f"{method} {path} HTTP/1.1"))
        assert answer.status == 404
        assert answer.json()["error"]["code"] == "not_found"


async def test_wrong_methods_say_which_are_right(client: aiohttp.ClientSession) -> None:
    """Every route refuses other methods with 405 and `Allow`."""
    paths: dict[str, set[str]] = {}
    for route in ROUTES:
        paths.setdefault(route.path.replace("*", "x"), set()).add(route.method)
    for path, methods in paths.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"} - methods:
            answer = await client.request(method, path)
            assert answer.status == 405
            assert {name.strip() for name in answer.headers["Allow"].split(",")} == methods
            if method != "HEAD":
                assert "method" in await refused(answer, 405, "invalid_arguments")


async def test_parameters_are_refused_where_there_are_none(client: aiohttp.ClientSession) -> None:
    """A token or anything else in a URL is refused, on every route."""
    for path in ("/healthz", "/v1/status", "/v1/tools", "/v1/turns/x", "/v1/session"):
        answer = await client.get(path, params={"token": "x"})
        assert "token" in await refused(answer, 400, "invalid_arguments")
