"""What every listener answers besides its routes and tools: health, and for REST the description of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from fairlead.errors import CallError, MethodNotAllowed, NotFound

LIVE = "/health/live"
READY = "/health/ready"
HEALTH = frozenset({LIVE, READY})
LISTS = frozenset({"/docs", "/openapi.json"})
SKILLS = "/skills"
"""Where skills are, and all below."""
ASSETS = "/static-offline-docs/"
"""Where the scripts and styles of `/docs` are, which tell nothing of what is served."""

Ready = Callable[[], Awaitable[dict[str, bool]]]
"""Asks every listener a real request; answers by its port whether it was answered."""


def pages(ready: Ready, openapi: dict[str, Any] | None = None, adapters: Sequence[Mapping[str, Any]] = ()) -> FastAPI:
    """The pages of a listener; `/openapi.json` and `/docs` where it has a description.

    Where a control adapter is, `/health/ready` also tells of the document's `adapters`.
    """
    app = _documented(openapi) if openapi else FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get(LIVE, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "UP"}

    @app.get(READY, include_in_schema=False)
    async def is_ready() -> Response:
        answered = await ready()
        is_up = all(answered.values())
        told = [{**one, "state": _state(answered.get(str(one["port"]), True))} for one in adapters]
        status = {"status": "UP" if is_up else "DEGRADED", "listeners": answered}
        return JSONResponse({**status, "adapters": told} if told else status, 200 if is_up else 503)

    app.add_exception_handler(HTTPException, _as_problem)
    return app


def _state(is_up: bool) -> str:
    return "started" if is_up else "stopped"


def _documented(openapi: dict[str, Any]) -> FastAPI:
    app = FastAPIOffline(title="Fairlead", redoc_url=None)
    app.openapi = lambda: openapi  # type: ignore[method-assign]
    return app


async def _as_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = _problem(request, error)
    headers = dict((*problem.headers, *(error.headers or {}).items()))
    return JSONResponse(problem.problem(), problem.status, headers, "application/problem+json")


def _problem(request: Request, error: HTTPException) -> CallError:
    if error.status_code == 405:
        return MethodNotAllowed(f"method {request.method} is not allowed here")
    return NotFound(f"nothing is served at {request.url.path!r}")
