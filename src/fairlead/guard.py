"""What stands in front of every listener: Host and Origin checks, and the answer to failures nobody foresaw.

A web page can make a browser send requests to addresses of the local machine (DNS rebinding), so only known names are
answered: the loopback names, the address of the listener, and those of `--allowed-host`. Health is always answered.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.errors import CallError, ForbiddenOrigin, Misdirected, Stopping, Unforeseen
from fairlead.exposes.http import send_error
from fairlead.exposes.pages import HEALTH
from fairlead.headers import found_out
from fairlead.relay import Caller, Relaying
from fairlead.settings import bracketed

log = logging.getLogger("fairlead")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MAX_KNOWN = 1024
"""How many spellings of known hosts are kept in mind, each with its port."""
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@/?#\[\]]+)(?::[0-9]+)?")


def is_local(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    return bracketed(host) in LOOPBACK


class Guard:
    """An application behind the checks; `"*"` among the hosts opens it for all."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = frozenset(bracketed(host.lower()) for host in hosts)
        self._known: set[bytes] = set()
        self._relay: Relaying | None = getattr(app, "relay", None)

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
        except asyncio.CancelledError:
            # The server cancels what still runs when its time to stop is over.
            if not started:
                await send_error(Stopping("the gateway is stopping"), watched)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"].encode("unicode_escape").decode())
            if not started:
                await send_error(Unforeseen(), send)

    def relay(self, scope: Scope, caller: Caller) -> bool:
        """A `Relaying`, where what is behind the checks is one."""
        if self._relay is None:
            return False
        try:
            self._check(scope)
            return self._relay(scope, caller)
        except Exception:  # noqa: BLE001 -- the ordinary way meets it again, and tells of it
            return False

    def _check(self, scope: Scope) -> None:
        if "*" not in self._hosts and scope["path"] not in HEALTH:
            found_out(scope["headers"], self._check_names)

    def _check_names(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        hosts, origins = [], []
        for name, value in headers:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
        if len(hosts) != 1 or not self._knows(hosts[0]):
            shown = ", ".join(repr(host.decode("latin-1")) for host in hosts) or "none"
            raise Misdirected(f"host {shown} is not served here; allow it with --allowed-host (FAIRLEAD_ALLOWED_HOSTS)")
        for origin in origins:
            if not self._knows(origin.partition(b"://")[2]):
                shown = repr(origin.decode("latin-1"))
                hint = "allow its host with --allowed-host (FAIRLEAD_ALLOWED_HOSTS)"
                raise ForbiddenOrigin(f"origin {shown} is not allowed; {hint}")

    def _knows(self, authority: bytes) -> bool:
        if authority in self._known:
            return True
        match = _AUTHORITY.fullmatch(authority.decode("latin-1").lower())
        is_known = match is not None and bool({match[1].rstrip("."), match[0]} & self._hosts)
        if is_known and len(self._known) < _MAX_KNOWN:
            self._known.add(authority)
        return is_known
