"""What our server makes of the messages of an application, byte by byte on a connection."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.exposes.http import UnlessGone
from fairlead.guard import LOOPBACK, Guard
from fairlead.protocol import MAX_HEAD
from serving.connections import GET, serving

pytestmark = pytest.mark.anyio
LENGTH_2 = (b"content-length", b"2")


def answering(*messages: tuple[bytes, bool], headers: list[tuple[bytes, bytes]] | None = None) -> ASGIApp:
    """Sends a head, and then pieces of a body, each with whether more follow."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
        for body, more in messages:
            await send({"type": "http.response.body", "body": body, "more_body": more})

    return app


async def test_a_body_without_a_length_is_chunked_and_one_with_a_length_is_not() -> None:
    async with serving(answering((b"ab", True), (b"", True), (b"c", False))) as one:
        await one.ask()
        assert b"transfer-encoding: chunked\r\n" in await one.head()
        assert await one.reader.readuntil(b"0\r\n\r\n") == b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    async with serving(answering((b"ab", False), headers=[LENGTH_2])) as one:
        await one.ask()
        assert await one.head() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
        assert await one.reader.readexactly(2) == b"ab"


async def test_a_body_without_a_length_ends_with_the_connection_of_who_knows_no_chunks() -> None:
    async with serving(answering((b"ab", True), (b"c", False))) as one:
        await one.ask(GET.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert await one.rest() == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"


async def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH_2]})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"ab"})

    async with serving(app) as one:
        await one.ask()
        await one.head()
        goes_on.set()
        assert await one.reader.readexactly(2) == b"ab"


async def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        said = scope["path"].encode() + b"?" + scope["query_string"]
        await answering((said, False), headers=[(b"content-length", b"%d" % len(said))])(scope, receive, send)

    async with serving(app) as one:
        await one.ask(GET + GET.replace(b"c=d", b"e") + GET.replace(b"1.1", b"1.0"))
        got = (await one.rest()).replace(b"\r\n", b"\n")

    head = b"HTTP/1.1 200 OK\ncontent-length: %d\n\n"
    last = b"HTTP/1.1 200 OK\ncontent-length: 8\nconnection: close\n\n/a b?c=d"
    assert got == head % 8 + b"/a b?c=d" + head % 6 + b"/a b?e" + last


async def test_the_answer_to_head_has_no_body() -> None:
    async with serving(answering((b"ab", False), headers=[LENGTH_2, (b"connection", b"close")])) as one:
        await one.ask(GET.replace(b"GET", b"HEAD"))
        assert await one.rest() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"


@pytest.mark.parametrize(
    ("app", "sent"),
    [
        (answering((b"a", False), headers=[(b"x", b"a\r\nb: c")]), b""),
        (answering((b"a", False), headers=[(b"x y", b"a")]), b""),
        (answering((b"abc", False), headers=[LENGTH_2]), b""),
        (answering((b"a", False), headers=[LENGTH_2]), HEAD + b"\r\na"),
        (answering((b"ab", True), headers=[LENGTH_2]), HEAD + b"\r\nab"),
        (
            answering((b"ab", False), (b"c", False), headers=[LENGTH_2, (b"connection", b"close")]),
            HEAD + b"connection: close\r\n\r\nab",
        ),
    ],
)
async def test_what_is_no_http_is_cut_off(app: ASGIApp, sent: bytes) -> None:
    async with serving(app) as one:
        await one.ask()

        assert await one.rest() == sent


async def test_a_connection_is_closed_when_no_request_has_come_for_long() -> None:
    async with serving(answering((b"ab", False), headers=[LENGTH_2]), keep_alive=0) as one:
        await one.ask(GET)
        await one.head()
        (protocol,) = one.made
        protocol.close_if_idle()
        assert await one.rest() == b"ab"


@pytest.mark.parametrize("begun", [b"", GET[:20]])
async def test_a_connection_is_closed_when_a_request_is_not_complete_for_long(begun: bytes) -> None:
    async with serving(answering((b"ab", False), headers=[LENGTH_2]), keep_alive=0) as one:
        await one.ask(GET)
        await one.head()
        await one.reader.readexactly(2)
        await one.ask(begun)
        (protocol,) = one.made
        protocol.close_if_idle()
        await asyncio.wait_for(protocol.lost.wait(), 5)


async def test_a_connection_is_closed_when_no_request_ever_comes() -> None:
    async with serving(answering(), keep_alive=0) as one:
        (protocol,) = one.made
        protocol.close_if_idle()
        assert await one.rest() == b""


