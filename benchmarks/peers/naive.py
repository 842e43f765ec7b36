"""The gateway that one writes in an hour: FastAPI, one httpx client, jsonpath-ng on each request."""

from __future__ import annotations

from benchmarks.peers.site import APPS, ENVIRONMENTS, Site
from benchmarks.processes import Command, free_port


def plain(site: Site, operations: int) -> Command:
    """On uvicorn as pip installs it, with endpoints that return what they have."""
    return _command("plain", "undeclared", site, operations)


def tuned(site: Site, operations: int) -> Command:
    """With uvicorn's faster parts, no imports that fail in httpcore on each request, and declared responses."""
    return _command("tuned", "declared", site, operations)


def _command(environment: str, responses: str, site: Site, operations: int) -> Command:
    port = free_port()
    program = ENVIRONMENTS / environment / "bin" / "uvicorn"
    app = ("--app-dir", str(APPS), "naive_app:app")
    quiet = ("--no-access-log", "--log-level", "warning")
    return Command(
        (str(program), *app, "--port", str(port), *quiet),
        port,
        environ={
            "STATIC": f"http://127.0.0.1:{site.static}",
            "LIVE": f"http://127.0.0.1:{site.live}",
            "OPERATIONS": str(operations),
            "RESPONSES": responses,
        },
    )
