"""What a control adapter answers: the status of the process, its metrics, how scripts run, and the log."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import MethodNotAllowed, Refused
from fairlead.exposes.control import LOG_STREAM, LOGS, METRICS, SCRIPTING, STATUS, TRACES, Control
from fairlead.exposes.logs import LogPage, LogStream
from fairlead.exposes.scripting import ScriptingPage
from fairlead.exposes.traces import TracePages
from fairlead.jsontext import dumps
from fairlead.log_lines import LogLines
from fairlead.metrics import MEDIA, Metrics
from fairlead.script_runs import ScriptRuns

if TYPE_CHECKING:
    from fairlead.tracing import Tracing

_STARTED: Final = monotonic()


@dataclass(frozen=True, slots=True)
class Page:
    """Something that is only read, written anew for each reader."""

    media: str
    write: Callable[[], bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("this is only read", headers=(("allow", "GET, HEAD"),))
        body = self.write()
        headers = [(b"content-type", self.media.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def adapters_of(control: Control) -> list[dict[str, Any]]:
    """The adapters of its document, as they were started."""
    return [
        {"type": adapter.type, "namespace": adapter.namespace, "port": port, "state": "started"}
        for adapter, port in control.adapters
    ]


def management(
    control: Control,
    metrics: Metrics | None,
    tracing: Tracing | None,
    lines: LogLines | None,
    runs: ScriptRuns,
    fixed: str = "",
) -> Iterator[tuple[str, ASGIApp]]:
    """The pages of a control adapter by their paths; those of one with a fault say what it is.

    `fixed` says why nothing can be changed there, where that is so.
    """
    pages: dict[str, ASGIApp] = {
        STATUS: Page("application/json", lambda: dumps(_status(control, is_traced=tracing is not None))),
        TRACES: TracePages(tracing.buffer if tracing else None),
        SCRIPTING: ScriptingPage(control.adapter.management.scripting, control.scripting, runs, fixed),
        METRICS: Page(MEDIA, metrics.text if metrics else bytes),
    }
    if (logs := control.adapter.management.logs) and lines:
        pages[LOGS] = LogPage(lines, fixed if logs.level_control else "`level-control` is off")
        pages[LOG_STREAM] = LogStream(lines, logs.max_subscribers)
    faults = control.adapter.faults(besides="authentication")
    if faults:
        reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in faults)

        def refuse() -> bytes:
            raise Refused(f"the control adapter was refused when its capability was loaded: {reasons}")

        pages = dict.fromkeys(pages, Page("", refuse))
    yield from ((path, page) for path, page in pages.items() if path in control.adapter.paths)


def _status(control: Control, *, is_traced: bool) -> dict[str, Any]:
    return {
        "capability": {"display" if control.is_ikanos else "label": control.label, "specVersion": control.version},
        "engine": {"name": "fairlead", "version": __version__, "python": platform.python_version()},
        "uptime": f"PT{monotonic() - _STARTED:.3f}S",
        "otel": {"status": "active" if is_traced else "inactive"},
        "adapters": adapters_of(control),
    }
