"""The short way for plain MCP requests: recognised strictly, answered as the SDK would, at a fraction of its cost.

A request that is unusual in any way (a header, a member, a type, an encoding) is not recognised and goes to the SDK as
it came. Tests send the same requests both ways and compare the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import mcp_types as types
import msgspec
from mcp.shared.inbound import InboundModernRoute, classify_inbound_request
from mcp_types import methods
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from msgspec import Raw, Struct, field

from fairlead.exposes.answers import Answer

_MAX_META = 4096
_MAX_BRACKETS = 200
"""Parsers differ in how deep they go; what opens no more than so many is no question to any of them."""


class _Params(Struct, forbid_unknown_fields=True):
    meta: Raw = field(name="_meta", default_factory=Raw)


class _CallParams(_Params, kw_only=True):
    name: str
    arguments: dict[str, Any] = {}


class _ListParams(_Params):
    cursor: str = ""


class _Request(Struct, forbid_unknown_fields=True, tag_field="method"):
    jsonrpc: Literal["2.0"]
    id: int | str


class Call(_Request, tag="tools/call"):
    """A call of a tool."""

    params: _CallParams


class _List(_Request, tag="tools/list"):
    params: _ListParams = field(default_factory=_ListParams)


class _Discover(_Request, tag="server/discover"):
    params: _Params = field(default_factory=_Params)


class _Ping(_Request, tag="ping"):
    params: _Params = field(default_factory=_Params)


_DECODER: Final = msgspec.json.Decoder(Call | _List | _Discover | _Ping)
_PARAMS: Final[dict[str, tuple[type[types.RequestParams], dict[str, str]]]] = {
    "tools/call": (types.CallToolRequestParams, {"name": "any"}),
    "tools/list": (types.PaginatedRequestParams, {}),
    "server/discover": (types.RequestParams, {}),
    "ping": (types.RequestParams, {}),
}
"""What the SDK makes of each method's params, and what it takes to make any."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A request that was recognised, and the protocol revision it is in."""

    version: str
    request: Call | _List | _Discover | _Ping

    @property
    def is_modern(self) -> bool:
        return self.version in MODERN_PROTOCOL_VERSIONS

    @property
    def kind(self) -> tuple[str, ...]:
        """What the answer hangs on, other than for a call."""
        cursor = self.request.params.cursor if isinstance(self.request, _List) else ""
        return self.version, _method(self.request), cursor

    def reply(self, result: Raw) -> bytes:
        """The answer with that result, which is JSON already."""
        return msgspec.json.encode({"jsonrpc": "2.0", "id": self.request.id, "result": result})

    def answered(self, answer: Answer, server: dict[str, Any]) -> bytes:
        """The answer to a call; the newest revision says in each which server gave it."""
        block = answer.content
        content = (
            {"text": block.text, "type": "text"}
            if isinstance(block, types.TextContent)
            else block.model_dump(mode="json", by_alias=True, exclude_none=True)
        )
        result: dict[str, Any] = {"content": [content], "isError": answer.is_error}
        if answer.structure is not None:
            result["structuredContent"] = Raw(answer.structure)
        if self.is_modern:
            result |= {"resultType": "complete", "_meta": {types.SERVER_INFO_META_KEY: server}}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": self.request.id, "result": result})


class _Answered(Struct):
    result: Raw


def result_in(body: bytes) -> Raw | None:
    """The result in an answer of the SDK; None where it answered with an error."""
    try:
        return msgspec.json.decode(body, type=_Answered).result.copy()
    except ValueError:
        return None


def recognised(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Plain | None:
    """The plain request in a POST; None for the SDK to look at."""
    read = _read(headers)
    if read is None or body.count(b"{") + body.count(b"[") > _MAX_BRACKETS:
        return None
    try:
        request = _DECODER.decode(body)
    except (ValueError, RecursionError):
        return None
    version, *named = read
    method, meta = _method(request), bytes(request.params.meta)
    if named != _naming(request, version) or len(meta) > _MAX_META or not _accepted(method, version, meta):
        return None
    return Plain(version, request)


def _method(request: Call | _List | _Discover | _Ping) -> str:
    return str(type(request).__struct_config__.tag)


_ACCEPTS: Final = frozenset(
    {
        b"application/json, text/event-stream",
        b"application/json,text/event-stream",
        b"text/event-stream, application/json",
        b"application/json",
        b"*/*",
    }
)
_CONTENT_TYPES: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
_VERSIONS: Final[dict[bytes | None, str]] = {
    **{version.encode(): version for version in (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)},
    None: types.DEFAULT_NEGOTIATED_VERSION,
}


def _read(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, bytes | None, bytes | None] | None:
    """Version, method and name, from headers that are as they should be, each given once."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name.startswith(b"mcp-") or name in (b"accept", b"content-type"):
            if name in found:
                return None
            found[name] = value
    version = _VERSIONS.get(found.pop(b"mcp-protocol-version", None))
    named = found.pop(b"mcp-method", None), found.pop(b"mcp-name", None)
    usual = found.pop(b"accept", None) in _ACCEPTS and found.pop(b"content-type", None) in _CONTENT_TYPES
    return (version, *named) if version and usual and not found else None


def _naming(request: Call | _List | _Discover | _Ping, version: str) -> list[bytes | None]:
    """The method and the name that the headers of a request repeat; those of older revisions repeat nothing."""
    if version not in MODERN_PROTOCOL_VERSIONS:
        return [None, None]
    return [_method(request).encode(), request.params.name.encode() if isinstance(request, Call) else None]


@lru_cache(maxsize=1024)
def _accepted(method: str, version: str, meta: bytes) -> bool:
    """Whether the SDK takes such a request with that `_meta`, in which a client says the same in each of its requests.

    This asks the SDK itself, once for each that clients send.
    """
    model, params = _PARAMS[method]
    try:
        given = {**params, "_meta": msgspec.json.decode(meta)} if meta else params
        if version in MODERN_PROTOCOL_VERSIONS:
            route = classify_inbound_request({"method": method, "params": given})
            if not isinstance(route, InboundModernRoute) or route.protocol_version != version:
                return False
        methods.validate_client_request(method, version, given)
        model.model_validate(given, by_name=False)
    except (ValueError, KeyError, RecursionError):  # what pydantic and msgspec raise are ValueErrors
        return False
    return True
