"""How long a server takes until it answers, and how much memory it then has."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.lab import Lab
from benchmarks.load import Sample
from benchmarks.measure import cpu_seconds, resident_mb
from benchmarks.peers import Peer


@dataclass(frozen=True)
class StartUp:
    """From starting the process until all its ports have answered a request."""

    def sample(self, lab: Lab, peer: Peer) -> Sample:
        _ = peer.command(lab.site)  # generates its folder, if need be
        start = time.monotonic()
        with lab.started(peer) as server:
            seconds = time.monotonic() - start
            return {"CPU s": cpu_seconds(server.pid), "seconds": seconds, "RSS MB": resident_mb(server.pid)}
