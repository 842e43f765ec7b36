"""The upstream for what nginx cannot answer: slow answers, event streams, uploads. Run with a port."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import httptools
import uvloop

from benchmarks.answers import DELAY, INTERVAL, SLOW, encoded


class Connection(asyncio.Protocol):
    """One connection with one request at a time; `/v1/events?n` sends n events."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._received = b"", 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._received += len(body)

    def on_message_complete(self) -> None:
        path, _, query = self._url.partition(b"?")
        if path == b"/v1/slow":
            self._loop.call_later(DELAY, self._answer, encoded(SLOW))
        elif path == b"/v1/events":
            self._write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            self._events(int(query.partition(b"=")[2] or 1), 0, self._loop.time())
        else:
            self._answer(json.dumps({"received": self._received}).encode())

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._write(head + body)

    def _events(self, total: int, sent: int, start: float) -> None:
        """Sends the next event, and itself again in time; each tells when it was sent."""
        if sent == total:
            self._write(b"0\r\n\r\n")
        elif not self.transport.is_closing():
            event = b'data: {"n":%d,"at":%d,"delta":"%s"}\n\n' % (sent, time.monotonic_ns(), b"token " * 10)
            self._write(b"%x\r\n%s\r\n" % (len(event), event))
            self._loop.call_at(start + (sent + 1) * INTERVAL, self._events, total, sent + 1, start)

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
