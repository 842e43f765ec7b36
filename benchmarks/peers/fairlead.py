"""Fairlead: before the two upstreams with `measured.yaml`, or before the static one with a generated folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.folder import KEY, UPSTREAM, generate
from benchmarks.peers.site import Site
from benchmarks.processes import Command, free_port

FILE = Path(__file__).with_name("measured.yaml")
BODY = 256 * 1024 * 1024
"""As much as the largest case sends or maps; the default is smaller."""


def measured(site: Site, operations: int) -> Command:
    """The paths that all peers serve."""
    bases = [f"static=http://127.0.0.1:{site.static}/v1", f"live=http://127.0.0.1:{site.live}/v1"]
    command = _serve(FILE, *(argument for base in bases for argument in ("--base-uri", base)), site=site)
    return replace(command, mcp_port=None)  # the file exposes no tools


def units(site: Site, operations: int) -> Command:
    """A generated folder of so many operations."""
    return _serve(generate(site.folder / f"units-{operations}", operations), site=site)


def _serve(source: Path, *arguments: str, site: Site) -> Command:
    rest, mcp = free_port(), free_port()
    ports = ("--rest-port", str(rest), "--mcp-port", str(mcp))
    limits = ("--max-connections", "4000", "--max-request-body", str(BODY), "--max-response-body", str(BODY))
    program = Path(sys.executable).with_name("fairlead")
    return Command(
        (str(program), "serve", *ports, *limits, *arguments, str(source)),
        port=rest,
        mcp_port=mcp,
        environ={KEY: "benchmark", UPSTREAM: f"127.0.0.1:{site.static}"},
    )
