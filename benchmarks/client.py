"""A small HTTP client that sends one request many times at once and looks at every byte or event of the answers."""

from __future__ import annotations

import asyncio
import json
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol, cast

import httptools

from benchmarks.load import WrongAnswer


class Reader(Protocol):
    """Takes the body of one answer in pieces; `check` raises `WrongAnswer` once it is complete."""

    @abstractmethod
    def take(self, data: bytes) -> None: ...

    @abstractmethod
    def check(self) -> None: ...


class Events:
    """Counts events and notes how late each is."""

    def __init__(self, expected: int, delays: list[float]) -> None:
        self._expected = expected
        self._delays = delays
        self._seen = 0
        self._rest = b""

    def take(self, data: bytes) -> None:
        now = time.monotonic_ns()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            sent = json.loads(event.removeprefix(b"data: "))
            if sent["n"] != self._seen:
                raise WrongAnswer(f"event {self._seen} is missing")
            self._seen += 1
            self._delays.append((now - sent["at"]) / 1e6)

    def check(self) -> None:
        if self._seen != self._expected:
            raise WrongAnswer(f"{self._seen} of {self._expected} events came")


class Size:
    """Counts bytes."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen = 0

    def take(self, data: bytes) -> None:
        self._seen += len(data)

    def check(self) -> None:
        if self._seen != self._expected:
            raise WrongAnswer(f"{self._seen} of {self._expected} bytes came")


class Received:
    """What the upstream says it received."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._body = b""

    def take(self, data: bytes) -> None:
        self._body += data

    def check(self) -> None:
        received = json.loads(self._body)["received"]
        if not self._expected <= received <= self._expected * 1.2:  # who encodes anew may write it with spaces
            raise WrongAnswer(f"the upstream received {received} of {self._expected} bytes")


class _Client(asyncio.Protocol):
    """One request on one connection; `done` is the answer's status once it is complete."""

    def __init__(self, request: bytes, reader: Reader) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._request = request
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(error.__context__ or error)

    def on_body(self, body: bytes) -> None:
        self._reader.take(body)

    def on_message_complete(self) -> None:
        if not self.done.done():
            self.done.set_result(self._parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionError("the server hung up"))

    def _end(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)
        self._transport.close()


async def _exchange(port: int, request: bytes, reader: Reader) -> None:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(lambda: _Client(request, reader), "127.0.0.1", port)
    try:
        status = await asyncio.wait_for(client.done, 120)
    except (OSError, TimeoutError, httptools.HttpParserError) as error:
        raise WrongAnswer(f"the answer broke off: {error!r}") from error
    finally:
        transport.close()
    if status != 200:
        raise WrongAnswer(f"the answer has status {status}")
    reader.check()


async def all_at_once(port: int, request: bytes, readers: Sequence[Reader]) -> float:
    """Sends the request once for every reader, all at the same time; the seconds until all were answered."""
    start = time.monotonic()
    await asyncio.gather(*(_exchange(port, request, reader) for reader in readers))
    return time.monotonic() - start


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body
