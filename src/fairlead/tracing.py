"""Traces by OpenTelemetry: spans of requests, the operations behind them, their steps, and requests to upstreams.

    observability:
      traces: {sampling: 0.1, local: {buffer-size: 100}}
      exporters: {otlp: {endpoint: 'http://collector:4318'}}

Only what is traced is wrapped, and this module is imported only then: its packages are the extra `otel`. Spans hold no
queries, headers, bodies and no paths of upstreams, any of which may hold a secret.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from anyio import move_on_after
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import CallError
from fairlead.operation import NOTHING, Forwarded, Operation
from fairlead.response import Arguments, Result
from fairlead.trace_buffer import TraceBuffer
from fairlead.upstream import Request, Upstream

T = TypeVar("T")
_SECONDS: Final = 2.0
"""How long the last spans may take to be exported when all ends."""
_PATH: Final = "/v1/traces"
_METHODS: Final = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
_CONTEXT: Final = ("traceparent", "tracestate")
_NAMES: Final = frozenset(name.encode() for name in _CONTEXT)
_REQUEST: ContextVar[tuple[Span, str] | None] = ContextVar("request", default=None)
"""The span of the request that is being answered, and its method."""


class Tracing:
    """Makes the spans of this process and hands them to processors."""

    def __init__(
        self, processors: Iterable[SpanProcessor], sampling: float = 1.0, buffer: TraceBuffer | None = None
    ) -> None:
        self.buffer = buffer
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "fairlead"}
        sampler = ParentBased(TraceIdRatioBased(sampling))
        self._provider = TracerProvider(sampler, Resource.create(named), shutdown_on_exit=False)
        for processor in (*processors, *([buffer] if buffer else [])):
            self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("fairlead", __version__)
        self._propagator = TraceContextTextMapPropagator()

    async def close(self) -> None:
        """Exports what is left, unless that takes long."""
        loop, is_done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(is_done.set)

        Thread(target=shut_down, daemon=True).start()
        with move_on_after(_SECONDS, shield=True):
            await is_done.wait()

    def parent(self, headers: Iterable[tuple[bytes, bytes]]) -> Context:
        """The trace of which a caller says that his request is part."""
        carried = {name.decode(): value.decode("latin-1") for name, value in headers if name in _NAMES}
        return self._propagator.extract(carried, Context())

    def passed_on(self, request: Request) -> Request:
        """The request as part of the current trace."""
        carried: dict[str, str] = {}
        self._propagator.inject(carried)
        kept = tuple(pair for pair in request.headers if pair[0] not in _CONTEXT)
        return request._replace(headers=(*kept, *carried.items()))

    def app(self, app: ASGIApp, port: int, besides: frozenset[str]) -> ASGIApp:
        return TracedApp(app, self, port, besides)

    def operation(self, operation: Operation, adapter: str) -> Operation:
        parts = operation.name, operation.description, operation.inputs, operation.run
        return TracedOperation(*parts, operation, self, adapter)

    def upstream(self, upstream: Upstream) -> Upstream:
        return TracedUpstream(upstream, self)

    def step(self, act: Callable[[Arguments, Forwarded], Awaitable[T]], name: str) -> TracedStep[T]:
        return TracedStep(act, self, name)

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, str | int], kind: SpanKind = SpanKind.INTERNAL, **more: Any
    ) -> Iterator[Span]:
        """A span of what happens inside, which is an error where that raises one that is no fault of the caller."""
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False, **more
        ) as span:
            try:
                yield span
            except CallError as error:
                _end(span, error.status, error.code)
                raise
            except BaseException as error:
                _end(span, 0, type(error).__name__)
                raise


def tracing(endpoints: Iterable[str], sampling: float, kept: int) -> Tracing:
    """Traces that go to collectors, by OTLP over HTTP, and of which so many are kept."""
    exporters = (OTLPSpanExporter(f"{one.rstrip('/').removesuffix(_PATH)}{_PATH}") for one in endpoints)
    return Tracing(map(BatchSpanProcessor, exporters), sampling, TraceBuffer(kept) if kept else None)


def _end(span: Span, status: int, kind: str = "") -> None:
    """What came of it; without a status nothing did."""
    if status:
        span.set_attribute("http.response.status_code", status)
    if kind:
        span.set_attribute("error.type", kind)
    if not 0 < status < 500:
        span.set_status(StatusCode.ERROR)


def _method(method: str) -> str:
    """The method, as the conventions of OpenTelemetry have those that nobody knows."""
    return method if method in _METHODS else "_OTHER"


@dataclass(frozen=True, slots=True)
class TracedApp:
    """An application whose requests are traced, until their answer is sent; it does not see whose part they are.

    Paths that are left out, and all below those that end in a slash, are not traced.
    """

    app: ASGIApp
    tracing: Tracing
    port: int
    besides: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._leaves_out(scope["path"]):
            await self.app(scope, receive, send)
            return
        method = _method(scope["method"])
        said = {"http.request.method": method, "url.path": scope["path"], "server.port": self.port}
        parent = self.tracing.parent(scope["headers"])
        with self.tracing.span(method, said, SpanKind.SERVER, context=parent) as span:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _end(span, message["status"])
                await send(message)

            token = _REQUEST.set((span, method))
            try:
                await self.app(_without_context(scope), receive, watched)
            finally:
                _REQUEST.reset(token)

    def _leaves_out(self, path: str) -> bool:
        return path in self.besides or path[: path.rfind("/") + 1] in self.besides


def _without_context(scope: Scope) -> Scope:
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in _NAMES]}


@dataclass(frozen=True)
class TracedOperation(Operation):
    """An operation whose calls are traced, until the head of their answer is there; its request is called by it."""

    operation: Operation
    tracing: Tracing
    adapter: str

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        name = f"{self.adapter}.{self.name}"
        said = {"fairlead.adapter": self.adapter, "fairlead.operation": self.name}
        if request := _REQUEST.get():
            span, method = request
            span.update_name(f"{method} {name}")
        with self.tracing.span(name, said) as span:
            result = await self.operation(arguments, forwarded)
            _end(span, result.status)
            return result


@dataclass(frozen=True, slots=True)
class TracedStep(Generic[T]):
    """A step that is traced."""

    act: Callable[[Arguments, Forwarded], Awaitable[T]]
    tracing: Tracing
    name: str

    async def __call__(self, arguments: Arguments, forwarded: Forwarded) -> T:
        with self.tracing.span(f"step {self.name}", {"fairlead.step": self.name}):
            return await self.act(arguments, forwarded)


class TracedUpstream(Upstream):
    """An upstream whose exchanges are traced, until the head of their answer is there, and told of the trace."""

    def __init__(self, upstream: Upstream, tracing: Tracing) -> None:
        self._upstream = upstream
        self._tracing = tracing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upstream, name)

    def ready(self, request: Request) -> None:
        """Nothing is sent without `send`, for it would not be traced."""

    async def send(self, request: Request) -> Result:
        method, host = _method(request.method), urlsplit(request.url).netloc.rpartition("@")[2]
        said = {"http.request.method": method, "server.address": host}
        with self._tracing.span(method, said, SpanKind.CLIENT) as span:
            result = await self._upstream.send(self._tracing.passed_on(request))
            _end(span, result.status)
            if result.status >= 400:  # which is an error of a client, whoever is at fault
                span.set_status(StatusCode.ERROR)
            return result
