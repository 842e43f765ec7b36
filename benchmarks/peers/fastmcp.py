"""FastMCP.from_openapi over the static upstream, with the operations of a generated folder."""

from __future__ import annotations

import json

from benchmarks.folder import openapi
from benchmarks.peers.site import APPS, ENVIRONMENTS, Site
from benchmarks.processes import Command, free_port


def command(site: Site, operations: int) -> Command:
    """Stateless and answering JSON, as Fairlead does, on uvloop and httptools."""
    described = site.folder / f"openapi-{operations}.json"
    described.write_text(json.dumps(openapi(operations)), encoding="utf-8")
    port = free_port()
    program = ENVIRONMENTS / "tuned" / "bin" / "uvicorn"
    app = ("--app-dir", str(APPS), "--factory", "fastmcp_app:app")
    quiet = ("--no-access-log", "--log-level", "warning")
    return Command(
        (str(program), *app, "--port", str(port), *quiet),
        port,
        mcp_port=port,
        ready="/mcp",
        environ={"STATIC": f"http://127.0.0.1:{site.static}", "OPENAPI": str(described)},
    )
