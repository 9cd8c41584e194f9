"""A client of a running daemon: plain HTTP over loopback with the standard library, and event streams.

Knows the wire of the contract; knows nothing of what the daemon does with it. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from spark.cli import exits
from spark.core.errors import HTTP_STATUS, FatalError, SparkError, ToolRejected, Unavailable
from spark.core.limits import APPROVAL_WAIT_S

ANSWER_TIMEOUT_S: Final = APPROVAL_WAIT_S + 100
"""A call may wait for a person's approval; a daemon that dies closes the socket, so nobody waits this long for a dead one."""
QUICK_TIMEOUT_S: Final = 10.0
HEARTBEAT_LIMIT_S: Final = 60.0
"""An event stream carries a comment every 15 s while nothing happens."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is the JSON document."""

    status: int
    body: Any


class DaemonClient:
    """One daemon. Every request is a connection of its own, so requests may run from several threads."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._token = token

    def healthy(self, *, timeout_s: float = 2.0) -> bool:
        """Whether calls are served now."""
        try:
            return self._exchange("GET", "/healthz", timeout_s=timeout_s).status == 200
        except (FatalError, SparkError):
            return False

    def get(self, path: str, *, timeout_s: float = QUICK_TIMEOUT_S) -> Any:
        """The JSON of an answer. Raises the daemon's refusal as `SparkError`, `FatalError` (3) where nobody answers."""
        return _body(self._exchange("GET", path, timeout_s=timeout_s))

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
        return _body(self._exchange("POST", path, body, timeout_s=timeout_s))

    def exchange(self, path: str, body: Mapping[str, Any]) -> Answer:
        """A POST whose refusal is an answer too."""
        return self._exchange("POST", path, body, timeout_s=ANSWER_TIMEOUT_S)

    def stream_turn(
        self, body: Mapping[str, Any], opened: Callable[[str], None] = lambda turn_id: None
    ) -> Iterator[Mapping[str, Any]]:
        """Starts a turn and yields its events as they come. `opened` gets its id at once, before it had its first event.

        Raises `Unavailable` where the daemon goes away in mid-stream.
        """
        connection, response = self._send("POST", "/v1/turns", body, "text/event-stream", HEARTBEAT_LIMIT_S)
        try:
            if response.status != 200:
                _body(_read(response))
                raise _not_a_daemon(f"answered {response.status} where events were expected")
            opened(response.headers.get("Location", "").rpartition("/")[2])
            yield from events_in(response)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                "timeout",
                f"the daemon went away while it worked ({type(error).__name__})",
                hint="What had landed stays: `spark history` lists it. `spark logs` may say why.",
            ) from error
        finally:
            connection.close()

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float) -> Answer:
        connection, response = self._send(method, path, body, "application/json", timeout_s)
        try:
            return _read(response)
        except (OSError, http.client.HTTPException) as error:
            raise _gone(self.url, error) from error
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, accept: str, timeout_s: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, content, headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _gone(self.url, error) from error


def events_in(lines: Iterator[bytes] | http.client.HTTPResponse) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of a server-sent event stream; comments and other fields are passed over."""
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            loaded = json.loads("\n".join(data))
            data.clear()
            if isinstance(loaded, dict):
                yield loaded


def refusal(error: Mapping[str, Any]) -> SparkError:
    """A refusal from the wire as the error it was."""
    code = str(error.get("code") or "internal")
    kind = Unavailable if HTTP_STATUS.get(code, 500) >= 429 and code != "internal" else ToolRejected
    details = error.get("details")
    return kind(
        code,
        str(error.get("message") or "the daemon refused without a reason"),
        hint=str(error.get("hint") or ""),
        details=details if isinstance(details, dict) else {},
    )


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read()
    try:
        return Answer(response.status, json.loads(content) if content else None)
    except ValueError as error:
        raise _not_a_daemon("answered something that is not JSON") from error


def _body(answer: Answer) -> Any:
    if answer.status < 400:
        return answer.body
    if isinstance(answer.body, dict) and isinstance(answer.body.get("error"), dict):
        raise refusal(answer.body["error"])
    raise _not_a_daemon(f"answered {answer.status}")


def _gone(url: str, error: Exception) -> FatalError:
    return FatalError(
        exits.NO_DAEMON,
        f"no daemon answers at {url} ({type(error).__name__})",
        hint="Start one with: spark up --detach",
    )


def _not_a_daemon(what: str) -> FatalError:
    return FatalError(
        exits.UNAVAILABLE,
        f"what listens at the daemon's address {what}",
        hint="`spark status` says who runs; `spark up --detach` starts a daemon where none does.",
    )
