"""Who is measured: how each is started. One line here and a module each; all serve the same paths.

`/v1/small` and `/v1/large` pass an answer of 1 KB and 1 MB on, `/v1/mapped/...` map it, `/v1/download`, `/v1/slow`,
`/v1/events` and `/v1/upload` are what they say; `/v1/units/...` are the operations of a generated folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers import fairlead, fastmcp, naive, nginx
from benchmarks.peers.site import Site
from benchmarks.processes import Command

KINDS: dict[str, tuple[str, Callable[[Site, int], Command]]] = {
    "fairlead": ("Fairlead", fairlead.measured),
    "units": ("Fairlead", fairlead.units),
    "nginx": ("nginx, reverse proxy", nginx.proxy),
    "naive": ("FastAPI + httpx + jsonpath-ng", naive.plain),
    "naive-tuned": ("FastAPI + httpx + jsonpath-ng, tuned", naive.tuned),
    "fastmcp": ("FastMCP.from_openapi", fastmcp.command),
    "static": ("the upstream itself", nginx.static),
    "live": ("the upstream itself", nginx.live),
}


@dataclass(frozen=True)
class Peer:
    """A server under test; where it serves a generated folder, of so many operations. `note` tells rows apart."""

    kind: str
    operations: int = 4
    note: str = ""

    @property
    def label(self) -> str:
        name = KINDS[self.kind][0]
        return f"{name}, {self.note}" if self.note else name

    def command(self, site: Site) -> Command:
        return KINDS[self.kind][1](site, self.operations)
