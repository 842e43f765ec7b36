"""The server's side of a connection: uvicorn's, with exchanges of ours, and one look at all that are idle."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Callable
from math import inf
from typing import Any
from urllib.parse import unquote

from httptools import parse_url
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fairlead.errors import Stopping
from fairlead.exchange import Exchange
from fairlead.exposes.http import HANG_UP
from fairlead.relay import Relay


def _nothing() -> None:
    """Called where nobody watches."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, parsed by httptools."""

    idle_until = inf
    """When the connection is to be closed, unless a request comes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_lost = False
        self._hung_up = _nothing
        self._extensions: Any = {HANG_UP: self._watch}
        self.relay: Relay | None = None

    def data_received(self, data: bytes) -> None:
        self.idle_until = inf
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Starts the request; one that comes before the last is answered waits for its turn."""
        scope, parser = self.scope, self.parser
        version = parser.get_http_version()
        url = parse_url(self.url)
        path = url.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        scope["extensions"] = self._extensions
        before, self.cycle = self.cycle, self._exchange(keep_alive=version != "1.0" and parser.should_keep_alive())
        if before is None or before.response_complete:
            self._start(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _exchange(self, *, keep_alive: bool) -> Exchange:
        return Exchange(
            self,
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            Event(),
            self.expect_100_continue,
            keep_alive,
            self.on_response_complete,
        )

    def _start(self, exchange: Exchange) -> None:
        relay = getattr(self.app, "relay", None)
        if relay is None or not relay(self.scope, exchange):
            self.wait(exchange)

    def wait(self, exchange: RequestResponseCycle) -> None:
        """Has a task answer."""
        self._start_asgi_task(exchange, self.app)

    def on_response_complete(self) -> None:
        """Goes on with the next request, or waits for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.idle_until = self.loop.time() + self.timeout_keep_alive

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells whoever watches."""
        super().connection_lost(exc)
        self._is_lost = True
        self._hung_up()
        if self.relay:
            self.relay.move()

    def resume_writing(self) -> None:
        """Lets go on whoever had more for the caller than he took."""
        super().resume_writing()
        if self.relay:
            self.relay.move()

    def give_up(self) -> None:
        """Told that the time to stop is over."""
        if self.relay:
            self.relay.fail(Stopping("the gateway is stopping"))

    def _watch(self, hung_up: Callable[[], None]) -> Callable[[], None]:
        """The extension: calls back when the caller hangs up, unless what is given back is called before."""
        self._hung_up = hung_up
        if self._is_lost:
            hung_up()

        def unwatch() -> None:
            if self._hung_up is hung_up:  # the next request may watch already
                self._hung_up = _nothing

        return unwatch

    def close_if_idle(self) -> None:
        """Told now and then: closes a connection on which no request has come for long."""
        if self.idle_until <= self.loop.time():
            self.timeout_keep_alive_handler()
