"""Event streams, uploads and downloads as loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median, quantiles

import uvloop

from benchmarks.answers import DOWNLOAD_BYTES, INTERVAL, documents, encoded
from benchmarks.client import Events, Reader, Received, Size, all_at_once, get, post
from benchmarks.lab import Lab
from benchmarks.load import Sample
from benchmarks.measure import cpu_seconds, forget_peak, peak_mb, resident_mb
from benchmarks.peers import Peer
from benchmarks.processes import Server

MB = 1_000_000


@dataclass(frozen=True)
class Streams:
    """So many event streams at once, each of so many seconds."""

    streams: int = 50
    seconds: float = 5.0

    def sample(self, lab: Lab, peer: Peer) -> Sample:
        count = max(50, round(self.seconds * lab.pace.share / INTERVAL))
        delays: list[float] = []
        request = get(f"/v1/events?count={count}")
        cost = _measured(lab.server(peer), request, [Events(count, delays) for _ in range(self.streams)])
        return {
            "CPU µs/event": cost.cpu * 1e6 / len(delays),
            "events/s": len(delays) / cost.seconds,
            "p50 ms": median(delays),
            "p99 ms": quantiles(delays, n=100)[98],
            "peak RSS MB": cost.peak,
        }


@dataclass(frozen=True)
class Uploads:
    """JSON documents of so many bytes, sent at once to a fresh server."""

    size: int
    uploads: int

    def sample(self, lab: Lab, peer: Peer) -> Sample:
        body = _document(self.size)
        with lab.started(peer) as server:
            cost = _measured(server, post("/v1/upload", body), [Received(len(body)) for _ in range(self.uploads)])
        return cost.moving(len(body) * self.uploads)


@dataclass(frozen=True)
class Downloads:
    """So many files of 100 MB, all at once from a fresh server."""

    downloads: int = 50

    def sample(self, lab: Lab, peer: Peer) -> Sample:
        downloads = round(self.downloads * lab.pace.share)
        with lab.started(peer) as server:
            cost = _measured(server, get("/v1/download"), [Size(DOWNLOAD_BYTES) for _ in range(downloads)])
        return cost.moving(DOWNLOAD_BYTES * downloads)


@dataclass(frozen=True)
class Cost:
    """What a server needed: CPU seconds, seconds of the clock, and memory in MB before and at most."""

    cpu: float
    seconds: float
    before: float
    peak: float

    def moving(self, size: int) -> Sample:
        """The figures for so many bytes."""
        return {
            "CPU ms/MB": self.cpu * 1e3 / (size / MB),
            "MB/s": size / MB / self.seconds,
            "RSS before MB": self.before,
            "peak RSS MB": self.peak,
        }


def _measured(server: Server, request: bytes, readers: Sequence[Reader]) -> Cost:
    forget_peak(server.pid)
    before, cpu = resident_mb(server.pid), cpu_seconds(server.pid)
    seconds = uvloop.run(all_at_once(server.command.port, request, readers))
    return Cost(cpu_seconds(server.pid) - cpu, seconds, before, peak_mb(server.pid))


@cache
def _document(size: int) -> bytes:
    return encoded(documents(size))
