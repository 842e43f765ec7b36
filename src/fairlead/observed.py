"""What is measured and traced of a runtime: all is wrapped where a control adapter asks for that, else nothing is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from fairlead.exposes.control import Observability, can_trace
from fairlead.listeners import Listener
from fairlead.metrics import MeasuredApp, MeasuredUpstream, Metrics, measured
from fairlead.operation import Operation
from fairlead.upstream import Upstream

if TYPE_CHECKING:
    from fairlead.tracing import Tracing


@dataclass(frozen=True)
class Observed:
    """Where there are metrics or traces, what they see."""

    metrics: Metrics | None = None
    tracing: Tracing | None = None

    def app(self, app: ASGIApp, port: int, besides: frozenset[str]) -> ASGIApp:
        """The application of a port; `besides` are the paths that are not traced."""
        seen = MeasuredApp(app, self.metrics, str(port)) if self.metrics else app
        return self.tracing.app(seen, port, besides) if self.tracing else seen

    def operation(self, operation: Operation, adapter: str) -> Operation:
        seen = measured(operation, adapter, self.metrics)
        return self.tracing.operation(seen, adapter) if self.tracing else seen

    def upstream(self, upstream: Upstream) -> Upstream:
        seen = MeasuredUpstream(upstream, self.metrics) if self.metrics else upstream
        return self.tracing.upstream(seen) if self.tracing else seen


def observed(listeners: Iterable[Listener], given: Tracing | None = None) -> Observed:
    """What control adapters ask for, with traces that were `given` or as they say."""
    controls = [control.adapter for listener in listeners for control in listener.controls]
    metrics = Metrics() if any(one.has_metrics for one in controls) else None
    return Observed(metrics, given or _traced([one.observability for one in controls]))


def _traced(said: list[Observability]) -> Tracing | None:
    """Traces of the whole process: to every collector that is named, and the rest as the first adapter has it."""
    wanted = [one for one in said if one.has_traces]
    if not wanted or not can_trace():
        return None
    from fairlead.tracing import tracing  # noqa: PLC0415 -- an extra, and a fifth of a second

    endpoints = dict.fromkeys(
        one.endpoint for one in wanted if one.endpoint.lower().startswith(("http://", "https://"))
    )
    kept = max((one.traces.local.buffer_size for one in wanted if one.traces and one.has_local_traces), default=0)
    return tracing(endpoints, next((one.traces.sampling for one in wanted if one.traces), 1.0), kept)
