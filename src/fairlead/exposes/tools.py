"""The tools of an MCP adapter as an ASGI application: the official SDK, streamable HTTP, stateless.

One endpoint serves every protocol revision. An upstream's answer becomes text, and structured content where the
revision allows it; an upstream's error and a failure of our own become a result with `isError`.
"""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import Message, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import CallError, MethodNotAllowed, did_you_mean
from fairlead.exposes.http import unless_gone
from fairlead.exposes.mcp import Hints, Tool
from fairlead.exposes.request import ClientGone, read_body
from fairlead.jsontext import is_utf8, loads
from fairlead.operation import Operation, Result

log = logging.getLogger("fairlead")
PAGE = 500
"""How many tools one answer to tools/list holds."""


@dataclass(frozen=True, slots=True)
class ToolEndpoint:
    """A tool under the name it has on one endpoint, and the operation behind it."""

    name: str
    tool: Tool
    operation: Operation

    def described(self) -> types.Tool:
        exposed = self.tool.exposed
        return types.Tool(
            name=self.name,
            title=exposed.title or None,
            description=exposed.description or None,
            input_schema=self.operation.inputs.schema,
            annotations=_annotations(self.tool.hints),
        )


def _annotations(hints: Hints | None) -> types.ToolAnnotations | None:
    if hints is None:
        return None
    return types.ToolAnnotations(
        read_only_hint=hints.read_only,
        destructive_hint=hints.destructive,
        idempotent_hint=hints.idempotent,
        open_world_hint=hints.open_world,
    )


class McpEndpoint:
    """One MCP server: what answers at `/<namespace>/mcp` or `/mcp`. Enter `running()` before the first request."""

    def __init__(self, name: str, instructions: str, tools: Iterable[ToolEndpoint], max_body: int) -> None:
        self._tools = {tool.name: tool for tool in tools}
        listed = [tool.described() for tool in self._tools.values() if tool.tool.exposed.target]
        self._pages = _pages(listed)
        server: Server[Any] = Server(
            name,
            version=__version__,
            instructions=instructions or None,
            get_tool_input_schema=self._schema,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._max_body = max_body
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=max_body
        )

    def running(self) -> AbstractAsyncContextManager[None]:
        """The life of the endpoint."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A stateless GET would open an event stream on which nothing is ever sent.
        if scope["method"] != "POST":
            raise MethodNotAllowed("MCP is spoken by POST here", headers=(("allow", "POST"),))
        try:
            body = await read_body(scope, receive, self._max_body)
        except ClientGone:
            return
        # The SDK would let a call run on whose caller has hung up.
        await unless_gone(receive, lambda: self._manager.handle_request(scope, _replayed(body), send))

    def _schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._tools.get(name)
        return tool.operation.inputs.schema if tool else None

    async def _list(
        self, context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        cursor = (params.cursor if params else None) or "0"
        if cursor not in self._pages:
            raise MCPError(types.INVALID_PARAMS, f"unknown cursor {cursor!r}")
        return self._pages[cursor]

    async def _call(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            hint = did_you_mean(params.name, self._tools)
            message = f"unknown tool {params.name!r}" + (f"; {hint}" if hint else "")
            raise MCPError(types.INVALID_PARAMS, message)
        any_json = context.protocol_version in MODERN_PROTOCOL_VERSIONS
        try:
            result = await tool.operation(params.arguments or {})
            return _answer(result, await result.body.read(), tool.name, any_json)
        except CallError as error:
            if error.status >= 500:
                log.warning("tool %s: %d %s", tool.name, error.status, error)
            return _failure(error)
        except Exception:
            log.exception("tool %r failed", tool.name)
            return _failure(CallError("the call failed for a reason of our own; the log has more"))


def _replayed(body: bytes) -> Receive:
    """Gives a body that was read already, and then nothing more."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await anyio.sleep_forever()
        return messages.pop()

    return receive


def _pages(tools: list[types.Tool]) -> dict[str, types.ListToolsResult]:
    """The answers to tools/list by cursor; a short list is one page."""
    starts = range(0, max(len(tools), 1), PAGE)
    return {
        str(start): types.ListToolsResult(
            tools=tools[start : start + PAGE], next_cursor=str(start + PAGE) if start + PAGE < len(tools) else None
        )
        for start in starts
    }


def _failure(error: CallError) -> types.CallToolResult:
    problem = error.problem()
    text = json.dumps(problem, ensure_ascii=False, default=str)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=problem, is_error=True)


def _answer(result: Result, data: bytes, name: str, any_json: bool) -> types.CallToolResult:
    if not result.is_success:
        status = f"HTTP {result.status} {_phrase(result.status)}".rstrip()
        text = f"{status}\n\n{_text(result, data) or ''}".rstrip()
        return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
    if not data:
        text = f"HTTP {result.status} {_phrase(result.status)}".rstrip()
        return types.CallToolResult(content=[types.TextContent(text=text)])
    text_or_none = _text(result, data)
    if text_or_none is None:
        return types.CallToolResult(content=[_blob(result.media_type, data, name)])
    content: list[types.ContentBlock] = [types.TextContent(text=text_or_none)]
    value = _structured(text_or_none)
    if isinstance(value, dict) or (any_json and value is not None):
        return types.CallToolResult(content=content, structured_content=value)
    return types.CallToolResult(content=content)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _text(result: Result, data: bytes) -> str | None:
    """The body as text, None where it is none."""
    if result.media_type.startswith(("image/", "audio/", "video/")):
        return None
    charset = result.header("content-type").partition("charset=")[2].partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return data.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return None


def _structured(text: str) -> Any:
    """The JSON value in a text; None where it is none, or cannot be written again just as it is."""
    try:
        return loads(text) if is_utf8(text) else None
    except ValueError:
        return None


def _blob(media_type: str, data: bytes, name: str) -> types.ContentBlock:
    encoded = b64encode(data).decode()
    if media_type.startswith("image/"):
        return types.ImageContent(data=encoded, mime_type=media_type)
    if media_type.startswith("audio/"):
        return types.AudioContent(data=encoded, mime_type=media_type)
    kind = media_type or "application/octet-stream"
    resource = types.BlobResourceContents(uri=f"urn:fairlead:result:{name}", mime_type=kind, blob=encoded)
    return types.EmbeddedResource(resource=resource)
