"""Bodies that only the upstream can read go on while they come in, however long they are."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fairlead.exposes.request import Reading
from fairlead.settings import Settings
from serving.world import BATCHES, Upstream, world

pytestmark = pytest.mark.anyio
PIECE = b"x" * 65536
SMALL = Settings(reading=Reading(body=1000))
BINARY = {"content-type": "application/octet-stream"}


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


@pytest.mark.parametrize("length", [None, 10 * len(PIECE)])
async def test_a_body_over_the_limit_of_those_that_are_read_passes(length: int | None) -> None:
    headers = BINARY if length is None else {**BINARY, "content-length": str(length)}
    async with world(BATCHES, upstream=(upstream := Upstream()), settings=SMALL) as one:
        response = await one.rest.post("/v1/batches", content=pieces(10), headers=headers)

    assert response.status_code == 200
    assert upstream.only.body == PIECE * 10
    assert upstream.only.header("content-length") == (None if length is None else str(length))
    assert upstream.only.header("content-type") == "application/octet-stream"


async def test_each_piece_goes_on_before_the_next_is_asked_for() -> None:
    order: list[str] = []

    async def given() -> AsyncIterator[bytes]:
        for number in range(3):
            order.append(f"given {number}")
            yield b"%d" % number

    class Noting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for piece in request.stream:
                order.append(f"sent {piece.decode()}")  # noqa: PERF401 -- in the order of what happens
            return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    async with world(BATCHES, upstream=Noting()) as one:
        await one.rest.post("/v1/batches", content=given(), headers=BINARY)

    assert order == ["given 0", "sent 0", "given 1", "sent 1", "given 2", "sent 2"]


async def test_a_body_with_json_is_read_whole_and_bounded_as_before() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream()), settings=SMALL) as one:
        response = await one.rest.post("/v1/batches", json={"a": "x" * 2000})

    assert (response.status_code, upstream.got) == (413, [])
