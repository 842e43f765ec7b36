"""Answers of upstreams on real sockets: redirects, sizes and encodings."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from serving.sockets import Connection, head
from serving.upstreams import before, problem

pytestmark = pytest.mark.anyio


async def test_an_answer_over_the_limit_is_relayed_to_rest_and_refused_to_mcp() -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("content-length: 1001"), b"x" * 1001)

    async with before(answer) as one:
        relayed = await one.rest.get("/v1/batches")
        result = await one.call("list-batch-jobs")

    assert (relayed.status_code, len(relayed.content)) == (200, 1001)
    told = problem(502, "Bad Gateway", "too-large", "the upstream's answer is larger than 1000 bytes")
    assert result["structuredContent"] == told


async def test_a_redirect_is_handed_to_the_caller_and_not_followed() -> None:
    requests: list[bytes] = []

    async def answer(connection: Connection) -> None:
        requests.append(connection.request)
        await connection.send(head("location: /elsewhere", "content-length: 0", status="307 Temporary Redirect"))

    async with before(answer) as one:
        response = await one.rest.get("/v1/batches")

    assert (response.status_code, response.headers["location"], len(requests)) == (307, "/elsewhere", 1)


@pytest.mark.parametrize("first", [b"", gzip.compress(bytes(1001))], ids=["at-once", "after-a-member-at-the-limit"])
async def test_a_bomb_of_compressed_zeros_is_unpacked_only_in_part(first: bytes) -> None:
    packer = zlib.compressobj(wbits=31)
    start, block = (packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))

    async def answer(connection: Connection) -> None:
        await connection.send(head("content-encoding: gzip"), first + start + block * 500)

    async with before(answer) as one:
        tracemalloc.start()
        result = await one.call("list-batch-jobs")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert result["structuredContent"]["detail"] == "the upstream's answer is larger than 1000 bytes"
    assert peak < 10_000_000


async def test_what_is_not_compressed_as_it_says_is_a_bad_gateway() -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("content-encoding: gzip", "content-length: 7"), b"no gzip")

    async with before(answer) as one:
        result = await one.call("list-batch-jobs")

    detail = "the upstream's answer is not in the content encoding it declares"
    assert result["structuredContent"] == problem(502, "Bad Gateway", "upstream-failed", detail)
