"""Upstreams on real sockets: what goes wrong there, and what the caller is told."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from fairlead.upstream import Limits
from serving.process import free_port
from serving.sockets import Connection, head, listening, private_ca
from serving.upstreams import SHORT, at, before, both, problem
from serving.world import BATCHES, world

pytestmark = pytest.mark.anyio


async def test_a_refused_connection_is_a_bad_gateway() -> None:
    async with world(BATCHES, settings=at(f"http://127.0.0.1:{free_port()}")) as one:
        told = problem(502, "Bad Gateway", "upstream-failed", "cannot connect to the upstream")
        assert await both(one) == [told, told]


async def test_a_host_that_is_not_known_is_a_bad_gateway() -> None:
    async with world(BATCHES, settings=at("http://does-not-exist.invalid")) as one:
        told = problem(502, "Bad Gateway", "upstream-failed", "cannot connect to the upstream")
        assert await both(one) == [told, told]


async def silence(connection: Connection) -> None:
    await connection.gone()


async def drip(connection: Connection) -> None:
    await connection.send(head("content-length: 1000"))
    with anyio.move_on_after(5):
        while True:
            await connection.send(b"x")
            with anyio.move_on_after(0.05):
                await connection.gone()


async def test_an_upstream_that_does_not_answer_in_time_is_a_timeout() -> None:
    async with before(silence, SHORT) as one:
        told = problem(504, "Gateway Timeout", "upstream-timeout", "the upstream did not answer in time")
        assert await both(one) == [told, told]


async def test_an_answer_that_is_read_whole_has_a_time_in_all() -> None:
    async with before(drip, SHORT) as one:
        result = await one.call("list-batch-jobs")

    assert result["structuredContent"]["status"] == 504


@pytest.mark.parametrize(
    "garbage", [b"", b"HTTP/1.1 2", b"220 smtp ready\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
)
async def test_an_upstream_that_does_not_speak_http_is_a_bad_gateway(garbage: bytes) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(garbage)

    async with before(answer) as one:
        told = problem(502, "Bad Gateway", "upstream-failed", "the connection to the upstream broke off")
        assert await both(one) == [told, told]


async def test_a_status_that_is_none_of_http_is_a_bad_gateway() -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("content-length: 0", status="999 Own"))

    async with before(answer) as one:
        detail = "the upstream answered with 999, which is no status of HTTP"
        told = problem(502, "Bad Gateway", "upstream-failed", detail)
        assert await both(one) == [told, told]


async def test_no_free_connection_is_told_with_the_time_to_come_back() -> None:
    arrived, go_on = anyio.Event(), anyio.Event()

    async def answer(connection: Connection) -> None:
        arrived.set()
        await go_on.wait()
        await connection.send(head("content-length: 2"), b"{}")

    async with before(answer, Limits(connect=0.2, connections=1)) as one, anyio.create_task_group() as tasks:
        tasks.start_soon(one.rest.get, "/v1/batches")
        await arrived.wait()
        refused = await one.rest.get("/v1/batches")
        go_on.set()

    detail = "all connections to upstreams are in use"
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json() == problem(503, "Service Unavailable", "upstream-busy", detail)


async def test_an_upstream_of_a_private_authority_is_trusted_only_with_its_certificate(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("content-length: 2"), b"{}")

    ca_file, tls = private_ca(tmp_path)
    limits = Limits()
    async with listening(answer, tls) as port:
        base = f"https://127.0.0.1:{port}"
        async with world(BATCHES, settings=at(base, limits, ca_file)) as one:
            trusted = await one.rest.get("/v1/batches")
        async with world(BATCHES, settings=at(base, limits)) as one:
            refused = await one.rest.get("/v1/batches")

    assert (trusted.status_code, trusted.content) == (200, b"{}")
    assert refused.json() == problem(502, "Bad Gateway", "upstream-failed", "cannot connect to the upstream")


async def test_a_connection_is_used_again_and_an_answer_left_unread_does_not_block_it() -> None:
    requests = 0

    async def answer(connection: Connection) -> None:
        nonlocal requests
        while True:
            requests += 1
            await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"{}")
            await connection.reader.readuntil(b"\r\n\r\n")

    async with before(answer, Limits(connect=1, connections=1)) as one:
        answers = [await one.rest.head("/v1/batches"), *[await one.rest.get("/v1/batches") for _ in range(3)]]

    assert ([response.status_code for response in answers], requests) == ([200] * 4, 4)


async def test_an_upstream_that_closes_idle_connections_is_connected_to_again() -> None:
    closed = anyio.Event()

    async def answer(connection: Connection) -> None:
        nonlocal closed
        await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"{}")
        connection.writer.close()
        await connection.writer.wait_closed()
        closed.set()

    async with before(answer) as one:
        for _ in range(3):
            closed = anyio.Event()
            assert (await one.rest.get("/v1/batches")).status_code == 200
            await closed.wait()
