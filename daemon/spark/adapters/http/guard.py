"""Who may speak to the daemon: exact Host, no foreign Origin, the token. Asked before a byte of a body is read.

The checks are those that stop a web page (DNS rebinding, cross-site requests) and another user of this machine. Must not
know routes; sees headers only.
"""

from __future__ import annotations

import hmac
from typing import Final

from multidict import CIMultiDictProxy

from spark.core.errors import ToolRejected

HTTP_PORT: Final = 80


class Guard:
    """Knows the token and the port that the server is bound to."""

    def __init__(self, token: str, port: int) -> None:
        if not token:
            raise ValueError("a server without a token would be open to every program on this machine")
        self._token = token.encode("utf-8")
        names = ("127.0.0.1", "localhost")
        self._hosts = tuple(f"{name}:{port}" for name in names)
        if port == HTTP_PORT:
            # Clients leave the usual port out.
            self._hosts += names

    def check_place(self, target: str, headers: CIMultiDictProxy[str]) -> None:
        """Raises `forbidden` unless the request line, Host, Origin and Sec-Fetch-Site are those of a local client.

        Holds for every request, `/healthz` and WebSocket handshakes included.
        """
        hosts = headers.getall("Host", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise _forbidden("Host", f"Host must be exactly {' or '.join(self._hosts)}")
        if not target.startswith("/"):
            # `GET http://other/ HTTP/1.1` names a host of its own, which would win over the header.
            raise _forbidden("request", "the request line must name a path, not a whole address")
        origins = headers.getall("Origin", [])
        if origins and origins != [f"http://{hosts[0]}"]:
            raise _forbidden("Origin", "requests from web pages of other origins are refused")
        sites = headers.getall("Sec-Fetch-Site", [])
        if any(site not in ("same-origin", "none") for site in sites):
            raise _forbidden("Sec-Fetch-Site", "cross-site requests are refused")

    def check_token(self, headers: CIMultiDictProxy[str]) -> None:
        """Raises `unauthorized` unless there is exactly one Authorization header with this start's token."""
        given = headers.getall("Authorization", [])
        if len(given) == 1:
            scheme, _, token = given[0].partition(" ")
            presented = token.strip().encode("utf-8", "surrogateescape")
            if scheme.lower() == "bearer" and hmac.compare_digest(presented, self._token):
                return
        raise ToolRejected(
            "unauthorized",
            "the token is missing or wrong" if given else "no Authorization header",
            hint="Send `Authorization: Bearer TOKEN` with the token of Library/Spark/daemon.json; it is new at every start.",
        )


def _forbidden(field: str, why: str) -> ToolRejected:
    return ToolRejected(
        "forbidden",
        f"{field}: {why}",
        hint="Call the daemon from a program on this machine at the url of Library/Spark/daemon.json.",
        details={"fields": {field: why}},
    )
