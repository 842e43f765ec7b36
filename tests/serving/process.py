"""Real `fairlead` processes on free ports of this machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

FAIRLEAD = Path(sys.executable).with_name("fairlead")
DEADLINE = 15.0
_OWN = re.compile(r"FAIRLEAD_.*|.*_API_KEY|.*_proxy", re.IGNORECASE)


def clean_environ(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without anything that would change what is tested."""
    kept = {name: value for name, value in os.environ.items() if not _OWN.fullmatch(name)}
    return {**kept, **(extra or {})}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def run(
    *arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [FAIRLEAD, *map(str, arguments)],
        cwd=cwd,
        env=clean_environ(environ),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def eventually(condition: Callable[[], bool]) -> None:
    """Asks until it is so, as fast as the question can be answered."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        os.sched_yield()


@dataclass
class Served:
    """A process that serves; `said` is its banner."""

    process: subprocess.Popen[str]
    rest_port: int
    mcp_port: int
    said: list[str] = field(default_factory=list)

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def mcp(self) -> str:
        return f"http://127.0.0.1:{self.mcp_port}"

    def hear(self, text: str, times: int = 1) -> None:
        """Waits until it has logged that so often."""
        assert self.process.stderr
        watch = threading.Timer(DEADLINE, self.process.kill)
        watch.start()
        try:
            heard = (line for line in self.process.stderr if text in line)
            assert len(list(islice(heard, times))) == times, f"it never said {text!r}"
        finally:
            watch.cancel()

    def stop(self) -> subprocess.CompletedProcess[str]:
        """Ends it gently; the exit code and all that it still said."""
        self.process.terminate()
        output, errors = self.process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess([], self.process.returncode, output, errors)


@contextmanager
def serving(*arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`fairlead serve` with these arguments, up and answering; it is ended on leaving at the latest."""
    rest_port, mcp_port = free_port(), free_port()
    ports = ["--rest-port", str(rest_port), "--mcp-port", str(mcp_port)]
    process = subprocess.Popen(
        [FAIRLEAD, "serve", *ports, *map(str, arguments)],
        cwd=cwd,
        env=clean_environ(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    served = Served(process, rest_port, mcp_port)
    watch = threading.Timer(DEADLINE, process.kill)
    with process:
        try:
            watch.start()
            for line in process.stdout:
                served.said.append(line.rstrip("\n"))
                if line.startswith("try"):
                    break
            else:
                raise AssertionError(process.communicate(timeout=DEADLINE)[1])
            watch.cancel()
            yield served
        finally:
            watch.cancel()
            if process.poll() is None:
                process.kill()
