"""FastMCP.from_openapi as a server, run by uvicorn in an environment of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx2
from fastmcp import FastMCP


def app() -> Any:
    client = httpx2.AsyncClient(base_url=os.environ["STATIC"])
    described = json.loads(Path(os.environ["OPENAPI"]).read_text(encoding="utf-8"))
    server = FastMCP.from_openapi(described, client=client)
    return server.http_app(path="/mcp", stateless_http=True, json_response=True)
