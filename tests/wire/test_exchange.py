"""Exchanges over real sockets: what is reused, what is sent again, and what every trouble leaves behind."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fairlead.errors import ArgumentError, CallError, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from fairlead.wire.client import Client, Outgoing
from fairlead.wire.connection import HIGH_WATER
from fairlead.wire.route import Route
from wire.upstream import LOOPS, OK, SHORT, Peer, Play, body, stage

pytestmark = pytest.mark.anyio


async def serve(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.send(OK)


async def test_one_connection_carries_request_after_request() -> None:
    async with stage(serve) as one:
        answers = [await one.get() for _ in range(5)]
        assert (answers, one.connections, one.client.pool.idle, one.client.pool.lent) == ([(200, b"{}")] * 5, 1, 1, 0)


async def test_an_address_of_the_sixth_version_is_connected_to() -> None:
    async with stage(serve, host="::1") as one:
        assert await one.get() == (200, b"{}")


async def close_on_second(peer: Peer) -> None:
    await peer.request()
    await peer.send(OK)
    if peer.number == 1:
        await peer.request()
    else:
        await serve(peer)


async def test_a_stale_connection_is_replaced_once_for_an_idempotent_request() -> None:
    async with stage(close_on_second) as one:
        assert [await one.get(), await one.get()] == [(200, b"{}")] * 2
        assert one.connections == 2


async def test_a_request_that_is_not_idempotent_is_never_sent_again() -> None:
    async with stage(close_on_second) as one:
        await one.get()
        with pytest.raises(UpstreamFailed):
            await one.get("POST", b"x")
        assert (one.connections, one.client.pool.lent) == (1, 0)


async def close_after_one_byte(peer: Peer) -> None:
    await peer.request()
    await peer.send(OK)
    await peer.request()
    await peer.send(b"H")


async def test_nothing_is_sent_again_once_a_byte_came_back() -> None:
    async with stage(close_after_one_byte) as one:
        await one.get()
        with pytest.raises(UpstreamFailed):
            await one.get()
        assert one.connections == 1


async def hang_up(peer: Peer) -> None:
    await peer.request()


async def test_a_fresh_connection_that_breaks_off_is_not_tried_again() -> None:
    async with stage(hang_up) as one:
        with pytest.raises(UpstreamFailed):
            await one.get()
        assert one.connections == 1


async def surplus(peer: Peer) -> None:
    await peer.request()
    await peer.send(OK + OK.replace(b"{}", b"!!"))
    await peer.reader.read()


async def test_bytes_that_nobody_asked_for_never_answer_the_next_request() -> None:
    async with stage(surplus) as one:
        assert [await one.get(), await one.get()] == [(200, b"{}")] * 2
        assert one.connections == 2


async def test_bytes_on_an_idle_connection_close_it() -> None:
    spoke, speak = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await speak.wait()
        await peer.send(OK)
        await peer.reader.read()
        spoke.set()

    async with stage(play) as one:
        await one.get()
        assert one.client.pool.idle == 1
        speak.set()
        await spoke.wait()
        assert one.client.pool.idle == 0


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    closed = asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.reader.read()
        closed.set()

    async with stage(play, replace(SHORT, idle=0.01)) as one:
        await one.get()
        await closed.wait()
        assert one.client.pool.idle == 0


async def test_no_more_connections_are_open_than_allowed_whatever_the_route() -> None:
    async with stage(serve, replace(SHORT, connections=1)) as one, stage(serve) as other:
        await one.get()
        one.route = other.route
        await one.get()
        assert (one.client.pool.idle, other.connections) == (1, 1)


async def test_who_finds_no_free_connection_is_told_so() -> None:
    async with stage(hold, replace(SHORT, connections=1, connect=0.5)) as one:
        response = await one.send()
        with pytest.raises(UpstreamBusy):
            await one.get()
        response.close()
        assert (one.client.pool.lent, one.client.pool.idle) == (0, 0)


async def hold(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
    await peer.reader.read()


async def test_silence_is_a_timeout_and_closes_the_connection() -> None:
    gone = asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.reader.read()
        gone.set()

    async with stage(play, replace(SHORT, read=0.05)) as one:
        with pytest.raises(UpstreamTimeout):
            await one.get()
        await gone.wait()


@pytest.mark.parametrize("bad", ["a b", "a\r\nx: y", "a\nb", "\x00", "", "/ HTTP/1.1\r\nx:y\r\n"])
async def test_a_target_or_header_that_could_become_another_is_refused_before_anything_is_sent(bad: str) -> None:
    async with stage(serve) as one:
        with pytest.raises(ArgumentError):
            await one.send(path=bad)
        with pytest.raises(ArgumentError):
            await one.send(method=f"GET{bad} ")
        if "\n" in bad or "\x00" in bad:
            with pytest.raises(ArgumentError):
                await one.send(x=bad)
        assert one.connections == 0


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_streamed_body_goes_in_chunks_or_with_the_length_it_declares() -> None:
    got: list[bytes] = []

    async def play(peer: Peer) -> None:
        while True:
            request = await peer.request()
            got.append(await peer.reader.readexactly(5 if b"content-length" in request else 20))
            await peer.send(OK)

    async with stage(play) as one:
        await one.get("POST", pieces(b"ab", b"", b"cde"))
        response = await one.send("POST", "/", pieces(b"ab", b"cde"), content_length="5")
        await body(response)
        assert (got, one.connections) == ([b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", b"abcde"], 1)


@pytest.mark.parametrize("parts", [(b"abc",), (b"abcdef",)])
async def test_a_streamed_body_that_is_not_as_long_as_declared_fails(parts: tuple[bytes, ...]) -> None:
    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.reader.read()

    async with stage(play) as one:
        with pytest.raises(UpstreamFailed):
            await one.send("POST", "/", pieces(*parts), content_length="5")


async def test_an_early_answer_ends_the_upload_and_the_connection() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}")
        await peer.reader.readexactly(1)

    async with stage(play) as one:
        response = await one.send("POST", "/", endless())
        assert (response.head.status, await body(response)) == (413, b"{}")
        assert (one.client.pool.lent, one.client.pool.idle) == (0, 0)


async def test_an_upload_is_taken_no_faster_than_the_upstream_reads() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 65536
            yield b"x" * 65536

    async def play(peer: Peer) -> None:
        await peer.request()
        await done.wait()

    done = asyncio.Event()
    async with stage(play, replace(SHORT, read=0.2)) as one:
        with pytest.raises(UpstreamTimeout):
            await one.send("POST", "/", endless())
        done.set()
        assert taken < 16 * 1024 * 1024


class Source:
    """A body that knows what became of it."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = list(parts)
        self.taken = 0
        self.begun, self.closed = asyncio.Event(), asyncio.Event()

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> bytes:
        self.begun.set()
        if self.taken == len(self.parts):
            await asyncio.Event().wait()  # more would come
        part = self.parts[self.taken]
        self.taken += 1
        if isinstance(part, Exception):
            raise part
        return part

    async def aclose(self) -> None:
        self.closed.set()


