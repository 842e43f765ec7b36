"""The newest traces, to read: `/traces` and `/traces/{id}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from fairlead.errors import MethodNotAllowed, NotFound, Unconfigured
from fairlead.exposes.control import TRACES
from fairlead.exposes.http import send_json
from fairlead.jsontext import dumps

if TYPE_CHECKING:
    from fairlead.trace_buffer import TraceBuffer


@dataclass(frozen=True, slots=True)
class TracePages:
    """A list of all, by parts of the names of their operations and by status where the query says so; or one."""

    buffer: TraceBuffer | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("this is only read", headers=(("allow", "GET, HEAD"),))
        if self.buffer is None:
            raise Unconfigured("the packages for traces are not installed; pip install 'fairlead[otel]'")
        name = scope["path"].removeprefix(TRACES).strip("/")
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        told = _one(self.buffer, name) if name else _all(self.buffer, query)
        await send_json(dumps(told), send, head=scope["method"] == "HEAD")


def _one(buffer: TraceBuffer, name: str) -> dict[str, Any]:
    if found := buffer.one(name.lower()):
        return found
    raise NotFound(f"no trace {name!r} is kept")


def _all(buffer: TraceBuffer, query: Mapping[str, str]) -> dict[str, Any]:
    listed = buffer.listed()
    wanted, status = query.get("operation", ""), query.get("status", "").upper()
    shown = [one for one in listed if wanted in one["operation"] and status in ("", one["status"])]
    return {"traces": shown, "bufferSize": buffer.most, "bufferUsed": len(listed)}
