"""Requests at full speed, by wrk, and the proof that they were answered rightly."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template

from benchmarks.lab import Lab
from benchmarks.measure import cpu_seconds, forget_peak, peak_mb
from benchmarks.peers import Peer
from benchmarks.processes import Server

Sample = dict[str, float]
"""Measured figures by the name of their column; the first is what peers are compared by."""


class WrongAnswer(Exception):
    """A server did not answer as it should; what was measured means nothing."""


@dataclass(frozen=True)
class Request:
    """One request, sent over and over; `check` says how many units of work its answer is worth, or raises."""

    path: str
    check: Callable[[bytes], int]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    mcp: bool = False


@dataclass(frozen=True)
class Requests:
    """Load by wrk over so many connections; `factor` makes samples of slow answers longer."""

    request: Callable[[Peer], Request]
    connections: int = 32
    unit: str = "request"
    factor: int = 1

    def sample(self, lab: Lab, peer: Peer) -> Sample:
        server, request = lab.server(peer), self.request(peer)
        script = lab.site.folder / "wrk.lua"
        script.write_text(_script(request), encoding="utf-8")
        ask(server, request)  # warms it up, too
        units, size = ask(server, request)
        url = f"http://127.0.0.1:{_port(server, request)}{request.path}"
        forget_peak(server.pid)
        before = cpu_seconds(server.pid)
        result = self._wrk(str(script), url, lab.pace.seconds * self.factor)
        used = cpu_seconds(server.pid) - before
        verify(result, size, self.connections)
        ask(server, request)
        return {
            f"CPU µs/{self.unit}": used * 1e6 / (result["requests"] * units),
            f"{self.unit}s/s": result["requests"] * units / (result["microseconds"] / 1e6),
            "p50 ms": result["p50"] / 1000,
            "p99 ms": result["p99"] / 1000,
            "peak RSS MB": peak_mb(server.pid),
        }

    def _wrk(self, script: str, url: str, seconds: int) -> dict[str, float]:
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "60s", "-s", script, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 120)
        result: dict[str, float] = json.loads(done.stdout.rpartition("RESULT ")[2])
        return result


def verify(result: Mapping[str, float], size: int, connections: int) -> None:
    """No errors, and no answer that was shorter or longer than the one whose body was looked at.

    wrk also counts the bytes of answers that were under way when time was up, at most one for each connection.
    """
    if result["errors"]:
        raise WrongAnswer(f"{result['errors']:.0f} of {result['requests']:.0f} requests failed")
    if not result["requests"]:
        raise WrongAnswer("no request was answered in time")
    expected = size * result["requests"]
    if not expected * 0.99 - 64 <= result["bytes"] <= expected * 1.01 + size * connections:
        raise WrongAnswer(f"answers have {result['bytes'] / result['requests']:.0f} bytes instead of {size}")


def ask(server: Server, request: Request) -> tuple[int, int]:
    """Sends the request once and looks at the answer: what it is worth, and its size with its headers."""
    connection = http.client.HTTPConnection("127.0.0.1", _port(server, request), timeout=60)
    try:
        connection.request(request.method, request.path, request.body or None, dict(request.headers))
        response = connection.getresponse()
        body = response.read()
        head = sum(len(name) + len(value) + 4 for name, value in response.getheaders())
        if response.status != 200:
            raise WrongAnswer(f"{request.method} {request.path} answers {response.status}: {body[:500]!r}")
        return request.check(body), len("HTTP/1.1 200 OK\r\n\r\n") + head + len(body)
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        raise WrongAnswer(f"{request.method} {request.path} is not answered as it should: {error!r}") from error
    finally:
        connection.close()


def same(expected: object) -> Callable[[bytes], int]:
    """A check that the answer is this JSON value."""

    def check(body: bytes) -> int:
        if json.loads(body) != expected:
            raise WrongAnswer(f"the answer is not what was expected: {body[:500]!r}")
        return 1

    return check


def _port(server: Server, request: Request) -> int:
    return server.command.mcp_port if request.mcp and server.command.mcp_port else server.command.port


def _script(request: Request) -> str:
    headers = "".join(
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(text)}\n" for name, text in request.headers.items()
    )
    body = f"wrk.body = [==[{request.body}]==]\n" if request.body else ""
    return _LUA.substitute(method=request.method, headers=headers, body=body)


_LUA = Template("""\
wrk.method = "$method"
$headers$body
function done(summary, latency, requests)
   local errors = 0
   for _, count in pairs(summary.errors) do errors = errors + count end
   io.write(string.format(
      'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "errors": %d, "p50": %d, "p99": %d}\\n',
      summary.requests, summary.duration, summary.bytes, errors, latency:percentile(50), latency:percentile(99)))
end
""")