async def read_all(peer: Peer) -> None:
    await peer.reader.read()


@pytest.mark.parametrize("play", [hang_up, read_all])
async def test_an_upload_that_fails_or_is_cancelled_closes_the_source_of_its_body(play: Play) -> None:
    broken, endless = Source(b"abc", OSError()), Source(b"abc")
    async with stage(play) as one:
        with pytest.raises(UpstreamFailed):
            await one.send("POST", "/", broken)
        sending = asyncio.create_task(one.send("POST", "/", endless))
        await endless.begun.wait()
        sending.cancel()
        await asyncio.wait([sending])
        assert (broken.closed.is_set(), endless.closed.is_set(), one.client.pool.lent) == (True, True, 0)


async def test_a_body_that_nobody_ever_asked_for_is_closed_as_well() -> None:
    source = Source(b"abc")
    async with stage(hold, replace(SHORT, connections=1, connect=0.05)) as one:
        response = await one.send()
        with pytest.raises(UpstreamBusy):
            await one.send("POST", "/", source)
        response.close()
    assert (source.closed.is_set(), source.taken) == (True, 0)


async def test_an_answer_that_is_given_up_closes_the_source_of_an_upload_that_still_goes_on() -> None:
    source = Source(b"abc")
    async with stage(hold) as one:
        response = await one.send("POST", "/", source)
        assert not source.closed.is_set()
        response.close()
        await source.closed.wait()


