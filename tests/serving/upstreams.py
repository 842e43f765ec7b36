"""The gateway in this process before an upstream on a real socket, and what it then says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from fairlead.settings import Settings
from fairlead.upstream import Limits
from serving.sockets import Answer, listening
from serving.world import BATCHES, World, world

SHORT = Limits(connect=0.3, read=0.3, total=0.6, connections=1, body=1000)
LONG = Limits(connections=1, body=1000)
"""For all that is not about time, so that a busy machine changes nothing."""


@asynccontextmanager
async def before(answer: Answer, limits: Limits = LONG) -> AsyncIterator[World]:
    """The gateway before an upstream that answers so."""
    async with listening(answer) as port, world(BATCHES, settings=at(f"http://127.0.0.1:{port}", limits)) as one:
        with anyio.fail_after(10):
            yield one


def at(base: str, limits: Limits = LONG, ca_file: Path | None = None) -> Settings:
    return Settings(base_uris={"together-ai-batches": f"{base}/v1"}, limits=limits, ca_file=ca_file)


async def both(one: World) -> list[Any]:
    """The problem that a REST caller and an agent get, which is the same."""
    response = await one.rest.get("/v1/batches")
    result = await one.call("list-batch-jobs")
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, result["isError"]) == (response.json()["status"], True)
    return [response.json(), result["structuredContent"]]


def problem(status: int, title: str, code: str, detail: str) -> dict[str, Any]:
    return {"type": f"urn:fairlead:problem:{code}", "title": title, "status": status, "detail": detail}
