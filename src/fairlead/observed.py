"""What is measured and traced of a runtime: all is wrapped where a control adapter asks for that, else nothing is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from fairlead.binds import Environ
from fairlead.errors import Unconfigured
from fairlead.exposes.control import Control, can_trace, is_http
from fairlead.listeners import Listener
from fairlead.metrics import MeasuredApp, MeasuredUpstream, Metrics, measured
from fairlead.operation import Operation
from fairlead.upstream import Upstream

if TYPE_CHECKING:
    from fairlead.tracing import Tracing


log = logging.getLogger("fairlead")


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


def observed(listeners: Iterable[Listener], environ: Environ, given: Tracing | None = None) -> Observed:
    """What control adapters ask for, with traces that were `given` or as they say."""
    controls = [control for listener in listeners for control in listener.controls]
    metrics = Metrics() if any(control.adapter.has_metrics for control in controls) else None
    return Observed(metrics, given or _traced(controls, environ))


def _traced(controls: list[Control], environ: Environ) -> Tracing | None:
    """Traces of the whole process: to every collector that is named, and the rest as the first adapter has it."""
    wanted = [control.adapter.observability for control in controls if control.adapter.observability.has_traces]
    if not wanted or not can_trace():
        return None
    endpoints = dict.fromkeys(_endpoints(controls, environ))
    kept = max((one.traces.local.buffer_size for one in wanted if one.traces and one.has_local_traces), default=0)
    if not endpoints and not kept:
        return None
    from fairlead.tracing import tracing  # noqa: PLC0415 -- an extra, and a fifth of a second

    return tracing(endpoints, next((one.traces.sampling for one in wanted if one.traces), 1.0), kept)


def _endpoints(controls: Iterable[Control], environ: Environ) -> Iterator[str]:
    for collector in (control.collector for control in controls if control.collector):
        try:
            endpoint = collector.reveal(environ).strip()
        except Unconfigured as error:
            log.warning("traces go nowhere: %s", error.detail)
            continue
        if is_http(endpoint):
            yield endpoint
        else:
            log.warning("traces go nowhere: the endpoint at %s is no http(s) URL", collector.place.short)
