"""What every test here builds: a recording upstream, and the runtime in front of it, in one process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Scope

from fairlead.document import Document
from fairlead.listeners import arrange
from fairlead.load import load, loads
from fairlead.runtime import build
from fairlead.settings import Settings
from fairlead.tracing import Tracing
from fairlead.upstream import connect
from fairlead.wiring import Wiring

CAPABILITIES = Path(__file__).parents[2] / "capabilities"
THREE_FILES = tuple(sorted(CAPABILITIES.glob("*.yaml")))
BATCHES = CAPABILITIES / "together-ai-batches.yaml"
FINE_TUNING = CAPABILITIES / "together-ai-fine-tuning.yaml"
KEYS = {"TOGETHER_AI_API_KEY": SecretStr("together-secret"), "GROQ_API_KEY": SecretStr("groq-secret")}
JSON = ("content-type", "application/json")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sent:
    """A request as the upstream got it: nothing decoded, header names in lower case."""

    method: str
    url: str
    headers: Pairs = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """All values of that header, or None where it was not sent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


@dataclass(frozen=True)
class Reply:
    """What the upstream answers; a body in chunks is sent as it comes."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b"{}"
    headers: Pairs = (JSON,)

    async def chunks(self) -> AsyncIterator[bytes]:
        if isinstance(self.body, bytes):
            yield self.body
        else:
            async for chunk in self.body:
                yield chunk


class _Chunks(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._reply.chunks():
            yield chunk


@dataclass
class Upstream:
    """Notes every request and answers each with the same reply, or with what a function makes of it."""

    answer: Reply | Callable[[Sent], Reply] = Reply()
    got: list[Sent] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = tuple((key.decode().lower(), value.decode("latin-1")) for key, value in request.headers.raw)
        url = f"{request.url.scheme}://{request.url.netloc.decode()}{request.url.raw_path.decode()}"
        self.got.append(Sent(request.method, url, headers, request.content))
        reply = self.answer(self.got[-1]) if callable(self.answer) else self.answer
        raw = [(key.encode(), value.encode("latin-1")) for key, value in reply.headers]
        return httpx.Response(reply.status, headers=raw, stream=_Chunks(reply))

    @property
    def only(self) -> Sent:
        (sent,) = self.got
        return sent


@dataclass(frozen=True)
class World:
    """A runtime with its listeners, and clients to them."""

    apps: Mapping[int, ASGIApp]
    rest: httpx.AsyncClient
    mcp: httpx.AsyncClient

    async def rpc(self, method: str, params: Mapping[str, Any], revision: str = "2025-11-25", at: str = "/mcp") -> Any:
        """The body of the answer to one JSON-RPC request."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": revision}
        return (await self.mcp.post(at, json=call, headers=headers)).json()

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None, revision: str = "2025-11-25") -> Any:
        """The `result` of one call of a tool."""
        answer = await self.rpc("tools/call", {"name": tool, "arguments": arguments or {}}, revision)
        return answer["result"]

    @asynccontextmanager
    async def client(self, mode: str = "2026-07-28", at: str = "/mcp") -> AsyncIterator[Client]:
        """The SDK's own client."""
        transport = httpx2.ASGITransport(self.apps[9090])
        async with (
            httpx2.AsyncClient(transport=transport) as http,
            Client(streamable_http_client(f"http://localhost:9090{at}", http_client=http), mode=mode) as client,
        ):
            yield client


@asynccontextmanager
async def world(
    *sources: Path | str | Document,
    upstream: Callable[[httpx.Request], httpx.Response] | httpx.AsyncBaseTransport | None = None,
    environ: Mapping[str, SecretStr] = KEYS,
    settings: Settings | None = None,
    tracing: Tracing | None = None,
) -> AsyncIterator[World]:
    """The runtime of documents (paths, or YAML texts); without an upstream it has the real network."""
    settings = settings or Settings()
    documents = [source if isinstance(source, Document) else document(source) for source in sources]
    listeners, _ = arrange(documents, settings)
    transport = httpx.MockTransport(upstream) if callable(upstream) else upstream
    async with AsyncExitStack() as stack:
        connected = await stack.enter_async_context(connect(settings.limits, settings.ca_file, transport))
        served = build(listeners, Wiring(connected, environ, settings.base_uris, tracing=tracing), settings, _ready)
        for one in served:
            await stack.enter_async_context(one.running())
        apps = {one.port: one.app for one in served}
        rest = await stack.enter_async_context(_client(apps, 8080))
        mcp = await stack.enter_async_context(_client(apps, 9090))
        yield World(apps, rest, mcp)


@cache
def document(source: Path | str) -> Document:
    """The document; loaded once, as documents never change."""
    return load(source) if isinstance(source, Path) else loads(source, "some.yaml")


async def _ready() -> dict[str, bool]:
    return {"8080": True}


def _client(apps: Mapping[int, ASGIApp], port: int) -> httpx.AsyncClient:
    app = apps.get(port, next(iter(apps.values())))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://localhost:{port}")


@dataclass
class Exchange:
    """One request driven by hand, for what a client library would tidy up: raw paths, headers, single chunks."""

    app: ASGIApp
    target: bytes
    method: str = "GET"
    headers: Pairs = ()
    body: bytes = b""
    host: str | None = "localhost"
    sent: list[Message] = field(default_factory=list)

    async def run(self) -> Exchange:
        path, _, query = self.target.partition(b"?")
        pairs = self.headers if self.host is None else (("host", self.host), *self.headers)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
        scope: Scope = {"type": "http", "method": self.method, "scheme": "http", "http_version": "1.1", "root_path": ""}
        scope.update(path=unquote(path.decode("ascii")), raw_path=path, query_string=query, headers=headers)
        await self.app(scope, self._receive(), self._send)
        return self

    def _receive(self) -> Callable[[], Awaitable[Message]]:
        messages = iter([{"type": "http.request", "body": self.body, "more_body": False}])

        async def receive() -> Message:
            if message := next(messages, None):
                return message
            await anyio.Event().wait()  # the caller stays
            raise AssertionError

        return receive

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status = self.sent[0]["status"]
        assert isinstance(status, int)
        return status

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def problem(self) -> Any:
        return json.loads(self.text)
