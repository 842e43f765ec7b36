"""The bench itself: the upstreams, and every server under test, each started when a case first asks for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.measure import split_cpus
from benchmarks.peers import Peer
from benchmarks.peers.site import Site
from benchmarks.processes import Server, free_port, running


@dataclass(frozen=True)
class Pace:
    """How thoroughly: seconds of load for one sample, samples of each peer, and the share of fixed amounts of work."""

    seconds: int
    samples: int
    share: float


UPSTREAMS = (Peer("static"), Peer("live"))
QUICK = Pace(seconds=1, samples=1, share=0.2)
FULL = Pace(seconds=2, samples=6, share=1.0)


@dataclass
class Lab:
    """Servers under test have one CPU for themselves; this process, its load and the upstreams have the others."""

    site: Site
    pace: Pace
    server_cpus: set[int]
    _stack: ExitStack
    _servers: dict[Peer, Server] = field(default_factory=dict)

    def server(self, peer: Peer) -> Server:
        """The running server of a peer."""
        plain = replace(peer, note="")  # rows of one server differ in what is asked of it
        if plain not in self._servers:
            self._servers[plain] = self._stack.enter_context(self.started(plain))
        return self._servers[plain]

    def started(self, peer: Peer) -> AbstractContextManager[Server]:
        """A server of its own that has done nothing yet, ended on leaving; the upstreams are always the same."""
        if peer in UPSTREAMS:
            return nullcontext(self.server(peer))
        return running(peer.command(self.site), self.server_cpus, self.log(peer))

    def log(self, peer: Peer) -> Path:
        return self.site.folder / f"{peer.kind}-{peer.operations}.log"


@contextmanager
def lab(pace: Pace) -> Iterator[Lab]:
    """Both upstreams up; everything is ended on leaving."""
    server_cpus, other_cpus = split_cpus()
    os.sched_setaffinity(0, other_cpus)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fairlead-benchmarks-"))
        one = Lab(Site(Path(folder), free_port(), free_port()), pace, server_cpus, stack)
        for peer in UPSTREAMS:
            started = running(peer.command(one.site), other_cpus, one.log(peer))
            one._servers[peer] = stack.enter_context(started)
        yield one
