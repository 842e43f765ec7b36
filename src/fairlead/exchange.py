"""One request and its response on a connection: uvicorn's, with one write for a head and the body that follows at once.

What stands in a line of a head is checked once and then known, for most lines are said again and again.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

from fairlead.headers import Headers
from fairlead.relay import Relay

_MAX_JOINED: Final = 64 * 1024
"""The longest body that is copied behind its head; a longer one is worth a write of its own."""
_OFTEN: Final = 128
"""How long values are that are likely to be said again."""
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_BODYLESS: Final = frozenset({204, 304})

Pairs = Collection[tuple[bytes, bytes]]


class Connection(Protocol):
    """The connection of an exchange, as far as that looks."""

    loop: AbstractEventLoop
    relay: Relay | None
    """What moves when the caller hangs up or takes more."""

    def wait(self, exchange: RequestResponseCycle) -> None:
        """Has a task answer."""


class Exchange(RequestResponseCycle):
    """What an application gets as `receive` and `send`; a `Caller` for whoever does not wait."""

    _head = b""
    """Waits for the start of the body, at most until the loop's next turn."""
    _says_close = False
    _ends_with_connection = False
    """Whether nothing else tells where the body ends, as to callers who speak HTTP/1.0."""

    def __init__(self, connection: Connection, *args: Any) -> None:
        super().__init__(*args)
        self._connection = connection

    # For who waits.

    async def send(self, message: Any) -> None:
        """Sends the head, and then piece by piece the body."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        expected = "http.response.body" if self.response_started else "http.response.start"
        if message["type"] != expected or self.response_complete:
            raise RuntimeError(f"the message {message['type']!r} has no place here")
        if self.response_started:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._send_head(message["status"], message.get("headers", ()))

    # For who does not, a `Caller`.

    @property
    def body_here(self) -> bytes | None:
        return None if self.more_body else bytes(self.body)

    @property
    def is_full(self) -> bool:
        return self.flow.write_paused

    def attend(self, relay: Relay | None) -> None:
        self._connection.relay = relay
        if relay:
            self.flow.resume_reading()  # a large body has paused it, and who does not read sees nobody hang up

    def begin(self, status: int, headers: Headers) -> None:
        self.response_started = True
        lines = []
        for pair in headers:
            line, framing = _known_text(pair) if len(pair[1]) <= _OFTEN else _text(pair)
            lines.append(line)
            if framing:
                self._frame(*framing)
        self._send_lines(status, lines)

    def push(self, body: bytes, *, more: bool) -> None:
        self._send_body(body, more=more)

    def cut(self) -> None:
        self.transport.close()

    def wait(self) -> None:
        self._connection.wait(self)

    def _send_head(self, status: int, headers: Pairs) -> None:
        self.response_started = True
        said = [_known(name, value) if len(value) <= _OFTEN else _line(name, value) for name, value in headers]
        for name, value in headers:
            if name in _FRAMING:
                self._frame(name, value)
        self._send_lines(status, said)
        self._connection.loop.call_soon(self._flush)

    def _send_lines(self, status: int, said: list[bytes]) -> None:
        """Sends a head with those lines, and with what the connection has to say."""
        self.waiting_for_100_continue = False
        if self.access_log:
            self._log(status)
        lines = [STATUS_LINE[status], *[_known(name, value) for name, value in self.default_headers], *said]
        if status in _BODYLESS:
            self.expected_content_length = 0
        if not self.keep_alive and not self._says_close:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _BODYLESS:
            self.chunked_encoding = self.scope["http_version"] != "1.0"
            self._ends_with_connection = not self.chunked_encoding
            lines += [b"transfer-encoding: chunked\r\n"] if self.chunked_encoding else []
        lines.append(b"\r\n")
        self._head = b"".join(lines)

    def _frame(self, name: bytes, value: bytes) -> None:
        """Takes in what a header says of the body, or of the connection."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length = 0
            self.chunked_encoding = True
        elif name == b"connection" and b"close" in [token.strip() for token in value.lower().split(b",")]:
            self.keep_alive = False
            self._says_close = True

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            body = b""
        elif self.chunked_encoding:
            body = _chunk(body, is_last=not more)
        elif self._ends_with_connection:
            pass
        elif len(body) > self.expected_content_length:
            raise RuntimeError("the body is longer than its content-length")
        else:
            self.expected_content_length -= len(body)
        self._write(body)
        if more:
            return
        if self.expected_content_length:
            raise RuntimeError("the body is shorter than its content-length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head and len(data) <= _MAX_JOINED:
            data = head + data
        elif head:
            self.transport.write(head)
        if data:
            self.transport.write(data)

    def _flush(self) -> None:
        if self._head and not self.transport.is_closing():
            self._write(b"")

    def _log(self, status: int) -> None:
        scope = self.scope
        target = get_path_with_query_string(scope)
        said = get_client_addr(scope), scope["method"], target, scope["http_version"], status
        self.access_logger.info('%s - "%s %s HTTP/%s" %d', *said)


def _line(name: bytes, value: bytes) -> bytes:
    """A line of a head; raises where it would be two, or none."""
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("a header of the response holds what no header can")
    return b"%b: %b\r\n" % (name.lower(), value)


def _text(pair: tuple[str, str]) -> tuple[bytes, tuple[bytes, bytes] | None]:
    """The same of a header in texts; and that header, where it says something of the body or the connection."""
    name, value = pair[0].encode("latin-1"), pair[1].encode("latin-1")
    return _line(name, value), (name, value) if name in _FRAMING else None


_known = lru_cache(maxsize=1024)(_line)
_known_text = lru_cache(maxsize=1024)(_text)


def _chunk(data: bytes, *, is_last: bool) -> bytes:
    """A chunk of the chunked coding, and the end where it is the last."""
    end = b"0\r\n\r\n" if is_last else b""
    return b"%x\r\n%b\r\n%b" % (len(data), data, end) if data else end
