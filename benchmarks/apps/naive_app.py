"""The naive gateway as a server, run by uvicorn in an environment of its own.

What an endpoint returns is made JSON in Python where its response is not declared, as in the first examples that
FastAPI shows, and by pydantic, several times as fast, where it is.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from jsonpath_ng.parser import parse

app = FastAPI()
RESPONSE = Any if os.environ["RESPONSES"] == "declared" else None
get, post = partial(app.get, response_model=RESPONSE), partial(app.post, response_model=RESPONSE)
static = httpx.AsyncClient(base_url=os.environ["STATIC"])
live = httpx.AsyncClient(base_url=os.environ["LIVE"])
BATCH = {"batch": parse("$.id"), "state": parse("$.status"), "done": parse("$.request_counts.completed")}


@get("/v1/small")
async def small() -> Any:
    return (await static.get("/v1/small")).json()


@get("/v1/large")
async def large() -> Any:
    return (await static.get("/v1/large")).json()


@get("/v1/mapped/small")
async def mapped_small() -> Any:
    response = await static.get("/v1/small")
    return parse("$.data").find(response.json())[0].value


@get("/v1/mapped/large")
async def mapped_large() -> Any:
    response = await static.get("/v1/large")
    return [match.value for match in parse("$.data[*].id").find(response.json())]


@get("/v1/listed/large")
async def listed_large() -> Any:
    response = await static.get("/v1/large")
    return [
        {name: path.find(match.value)[0].value for name, path in BATCH.items()}
        for match in parse("$.data[*]").find(response.json())
    ]


@get("/v1/slow")
async def slow() -> Any:
    return (await live.get("/v1/slow")).json()


@post("/v1/upload")
async def upload(request: Request) -> Any:
    return (await live.post("/v1/upload", json=await request.json(), timeout=60)).json()


@app.get("/v1/download")
async def download() -> StreamingResponse:
    return StreamingResponse(relayed(static, "/v1/download"), media_type="application/octet-stream")


@app.get("/v1/events")
async def events(count: int) -> StreamingResponse:
    return StreamingResponse(relayed(live, f"/v1/events?count={count}"), media_type="text/event-stream")


async def relayed(client: httpx.AsyncClient, path: str) -> AsyncIterator[bytes]:
    async with client.stream("GET", path) as response:
        async for chunk in response.aiter_raw():
            yield chunk


def add_unit(unit: str, count: int) -> None:
    """The first operations of the four of one unit."""
    batches = f"/v1/units/{unit}/batches"

    async def list_all() -> Any:
        return (await static.get(batches)).json()

    async def create(body: dict[str, Any]) -> Any:
        return (await static.post(batches, json=body)).json()

    async def get_one(id: str) -> Any:  # noqa: A002
        return (await static.get(f"{batches}/{id}")).json()

    async def cancel(id: str) -> Any:  # noqa: A002
        return (await static.post(f"{batches}/{id}/cancel")).json()

    added: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (get(batches), list_all),
        (post(batches), create),
        (get(f"{batches}/{{id}}"), get_one),
        (post(f"{batches}/{{id}}/cancel"), cancel),
    ]
    for add, endpoint in added[:count]:
        add(endpoint)


OPERATIONS = int(os.environ["OPERATIONS"])
for first in range(0, OPERATIONS, 4):
    add_unit(f"{first // 4:04}", OPERATIONS - first)
