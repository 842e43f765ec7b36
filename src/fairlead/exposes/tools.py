"""The tools of an MCP adapter as an ASGI application: the official SDK, streamable HTTP, stateless.

One endpoint serves every protocol revision. Plain requests are answered without the SDK, in its words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from msgspec import Raw
from starlette.types import Message, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import CallError, MethodNotAllowed, did_you_mean
from fairlead.exposes.answers import Answer, answer, failure
from fairlead.exposes.hotpath import Call, Plain, recognised, result_in
from fairlead.exposes.http import send_json, unless_gone
from fairlead.exposes.mcp import Hints, Tool
from fairlead.exposes.request import ClientGone, read_body
from fairlead.jsontext import is_shallow, loads
from fairlead.operation import Arguments, Operation

log = logging.getLogger("fairlead")
MAX_DEPTH = 200
"""How deep the structure of an answer may be for the SDK, which cannot write what is deeper than about 250."""
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
    """One MCP server: what answers at `/<namespace>/mcp` or `/mcp`. Enter `running()` before the first request.

    Unless `hot`, every request goes to the SDK; the answers are the same.
    """

    def __init__(
        self, name: str, instructions: str, tools: Iterable[ToolEndpoint], max_body: int, *, hot: bool = True
    ) -> None:
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
        self._identity = server.server_info_stamp
        self._recorded: dict[tuple[str, ...], Raw] = {}
        self._max_body = max_body
        self._hot = hot
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
        await unless_gone(receive, lambda: self._respond(scope, body, send))

    async def _respond(self, scope: Scope, body: bytes, send: Send) -> None:
        plain = recognised(scope["headers"], body) if self._hot else None
        if plain is None:
            await self._by_sdk(scope, body, send)
        elif not isinstance(plain.request, Call):
            await self._recall(plain, scope, body, send)
        elif tool := self._tools.get(plain.request.params.name):
            answered = await _called(tool, plain.request.params.arguments, plain.is_modern)
            await send_json(plain.answered(answered, self._identity), send)
        else:
            await self._by_sdk(scope, body, send)

    async def _by_sdk(self, scope: Scope, body: bytes, send: Send) -> None:
        await self._manager.handle_request(scope, _replayed(body), send)

    async def _recall(self, plain: Plain, scope: Scope, body: bytes, send: Send) -> None:
        """Answers with what the SDK answered to the same request before, if it did."""
        if result := self._recorded.get(plain.kind):
            await send_json(plain.reply(result), send)
            return
        written = bytearray()

        async def recorded(message: Message) -> None:
            written.extend(message.get("body", b""))
            await send(message)

        await self._by_sdk(scope, body, recorded)
        if result := result_in(bytes(written)):
            self._recorded[plain.kind] = result

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
        answered = await _called(tool, params.arguments or {}, context.protocol_version in MODERN_PROTOCOL_VERSIONS)
        structure = loads(answered.structure.decode()) if answered.structure else None
        if not is_shallow(structure, MAX_DEPTH):
            structure = None
        return types.CallToolResult(
            content=[answered.content], structured_content=structure, is_error=answered.is_error
        )


async def _called(tool: ToolEndpoint, arguments: Arguments, any_json: bool) -> Answer:
    """The answer to a call, whatever happens."""
    try:
        result = await tool.operation(arguments)
        return answer(result, await result.body.read(), tool.name, any_json)
    except CallError as error:
        if error.status >= 500:
            log.warning("tool %s: %d %s", tool.name, error.status, error)
        return failure(error)
    except Exception:
        log.exception("tool %r failed", tool.name)
        return failure(CallError("the call failed for a reason of our own; the log has more"))


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
