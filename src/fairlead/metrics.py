"""Counts and times of requests, operations and exchanges with upstreams, in the text format of Prometheus.

Only what is measured is wrapped, so that a gateway without a control adapter does nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.errors import CallError
from fairlead.operation import NOTHING, Forwarded, Operation
from fairlead.response import Arguments, Result
from fairlead.upstream import Request, Upstream

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())


class _Family:
    """A counter by status and a histogram of seconds, of things that have the same labels."""

    def __init__(self, name: str, what: str, labels: tuple[str, ...], registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Histogram  # noqa: PLC0415 -- a tenth of a second, for few

        self._total = Counter(f"{name}_total", f"{what}, by status", (*labels, "status"), registry=registry)
        self._seconds = Histogram(f"{name}_duration_seconds", f"Seconds of {what}", labels, registry=registry)

    @contextmanager
    def one(self, *labels: str) -> Iterator[_Outcome]:
        """Measures what happens inside; its status is that of an error which it raises, or what it says."""
        outcome, started = _Outcome(), perf_counter()
        try:
            yield outcome
        except CallError as error:
            outcome.status = str(error.status)
            raise
        finally:
            self._total.labels(*labels, outcome.status).inc()
            self._seconds.labels(*labels).observe(perf_counter() - started)


@dataclass(slots=True)
class _Outcome:
    status: str = "aborted"


class Metrics:
    """What is measured in this process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 -- as above

        self._registry = CollectorRegistry()
        self.requests = _Family("fairlead_http_requests", "HTTP requests", ("port", "method"), self._registry)
        names = ("adapter", "operation")
        self.operations = _Family("fairlead_operations", "calls of operations and tools", names, self._registry)
        names = ("method", "server_address")
        self.upstream = _Family("fairlead_http_client_requests", "requests to upstreams", names, self._registry)

    def text(self) -> bytes:
        """All of it."""
        from prometheus_client import generate_latest  # noqa: PLC0415 -- as above

        return generate_latest(self._registry)


def method_of(method: str) -> str:
    """The method as a label; those that nobody knows are one."""
    return method if method in _METHODS else "other"


@dataclass(frozen=True, slots=True)
class MeasuredApp:
    """An application whose requests are measured, until their answer is sent."""

    app: ASGIApp
    metrics: Metrics
    port: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.metrics.requests.one(self.port, method_of(scope["method"])) as outcome:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    outcome.status = str(message["status"])
                await send(message)

            await self.app(scope, receive, watched)


@dataclass(frozen=True)
class MeasuredOperation(Operation):
    """An operation whose calls are measured, until the head of their answer is there."""

    metrics: Metrics
    adapter: str

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        with self.metrics.operations.one(self.adapter, self.name) as outcome:
            result = await Operation.__call__(self, arguments, forwarded)
            outcome.status = str(result.status)
            return result


def measured(operation: Operation, adapter: str, metrics: Metrics | None) -> Operation:
    """The operation of an adapter, measured where there are metrics."""
    if metrics is None:
        return operation
    return MeasuredOperation(operation.name, operation.description, operation.inputs, operation.run, metrics, adapter)


class MeasuredUpstream(Upstream):
    """An upstream whose exchanges are measured, until the head of their answer is there."""

    def __init__(self, upstream: Upstream, metrics: Metrics) -> None:
        self._upstream = upstream
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upstream, name)

    def ready(self, request: Request) -> None:
        """Nothing is sent without `send`, for it would not be measured."""

    async def send(self, request: Request) -> Result:
        host = urlsplit(request.url).hostname or ""
        with self._metrics.upstream.one(method_of(request.method), host) as outcome:
            result = await self._upstream.send(request)
            outcome.status = str(result.status)
            return result
