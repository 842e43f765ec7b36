"""The newest traces of this process, kept in memory to be read; their packages are the extra `otel`."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

_MOST_SPANS: Final = 1000
"""Spans of one trace."""


class TraceBuffer(SpanProcessor):
    """So many traces, by the identity that they are told by; one is there as soon as its first span has ended."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = Lock()
        self._traces: OrderedDict[str, list[ReadableSpan]] = OrderedDict()

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            spans = self._traces.setdefault(f"{span.context.trace_id:032x}", [])
            if len(spans) < _MOST_SPANS:
                spans.append(span)
            while len(self._traces) > self.most:
                self._traces.popitem(last=False)

    def listed(self) -> list[dict[str, Any]]:
        """What is told of each trace, the newest first."""
        with self._lock:
            traces = [(name, [*spans]) for name, spans in reversed(self._traces.items())]
        return [_summary(name, spans) for name, spans in traces]

    def one(self, name: str) -> dict[str, Any] | None:
        """A trace with its spans in the order in which they began; None where it is not kept."""
        with self._lock:
            spans = sorted(self._traces.get(name, ()), key=lambda span: span.start_time or 0)
        if not spans:
            return None
        told = {key: value for key, value in _summary(name, spans).items() if key != "spanCount"}
        return {**told, "spans": [_span(span) for span in spans]}


def _summary(name: str, spans: list[ReadableSpan]) -> dict[str, Any]:
    known = {span.context.span_id for span in spans}
    tops = [span for span in spans if span.parent is None or span.parent.span_id not in known]
    top = min(tops, key=lambda span: span.start_time or 0)
    return {
        "traceId": name,
        "operation": top.name,
        "durationMs": _milliseconds(top),
        "status": _status(top),
        "spanCount": len(spans),
        "timestamp": datetime.fromtimestamp((top.start_time or 0) / 1e9, UTC).isoformat(timespec="milliseconds"),
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    parent = {"parentSpanId": f"{span.parent.span_id:016x}"} if span.parent else {}
    return {
        "spanId": f"{span.context.span_id:016x}",
        **parent,
        "name": span.name,
        "kind": span.kind.name,
        "durationMs": _milliseconds(span),
        "status": _status(span),
        "attributes": dict(span.attributes or {}),
    }


def _milliseconds(span: ReadableSpan) -> float:
    return round(((span.end_time or 0) - (span.start_time or 0)) / 1e6, 3)


def _status(span: ReadableSpan) -> str:
    return "ERROR" if span.status.status_code is StatusCode.ERROR else "OK"