async def test_a_connection_that_waits_for_its_answer_is_not_idle() -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await goes_on.wait()
        await answering((b"ab", False), headers=[LENGTH_2])(scope, receive, send)

    async with serving(app, keep_alive=0) as one:
        await one.ask()
        await begun.wait()
        (protocol,) = one.made
        protocol.close_if_idle()
        goes_on.set()
        assert await one.head()
        assert await one.reader.readexactly(2) == b"ab"


@pytest.mark.parametrize("before", [True, False])
async def test_work_ends_as_soon_as_its_caller_hangs_up(before: bool) -> None:
    begun, goes_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        if before:
            await goes_on.wait()
        with UnlessGone(scope, receive):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    async with serving(app) as one:
        await one.ask()
        await begun.wait()
        one.writer.close()
        await one.writer.wait_closed()
        (protocol,) = one.made
        await protocol.lost.wait()
        goes_on.set()
        await asyncio.wait_for(ended.wait(), 5)


async def heard(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body of the request."""
    body = (await receive())["body"]
    await answering((body, False), headers=[(b"content-length", b"%d" % len(body))])(scope, receive, send)


def post(body: bytes, *fields: bytes, target: bytes = b"/") -> bytes:
    lines = [b"POST " + target + b" HTTP/1.1", b"host: localhost", b"content-length: %d" % len(body), *fields, b"", b""]
    return b"\r\n".join(lines) + body


async def test_line_ends_behind_a_body_are_no_part_of_the_fields_before_it() -> None:
    async with serving(heard) as one:
        for sent in (post(b"\r\nab") + b"\r\n", post(b"\r\ncd") + b"\r\n"):
            await one.ask(sent)
            await one.head()
            assert await one.reader.readexactly(4) == sent[-6:-2]


async def test_a_line_that_ends_in_one_character_is_refused_from_the_beginning() -> None:
    async with serving(heard) as one:
        await one.ask(b"GET / HTTP/1.1\n\n")
        assert b" 400 " in await one.head()


async def test_nobody_is_told_to_go_on_who_did_not_ask() -> None:
    async with serving(heard) as one:
        for sent in (post(b"a"), post(b"a", b"expect: 100-continue"), post(b"a")):
            await one.ask(sent)
            head = await one.head()
            if b"expect" in sent:
                head = await one.head()
            assert b"200 OK" in head
            assert await one.reader.readexactly(1) == b"a"


async def test_nothing_is_kept_of_an_application_in_whose_place_another_one_answers() -> None:
    first = Guard(heard, LOOPBACK)
    kept = weakref.ref(first)
    async with serving(heard) as one:
        one.made[0].hand_to(first)
        for sent in (post(b"a"), post(b"a")):
            await one.ask(sent)
            await one.head()
            await one.reader.readexactly(1)
        one.made[0].hand_to(Guard(heard, LOOPBACK))
        await asyncio.gather(*one.made[0].tasks)
        del first
        gc.collect()
        assert kept() is None


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n" + b"x-a: b\r\n" * 150_000, b"GET /" + b"a" * 1_000_000])
async def test_a_head_without_an_end_is_refused_before_it_is_large(head: bytes) -> None:
    async with serving(heard) as one:
        for start in range(0, len(head), 10_000):
            one.writer.write(head[start : start + 10_000])
            await asyncio.sleep(0)
            if one.made[0].lost.is_set():
                break
        await asyncio.wait_for(one.made[0].lost.wait(), 5)
        assert start < 800_000


async def test_the_body_before_a_head_is_no_part_of_it() -> None:
    body = b"a" * 150_000
    async with serving(heard) as one:
        (protocol,) = one.made
        protocol.data_received(post(body) + GET[:20])
        protocol.data_received(GET[20:])
        assert b"200 OK" in await one.head()
        assert await one.reader.readexactly(len(body)) == body
        assert b"200 OK" in await one.head()


@pytest.mark.parametrize("more", [b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x: " + b"a" * 6 * MAX_HEAD])
async def test_what_is_no_request_is_not_answered_in_the_midst_of_another_answer(more: bytes) -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH_2]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"b"})

    async with serving(app) as one:
        await one.ask(GET)
        await one.head()
        await one.ask(more)
        await one.ask(GET)
        await asyncio.sleep(0.05)
        goes_on.set()
        assert await one.rest() == b"ab"


async def test_a_request_whose_body_is_none_is_refused_unless_its_answer_has_begun() -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/begun":
            await send({"type": "http.response.start", "status": 200, "headers": [LENGTH_2]})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(app) as one:
        await one.ask(chunked + b"no size\r\n")
        assert (await one.rest()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    async with serving(app) as one:
        await one.ask(chunked.replace(b"/ ", b"/begun ", 1))
        await one.head()
        await one.ask(b"no size\r\n")
        assert await one.rest() == b"a"
