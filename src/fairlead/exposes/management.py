"""What a control adapter answers: the status of the process, its metrics, and how scripts run."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import MethodNotAllowed, Refused
from fairlead.exposes.control import METRICS, SCRIPTING, STATUS, Control
from fairlead.jsontext import dumps
from fairlead.metrics import MEDIA, Metrics
from fairlead.script_runs import ScriptRuns
from fairlead.steps import Scripting

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


def management(control: Control, metrics: Metrics | None, runs: ScriptRuns) -> Iterator[tuple[str, ASGIApp]]:
    """The pages of a control adapter by their paths; those of one with a fault say what it is."""
    pages = {
        STATUS: Page("application/json", lambda: dumps(_status(control))),
        SCRIPTING: Page("application/json", lambda: dumps(_scripting(control.adapter.management.scripting, runs))),
        METRICS: Page(MEDIA, metrics.text if metrics else bytes),
    }
    faults = control.adapter.faults(besides="authentication")
    if faults:
        reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in faults)

        def refuse() -> bytes:
            raise Refused(f"the control adapter was refused when its capability was loaded: {reasons}")

        pages = dict.fromkeys(pages, Page("", refuse))
    yield from ((path, page) for path, page in pages.items() if path in control.adapter.paths)


def _status(control: Control) -> dict[str, Any]:
    return {
        "capability": {"display" if control.is_ikanos else "label": control.label, "specVersion": control.version},
        "engine": {"name": "fairlead", "version": __version__, "python": platform.python_version()},
        "uptime": f"PT{monotonic() - _STARTED:.3f}S",
        "otel": {"status": "inactive"},
        "adapters": adapters_of(control),
    }


def _scripting(said: Scripting | None, runs: ScriptRuns) -> dict[str, Any]:
    written = said.model_dump(by_alias=True, exclude_none=True) if said else {}
    average = 1000 * runs.seconds / runs.total if runs.total else 0.0
    stats = {
        "totalExecutions": runs.total,
        "totalErrors": runs.failed,
        "averageDurationMs": round(average, 2),
        **({"lastExecutionAt": runs.last.isoformat()} if runs.last else {}),
    }
    return {**{key: value for key, value in written.items() if value not in ("", ())}, "stats": stats}
