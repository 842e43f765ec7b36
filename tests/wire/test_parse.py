"""What is a response, what is none, and that the pieces in which it comes make no difference."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.wire.grammar import Malformed
from fairlead.wire.parse import MAX_HEAD, Incoming

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"content-length: 2\r\n\r\n{}"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
ENDING = (
    (b"GET", OK + b"content-length: 5\r\n\r\nhello", 200, b"hello"),
    (b"GET", b"HTTP/1.1 200\r\nContent-Length:0\r\n\r\n", 200, b""),
    (b"HEAD", OK + b"content-length: 5\r\n\r\n", 200, b""),
    (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, b""),
    (b"GET", CHUNKED + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n", 200, b"abc0123456789"),
    (b"GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + SHORT, 200, b"{}"),
)
MALFORMED = (
    b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    OK + b"a: b\ncontent-length: 0\r\n\r\n",
    OK + b"a: b\r\n folded\r\ncontent-length: 0\r\n\r\n",
    OK + b"content-length : 0\r\n\r\n",
    OK + b" content-length: 0\r\n\r\n",
    OK + b"content-length: 1\r\ncontent-length: 1\r\n\r\nx",
    OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\nxx",
    OK + b"content-length: 1, 1\r\n\r\nx",
    OK + b"content-length: +1\r\n\r\nx",
    OK + b"content-length: 0x1\r\n\r\nx",
    OK + b"content-length: -1\r\n\r\nx",
    OK + b"content-length:\r\n\r\nx",
    OK + b"content-length: 99999999999999999999\r\n\r\nx",
    OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"transfer-encoding: identity\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"a: b\x00c\r\n\r\n",
    OK + b"a: b\rc\r\n\r\n",
    OK + b"a\x01: b\r\n\r\n",
    OK + b": b\r\n\r\n",
    OK + b"no colon\r\n\r\n",
    OK + b"a: " + b"b" * MAX_HEAD + b"\r\n\r\n",
    OK + b"a: " + b"b" * MAX_HEAD,
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"\r\n" + OK + b"\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 17,
    CHUNKED + b"\r\n",
    CHUNKED + b"-1\r\n",
    CHUNKED + b"0x1\r\nx\r\n",
    CHUNKED + b"1 \r\nx\r\n",
    CHUNKED + b" 1\r\nx\r\n",
    CHUNKED + b"1\nx\r\n",
    CHUNKED + b"1\r\nxy\r\n",
    CHUNKED + b"1\r\nx\n0\r\n\r\n",
    CHUNKED + b"1\r\nx0\r\n\r\n",
    CHUNKED + b"fffffffffffffffff\r\nx",
    CHUNKED + b"1;" + b"x" * 300 + b"\r\nx\r\n",
    CHUNKED + b"1;a\x00b\r\nx\r\n",
    CHUNKED + b"0\r\nno trailer\r\n\r\n",
    CHUNKED + b"0\r\n folded: x\r\n\r\n",
    CHUNKED + b"0\r\n" + b"a: b\r\n" * 3000 + b"\r\n",
)


def fed(method: bytes, *pieces: bytes) -> tuple[Incoming, bytes]:
    incoming = Incoming(method.decode())
    for piece in pieces:
        incoming.feed(piece)
    return incoming, incoming.take()


@pytest.mark.parametrize(("method", "data", "status", "body"), ENDING)
def test_a_response_is_the_same_in_whatever_two_pieces_or_single_bytes(
    method: bytes, data: bytes, status: int, body: bytes
) -> None:
    ways = [[data[:cut], data[cut:]] for cut in range(len(data))] + [[data[i : i + 1] for i in range(len(data))]]
    for pieces in ways:
        incoming, got = fed(method, *pieces)
        assert incoming.head
        assert (incoming.head.status, got, incoming.done, incoming.keeps_alive) == (status, body, True, True)


@pytest.mark.parametrize("data", MALFORMED)
def test_what_could_be_framed_two_ways_is_refused_in_one_piece_and_in_single_bytes(data: bytes) -> None:
    with pytest.raises(Malformed):
        fed(b"GET", data)
    with pytest.raises(Malformed):
        fed(b"GET", *(data[i : i + 1] for i in range(len(data))))


@pytest.mark.parametrize("data", [ENDING[0][1][:-1], CHUNKED + b"3\r\nabc\r\n0\r\n", OK, b"H"])
def test_an_end_before_the_body_is_whole_is_no_end(data: bytes) -> None:
    incoming, _ = fed(b"GET", data)
    assert not incoming.end()


def test_a_response_without_a_length_ends_with_its_connection() -> None:
    incoming, body = fed(b"GET", OK + b"\r\nall of", b" it")
    assert (incoming.done, incoming.end(), body, incoming.keeps_alive) == (False, True, b"all of it", False)


@pytest.mark.parametrize(
    "data",
    [
        OK + b"connection: close\r\ncontent-length: 0\r\n\r\n",
        OK + b"connection: x, Close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        OK + b"content-length: 0\r\n\r\nHTTP/1.1 200 OK",
        b"HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_after_a_close_or_surplus_bytes_the_connection_is_not_used_again(data: bytes) -> None:
    incoming, _ = fed(b"GET", data)
    assert (incoming.done, incoming.keeps_alive) == (True, False)


PARTS = st.sampled_from(
    [
        *(OK, b"HTTP/1.0 200 OK\r\n", b"content-length: 3\r\n", b"Content-Length: 0\r\n", b"content-length: 3, 3\r\n"),
        *(b"transfer-encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"connection: close\r\n", b" x\r\n"),
        *(
            b"a: b\r\n",
            b"a : b\r\n",
            b"a: b\n",
            b"\r\n",
            b"\n",
            b"abc",
            b"3\r\nabc\r\n",
            b"0\r\n\r\n",
            b"0\r\n",
            b"\x00",
        ),
    ]
)


@settings(max_examples=2000, deadline=None)
@given(st.one_of(st.lists(PARTS, max_size=8), st.lists(PARTS, max_size=6).map(lambda parts: [OK, *parts])))
def test_whatever_is_accepted_an_independent_parser_frames_in_the_same_way(parts: list[bytes]) -> None:
    data = b"".join(parts)
    try:
        incoming, body = fed(b"GET", data)
    except Malformed:
        return
    if incoming.head is None or not incoming.done:
        return
    assert (incoming.head.status, body) == by_h11(data)


def by_h11(data: bytes) -> tuple[int, bytes]:
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(data)
    status, body = 0, b""
    while True:
        event = peer.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body
        else:
            assert isinstance(event, h11.InformationalResponse), event