@pytest.mark.parametrize("anyio_backend", LOOPS, ids=["asyncio", "uvloop"])
async def test_a_stream_that_nobody_touched_goes_to_another_connection_when_the_first_has_gone_stale() -> None:
    got: list[bytes] = []

    def play(listener: socket.socket) -> None:
        for number in range(2):
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(5)
                data = b""
                while not data.endswith((b"\r\n\r\n", b"0\r\n\r\n")[number : number + 1]):
                    data += sock.recv(65536)
                got.append(data)
                sock.sendall(OK)
                leave.wait(5)
            closed.release()

    leave, closed = threading.Event(), threading.Semaphore(0)
    client = Client(SHORT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        served = asyncio.get_running_loop().run_in_executor(None, play, listener)
        route = Route("127.0.0.1", listener.getsockname()[1], "x")
        await body(await client.send(Outgoing("GET", route, "/")))
        leave.set()
        closed.acquire()  # the event loop gets no chance to notice
        response = await client.send(Outgoing("PUT", route, "/", content=pieces(b"ab")))
        assert (response.head.status, await body(response)) == (200, b"{}")
        await served
    client.close()
    assert got[1].endswith(b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


async def test_a_slow_reader_holds_no_more_than_the_mark_and_one_read() -> None:
    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 20000000\r\n\r\n")
        for _ in range(200):
            await peer.send(b"x" * 100_000)
        await serve(peer)

    async with stage(play, replace(SHORT, connections=50)) as one:
        responses = [await one.send() for _ in range(50)]
        most = 0
        for _ in range(100):
            await asyncio.sleep(0)
            most = max(most, *(response._incoming.buffered for response in responses))
        lengths = [len(await body(response)) for response in responses]

        assert most <= HIGH_WATER + 512 * 1024
        assert lengths == [20_000_000] * 50
        assert await one.get() == (200, b"{}")
        assert one.connections == 50


async def test_whatever_is_cancelled_or_breaks_no_connection_leaks_and_no_answer_is_anothers() -> None:  # noqa: C901
    chance = random.Random(7)  # noqa: S311 -- the same every time

    async def play(peer: Peer) -> None:
        while True:
            request = await peer.request()
            name = request.split(b" ")[1]
            answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(name), name)
            fault = chance.random()
            if fault < 0.1:
                answer = answer[: chance.randrange(len(answer))]
            if fault < 0.15:
                await peer.send(answer)
                return
            if fault < 0.2:
                answer += b"surplus"
            cut = chance.randrange(len(answer))
            await peer.send(answer[:cut])
            await asyncio.sleep(0)
            await peer.send(answer[cut:])

    async def ask(number: int) -> str:
        try:
            response = await one.send(path=f"/{number}")
            try:
                return "right" if await body(response) == f"/{number}".encode() else "wrong"
            finally:
                response.close()
        except CallError:
            return "failed"

    async def cancelled(task: asyncio.Task[str], turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    async with stage(play, replace(SHORT, connections=8)) as one:
        tasks = [asyncio.create_task(ask(number)) for number in range(1000)]
        for task in chance.sample(tasks, 300):
            await cancelled(task, chance.randrange(6))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert "wrong" not in outcomes
        assert outcomes.count("right") > 400
        assert one.client.pool.lent == 0
        assert one.client.pool.idle <= 8
