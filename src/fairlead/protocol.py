"""The server's side of a connection: uvicorn's, with exchanges of ours, and one look at all that are idle."""

from __future__ import annotations

import re
from asyncio import BaseTransport, Event, Transport
from collections.abc import Callable
from math import inf
from typing import Any, Final, cast
from urllib.parse import unquote

from httptools import parse_url
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fairlead.errors import Stopping
from fairlead.exchange import Exchange
from fairlead.exposes.http import HANG_UP
from fairlead.headers import Fields
from fairlead.relay import Relay

_START: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE) (/(?!/)[\w.~%/:@!$&'()*+,;=-]*+)(?:\?([\w.~%/:@!$&'()*+,;=?-]*+))? HTTP/1\.1",
    re.ASCII,
)
"""The first line of a request whose target needs no parser."""
_UNCLEAR: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
"""Fields that say other things of a body than its length."""
_MAX_KNOWN: Final = 4096
MAX_HEAD: Final = 64 * 1024
"""How much of a head is taken in, after the piece that it began in, before its end is there."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_MALFORMED: Final = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def _nothing() -> None:
    """Called where nobody watches."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, parsed by httptools."""

    idle_until = inf
    """When the connection is to be closed, unless the whole head of a request has come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_lost = False
        self._hung_up = _nothing
        self._extensions: Any = {HANG_UP: self._watch}
        self._asgi: Any = {"version": self.asgi_version, "spec_version": "2.3"}
        self.relay: Relay | None = None
        self._begun: Exchange | None = None
        self._is_refused = False
        self._is_between = True
        self._in_head = False
        self._head = 0
        self._messages = 0
        self._fields = b""
        self._length = -1  # no data is as short as that
        self._headers = Fields(())

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast("Transport", transport))  # uvloop's are no subclasses of it
        self.idle_until = self.loop.time() + self.timeout_keep_alive

    def data_received(self, data: bytes) -> None:
        """Reads a request; one whose fields are those of the last one, byte by byte, does without the parser."""
        if self._is_refused:
            return
        if self._is_between:
            start = _START.match(data)
            if start and data.startswith(self._fields, start.end()):
                body = start.end() + len(self._fields)
                if len(data) == body + self._length:
                    self.expect_100_continue = False
                    self._begin(start[1].decode(), "1.1", start[2], start[3] or b"", self._headers, keep_alive=True)
                    self.cycle.body += data[body:]
                    self.cycle.more_body = False
                    self.cycle.message_event.set()
                    self._go()
                    return
        is_first, self._messages = self._is_between, 0
        super().data_received(data)
        self._go()
        self._head = self._head + len(data) if self._in_head and not self._messages else 0
        if self._head > MAX_HEAD:
            self._refuse(_TOO_LARGE)
        if is_first and self._is_between and self._messages == 1 and self.cycle.keep_alive:
            self._remember(data)

    def send_400_response(self, msg: str) -> None:
        """Told that what has come is no request."""
        self._refuse(_MALFORMED)

    def _refuse(self, answer: bytes) -> None:
        """Reads no more, and answers that, unless another answer is on its way, behind which the connection closes."""
        self._is_refused = True
        before = self.cycle
        if before is None or before.response_complete:
            self.transport.write(answer)
        elif not before.more_body:
            before.keep_alive = False
            return
        elif not (before.response_started or self.pipeline):
            self.transport.write(answer)
        self.transport.close()

    def _remember(self, data: bytes) -> None:
        """Keeps the fields of a request that was the only one in a piece of data, if they say how long its body is."""
        start, said = _START.match(data), dict(self.headers)
        length = said.get(b"content-length", b"0")
        if start and len(said) == len(self.headers) and said.keys().isdisjoint(_UNCLEAR) and length.isdigit():
            fields = data[start.end() : len(data) - int(length)]
            if len(fields) <= _MAX_KNOWN and fields.find(b"\r\n\r\n") == len(fields) - 4:
                self._fields, self._length, self._headers = fields, int(length), Fields(self.headers)

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._is_between = False
        self._in_head = True
        self._messages += 1

    def on_message_complete(self) -> None:
        self._is_between = True
        super().on_message_complete()
        self._go()

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser = self.parser
        version = parser.get_http_version()
        url = parse_url(self.url)
        keep_alive = version != "1.0" and parser.should_keep_alive()
        method = parser.get_method().decode("ascii")
        self._begin(method, version, url.path, url.query or b"", self.headers, keep_alive=keep_alive)

    def _begin(
        self,
        method: str,
        version: str,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
    ) -> None:
        """Makes an exchange of the request; one that comes before the last is answered waits for its turn."""
        text = path.decode("ascii")
        self.scope = {
            "type": "http",
            "asgi": self._asgi,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "method": method,
            "root_path": self.root_path,
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": headers,
            "state": self.app_state.copy(),
            "extensions": self._extensions,
        }
        self.idle_until = inf
        before, self.cycle = self.cycle, self._exchange(keep_alive=keep_alive)
        if before is None or before.response_complete:
            self._begun = self.cycle
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

    def _go(self) -> None:
        """Has the exchange that was begun answered, with what has come of its body."""
        begun, self._begun = self._begun, None
        if begun and not self.transport.is_closing():
            relay = getattr(self.app, "relay", None)
            if relay is None or not relay(self.scope, begun):
                self.wait(begun)

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
            self.relay.end()

    def resume_writing(self) -> None:
        """Lets go on whoever had more for the caller than he took."""
        super().resume_writing()
        if self.relay:
            self.relay.move()

    def hand_to(self, app: ASGIApp) -> None:
        """Has another application answer; what the last one found out, and it with that, is not kept."""
        self.app = cast("Any", app)
        self._headers.known.clear()

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
