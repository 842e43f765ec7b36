"""Several workers on the same ports: what one does the others do, and none is missed for long."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from serving.process import DEADLINE, Served, eventually, free_port, run, serving
from serving.sockets import Connection, head, listening
from serving.world import BATCHES

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc"),
]
KEY = {"TOGETHER_AI_API_KEY": "of-the-gateway"}


def children(pid: int) -> set[int]:
    """The processes that a process has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return {int(child) for child in found}


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def two_workers(folder: Path, *more: str) -> Iterator[Served]:
    with serving("--workers", "2", *more, BATCHES, cwd=folder, environ=KEY) as served:
        yield served


def is_ready(served: Served) -> bool:
    return httpx.get(f"{served.rest}/health/ready", trust_env=False).status_code == 200


def test_all_workers_answer_before_it_is_said_and_all_end_with_the_first(tmp_path: Path) -> None:
    with two_workers(tmp_path) as served:
        workers = children(served.process.pid)
        ready = httpx.get(f"{served.rest}/health/ready", trust_env=False).json()
        ended = served.stop()

    assert len(workers) == 2
    assert ready["listeners"]["workers"] is True
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert sum(line.startswith("Fairlead serves") for line in served.said) == 1


def test_a_worker_that_dies_is_started_again_and_missed_meanwhile_by_ready_alone(tmp_path: Path) -> None:
    with two_workers(tmp_path) as served:
        before = children(served.process.pid)
        killed, kept = sorted(before)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: killed not in children(served.process.pid))
        assert httpx.get(f"{served.rest}/health/live", trust_env=False).status_code == 200
        eventually(lambda: len(children(served.process.pid)) == 2)
        eventually(lambda: is_ready(served))
        after = children(served.process.pid)
        ended = served.stop()

    assert kept in after
    assert killed not in after
    assert "ended with code -9; starting it again" in ended.stderr
    assert ended.returncode == 0


async def test_workers_that_stop_take_no_more_calls_and_finish_those_that_run(tmp_path: Path) -> None:
    arrived, go_on = anyio.Event(), anyio.Event()

    async def answer(connection: Connection) -> None:
        arrived.set()
        await go_on.wait()
        await connection.send(head("content-length: 2", "content-type: application/json"), b"{}")

    async with listening(answer) as port, httpx.AsyncClient(timeout=DEADLINE, trust_env=False) as caller:
        with two_workers(tmp_path, f"--base-uri=together-ai-batches=http://127.0.0.1:{port}") as served:
            call = asyncio.create_task(caller.get(f"{served.rest}/v1/batches"))
            await arrived.wait()
            served.process.terminate()
            await anyio.to_thread.run_sync(eventually, lambda: not is_open(served.rest_port))
            go_on.set()
            response = await call
            code = await anyio.to_thread.run_sync(lambda: served.process.wait(DEADLINE))

    assert (response.status_code, response.json(), code) == (200, {}, 0)


@contextmanager
def only(worker: int, served: Served) -> Iterator[None]:
    """While this lasts no other worker does anything."""
    others = children(served.process.pid) - {worker}
    for other in others:
        os.kill(other, signal.SIGSTOP)
        eventually(lambda other=other: state(other) == "T")  # type: ignore[misc]
    yield
    for other in others:
        os.kill(other, signal.SIGCONT)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0]


def test_every_worker_answers_on_both_ports_and_the_log_tells_which(tmp_path: Path) -> None:
    with two_workers(tmp_path, "--access-log") as served:
        workers = children(served.process.pid)
        for worker in workers:
            with only(worker, served):
                for base in (served.rest, served.mcp):
                    nothing = httpx.get(f"{base}/by/{worker}?x=1", trust_env=False, timeout=DEADLINE)
                    assert nothing.status_code == 404
        ended = served.stop()

    for worker in workers:
        lines = [line for line in ended.stderr.splitlines() if f"/by/{worker} " in line]
        assert [f"[{worker}]" in line for line in lines] == [True, True]


def test_what_an_agent_begins_with_one_worker_it_goes_on_with_at_another(tmp_path: Path) -> None:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}}
    with two_workers(tmp_path) as served:
        first, second = children(served.process.pid)
        with only(first, served):
            begun = asked(served, "initialize", params)
        with only(second, served):
            listed = asked(served, "tools/list", {})

    assert begun["serverInfo"]["name"] == "together-ai-batches-mcp"
    assert len(listed["tools"]) == 4


def asked(served: Served, method: str, params: dict[str, Any]) -> Any:
    """The result of a request on a connection of its own."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    answer = httpx.post(f"{served.mcp}/mcp", json=message, headers=accept, trust_env=False, timeout=DEADLINE)
    return answer.json()["result"]


def test_a_worker_that_dies_once_more_before_it_answers_does_not_end_the_others(tmp_path: Path) -> None:
    with two_workers(tmp_path) as served:
        killed, kept = children(served.process.pid)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(children(served.process.pid) - {killed}) == 2)
        (again,) = children(served.process.pid) - {kept}
        os.kill(again, signal.SIGKILL)
        eventually(lambda: len(children(served.process.pid) - {again}) == 2)
        eventually(lambda: is_ready(served))
        assert kept in children(served.process.pid)
        assert served.stop().returncode == 0


def test_a_worker_that_hangs_is_killed_when_its_time_to_stop_is_over(tmp_path: Path) -> None:
    with two_workers(tmp_path, "--grace", "0.1") as served:
        workers = children(served.process.pid)
        os.kill(min(workers), signal.SIGSTOP)
        ended = served.stop()

    assert ended.returncode == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with two_workers(tmp_path) as served:
        workers = children(served.process.pid)
        served.process.kill()
        eventually(lambda: not any(Path(f"/proc/{worker}/exe").exists() for worker in workers))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ca-file", "{folder}/no.pem"], "holds no PEM certificates"),
        (["--sandbox"], "--sandbox keeps what callers create in one process; leave out --workers"),
    ],
)
def test_what_cannot_start_is_told_once_and_ends_at_once(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    given = [argument.format(folder=tmp_path) for argument in arguments]

    ports = ["--rest-port", str(free_port()), "--mcp-port", str(free_port())]
    ended = run("serve", "--workers", "2", *ports, *given, BATCHES, cwd=tmp_path, environ=KEY)

    errors = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    assert (ended.returncode, ended.stdout, len(errors)) == (1, "", 1)
    assert told in errors[0]
