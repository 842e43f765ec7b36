"""Servers as processes: started on given CPUs, waited for until they answer, and ended."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE = 30.0
ALLOCATOR: Mapping[str, str] = {"MALLOC_MMAP_THRESHOLD_": "16777216", "MALLOC_TRIM_THRESHOLD_": "67108864"}
"""Every server gets these, so that none wins by how the C library returns memory."""


@dataclass(frozen=True)
class Command:
    """How a server is started, and where it then answers. `mcp` is the path of its MCP endpoint."""

    argv: tuple[str, ...]
    port: int
    mcp_port: int | None = None
    mcp: str = "/mcp"
    ready: str = "/v1/small"
    environ: Mapping[str, str] = field(default_factory=dict)

    def places(self) -> Iterator[tuple[int, str]]:
        """All that has to answer before the server counts as started."""
        yield self.port, self.ready
        if self.mcp_port and self.mcp_port != self.port:
            yield self.mcp_port, self.mcp


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    command: Command


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Command, cpus: Collection[int], log: Path, environ: Mapping[str, str] = ALLOCATOR
) -> Iterator[Server]:
    """The server, answering; it is ended on leaving. What it prints goes to the log."""
    pinned = ("taskset", "--cpu-list", ",".join(map(str, cpus)), *command.argv)
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned, env={**_environ(), **environ, **command.environ}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        for port, path in command.places():
            _wait_for(process, port, path, log)
        yield Server(process.pid, command)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    end = time.monotonic() + DEADLINE
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(
                f"{process.args!r} does not answer on port {port}:\n{log.read_text(errors='replace')[-4000:]}"
            )
        time.sleep(0.005)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _environ() -> dict[str, str]:
    """Our own environment without proxies and without settings of Fairlead."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FAIRLEAD_") and not name.lower().endswith("_proxy")
    }
