"""What stands in front of every listener: Host and Origin checks, and the answer to failures nobody foresaw.

A web page can make a browser send requests to addresses of the local machine (DNS rebinding), so only known names are
answered: the loopback names, the address of the listener, and those of `--allowed-host`. Health is always answered.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.errors import CallError, ForbiddenOrigin, Misdirected
from fairlead.exposes.http import send_error

log = logging.getLogger("fairlead")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Guard:
    """An application behind the checks; `"*"` among the hosts opens it for all."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, watched)
        except CallError as error:
            await send_error(error, watched)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"].encode("unicode_escape").decode())
            if not started:
                await send_error(CallError("the request failed for a reason of our own; the log has more"), send)

    def _check(self, scope: Scope) -> None:
        if "*" in self._hosts or scope["path"].startswith("/health/"):
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._knows(host):
            raise Misdirected(
                f"host {host!r} is not served here; allow it with --allowed-host (FAIRLEAD_ALLOWED_HOSTS)"
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and not self._knows(urlsplit(origin).netloc):
            detail = f"origin {origin!r} is not allowed; allow its host with --allowed-host (FAIRLEAD_ALLOWED_HOSTS)"
            raise ForbiddenOrigin(detail)

    def _knows(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        bare = name if name.endswith("]") else name.rpartition(":")[0] or name
        return bare in self._hosts or name in self._hosts
