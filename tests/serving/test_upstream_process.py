"""What only whole processes show: cut responses, callers that hang up, and proxies from the environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from serving.process import Served, serving
from serving.sockets import Answer, Connection, head, listening, private_ca
from serving.world import BATCHES

pytestmark = pytest.mark.anyio

KEY = {"TOGETHER_AI_API_KEY": "of-the-gateway"}


@asynccontextmanager
async def gateway_before(answer: Answer, folder: Path) -> AsyncIterator[Served]:
    async with listening(answer) as port:
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{port}"
        with anyio.fail_after(20), serving(base, BATCHES, cwd=folder, environ=KEY) as served:
            yield served
            ended = served.stop()
            assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


async def test_a_body_that_breaks_off_is_seen_to_be_cut(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("transfer-encoding: chunked"), b'5\r\n{"a":\r\n')
        connection.reset()

    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list-batch-jobs"}}
    accept = {"accept": "application/json, text/event-stream"}
    async with gateway_before(answer, tmp_path) as served, httpx.AsyncClient() as caller:
        with pytest.raises(httpx.RemoteProtocolError, match=r"without sending complete|incomplete"):
            await caller.get(f"{served.rest}/v1/batches")
        told = (await caller.post(f"{served.mcp}/mcp", json=call, headers=accept)).json()["result"]

    assert (told["isError"], told["structuredContent"]["status"]) == (True, 502)


@pytest.mark.parametrize("has_begun", [False, True])
async def test_a_caller_that_hangs_up_takes_the_upstream_call_with_it(has_begun: bool, tmp_path: Path) -> None:
    arrived, hung_up = anyio.Event(), anyio.Event()

    async def answer(connection: Connection) -> None:
        if has_begun:
            await connection.send(head("content-type: text/event-stream"), b"data: 1\n\n")
        arrived.set()
        await connection.gone()
        hung_up.set()

    async with gateway_before(answer, tmp_path) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.rest_port)
        writer.write(b"GET /v1/batches HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await arrived.wait()
        if has_begun:
            await reader.readuntil(b"data: 1\n\n")
        writer.close()
        with anyio.fail_after(5):
            await hung_up.wait()


async def test_a_proxy_of_the_environment_is_used_but_for_hosts_that_it_excludes(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def proxy(connection: Connection) -> None:
        asked.append(connection.request.split(b"\r\n")[0])
        await connection.send(head("content-length: 0", status="403 Forbidden"))

    async def upstream(connection: Connection) -> None:
        await connection.send(head("content-length: 2"), b"{}")

    async with listening(proxy) as proxy_port, listening(upstream) as upstream_port:
        proxied = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy_port}", "HTTP_PROXY": f"http://127.0.0.1:{proxy_port}"}
        environ = {**KEY, **proxied, "NO_PROXY": "127.0.0.1"}
        with serving(BATCHES, cwd=tmp_path, environ=environ) as served:
            async with httpx.AsyncClient() as caller:
                through_proxy = await caller.get(f"{served.rest}/v1/batches")
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{upstream_port}"
        with serving(base, BATCHES, cwd=tmp_path, environ=environ) as served:
            async with httpx.AsyncClient() as caller:
                directly = await caller.get(f"{served.rest}/v1/batches")
                health = await caller.get(f"{served.rest}/health/ready")

    assert (through_proxy.status_code, asked) == (502, [b"CONNECT api.together.ai:443 HTTP/1.1"])
    assert (directly.status_code, health.status_code) == (200, 200)


async def test_a_certificate_file_is_trusted_by_a_process_too(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head("content-length: 2"), b"{}")

    ca_file, tls = private_ca(tmp_path)
    async with listening(answer, tls) as port:
        base = f"--base-uri=together-ai-batches=https://127.0.0.1:{port}"
        with serving("--ca-file", ca_file, base, BATCHES, cwd=tmp_path, environ=KEY) as served:
            async with httpx.AsyncClient() as caller:
                response = await caller.get(f"{served.rest}/v1/batches")

    assert response.status_code == 200


def resident(pid: int) -> int:
    """The memory of a process in bytes."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text("ascii").splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process from /proc")
async def test_a_long_upload_passes_through_a_small_memory(tmp_path: Path) -> None:
    size, piece = 200 * 1024 * 1024, b"x" * 1024 * 1024
    arrived = 0

    async def answer(connection: Connection) -> None:
        nonlocal arrived
        while arrived < size and (data := await connection.reader.read(1024 * 1024)):
            arrived += len(data)
        await connection.send(head("content-length: 2"), b"{}")

    async def content() -> AsyncIterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    headers = {"content-type": "application/octet-stream", "content-length": str(size)}
    async with gateway_before(answer, tmp_path) as served, httpx.AsyncClient(timeout=20) as caller:
        before = resident(served.process.pid)
        response = await caller.post(f"{served.rest}/v1/batches", content=content(), headers=headers)
        grown = resident(served.process.pid) - before

    assert (response.status_code, arrived) == (200, size)
    assert grown < 16 * 1024 * 1024


async def test_a_caller_that_hangs_up_in_its_upload_takes_the_upstream_call_with_it(tmp_path: Path) -> None:
    arrived, hung_up = anyio.Event(), anyio.Event()

    async def answer(connection: Connection) -> None:
        arrived.set()
        await connection.gone()
        hung_up.set()

    async with gateway_before(answer, tmp_path) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.rest_port)
        writer.write(b"POST /v1/batches HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n")
        writer.write(b"content-length: 1000\r\n\r\nbegun")
        with anyio.fail_after(5):
            await arrived.wait()
            writer.close()
            await hung_up.wait()
