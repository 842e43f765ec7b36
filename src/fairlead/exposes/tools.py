"""An MCP adapter as an ASGI application: the official SDK, streamable HTTP, stateless.

One endpoint serves every protocol revision. Plain requests are answered without the SDK, in its words.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final, TypeVar, get_args

import anyio
import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from msgspec import Raw
from starlette.types import Message, Receive, Scope, Send

from fairlead import __version__
from fairlead.errors import CallError, MethodNotAllowed
from fairlead.exposes.hotpath import Call, Plain, recognised, result_in
from fairlead.exposes.http import UnlessGone, as_json, send_json
from fairlead.exposes.library import Library, as_error
from fairlead.exposes.mcp import McpExposes
from fairlead.exposes.request import read_body
from fairlead.exposes.toolbox import Toolbox, ToolEndpoint
from fairlead.exposes.toolcall import called, relayed
from fairlead.exposes.upload import ClientGone
from fairlead.jsontext import is_shallow, loads
from fairlead.relay import Caller, answer_at_once

T = TypeVar("T")
Context = ServerRequestContext[Any]
Paged = types.PaginatedRequestParams | None
NO_LIBRARY: Final = Library((), ())
PLAIN: Final = "fairlead.plain"
"""Where a scope holds what its request was recognised as."""
log = logging.getLogger("fairlead")
MAX_DEPTH = 200
"""How deep the structure of an answer may be for the SDK, which cannot write what is deeper than about 250."""
MAX_PARTS = 64
"""How many parts of its tools an endpoint keeps ready; another one is made for each request."""


class McpEndpoint:
    """One MCP server: what answers at `/<namespace>/mcp` or `/mcp`. Enter `running()` before the first request.

    Unless `hot`, every request goes to the SDK; the answers are the same.
    """

    def __init__(
        self,
        name: str,
        instructions: str,
        tools: Iterable[ToolEndpoint],
        max_body: int,
        library: Library = NO_LIBRARY,
        *,
        hint: CacheHint | None = None,
        hot: bool = True,
        version: str = __version__,
    ) -> None:
        self._all = Toolbox(tools)
        self._parts: dict[bytes, Toolbox] = {b"": self._all}
        server: Server[Any] = Server(
            name,
            version=version,
            instructions=instructions or None,
            get_tool_input_schema=self._schema,
            on_list_tools=self._list,
            on_call_tool=self._call,
            cache_hints=dict.fromkeys(get_args(CacheableMethod), hint) if hint else None,
            **self._lent(library),
        )
        self._server = server
        self._library = library
        self._identity = server.server_info_stamp
        self._recorded: dict[tuple[bytes, tuple[str, ...]], Raw] = {}
        self._max_body = max_body
        self._hot = hot
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=max_body
        )

    def _lent(self, library: Library) -> dict[str, Any]:
        """What answers for resources and prompts; where there are none, clients are not told of any."""
        resources = {
            "on_list_resources": self._resources,
            "on_list_resource_templates": self._templates,
            "on_read_resource": self._read,
        }
        prompts = {"on_list_prompts": self._prompts, "on_get_prompt": self._prompt}
        return {**(resources if library.has_resources else {}), **(prompts if library.has_prompts else {})}

    def running(self) -> AbstractAsyncContextManager[None]:
        """The life of the endpoint."""
        return self._manager.run()

    async def converse(self, read: ReadStream[SessionMessage | Exception], write: WriteStream[SessionMessage]) -> None:
        """Serves one client on two streams until it has nothing more to say; no `running()` is needed."""
        await self._server.run(read, write, self._server.create_initialization_options())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A stateless GET would open an event stream on which nothing is ever sent.
        if scope["method"] != "POST":
            raise MethodNotAllowed("MCP is spoken by POST here", headers=(("allow", "POST"),))
        tools = self._part(scope["query_string"])
        try:
            body = await read_body(scope, receive, self._max_body)
        except ClientGone:
            return
        # The SDK would let a call run on whose caller has hung up.
        with UnlessGone(scope, receive):
            await self._respond(tools, scope, body, send)

    def relay(self, scope: Scope, caller: Caller) -> bool:
        """A `Relaying` of plain calls, and of what was answered before."""
        tools, body = self._parts.get(scope["query_string"]), caller.body_here
        if not (self._hot and tools and body and scope["method"] == "POST" and len(body) <= self._max_body):
            return False
        plain = scope[PLAIN] = recognised(scope["headers"], body)
        if plain is None:
            return False
        if not isinstance(plain.request, Call):
            if result := self._recorded.get((scope["query_string"], plain.kind)):
                answer_at_once(caller, as_json(plain.reply(result)))
            return result is not None
        tool, arguments = tools.find(plain.request.params.name), plain.request.params.arguments
        write = partial(plain.answered, server=self._identity)
        return tool is not None and relayed(tool, arguments, caller, write, any_json=plain.is_modern)

    def _part(self, query: bytes) -> Toolbox:
        """The tools that a request is about; the query may ask for some of them only."""
        if query in self._parts:
            return self._parts[query]
        part = self._all.part(query)
        if len(self._parts) < MAX_PARTS:
            self._parts[query] = part
        return part

    async def _respond(self, tools: Toolbox, scope: Scope, body: bytes, send: Send) -> None:
        plain = scope[PLAIN] if PLAIN in scope else recognised(scope["headers"], body) if self._hot else None
        if plain is None:
            await self._by_sdk(scope, body, send)
        elif not isinstance(plain.request, Call):
            await self._recall(plain, scope, body, send)
        elif tool := tools.find(plain.request.params.name):
            answered = await called(tool, plain.request.params.arguments, any_json=plain.is_modern)
            await send_json(plain.answered(answered, self._identity), send)
        else:
            await self._by_sdk(scope, body, send)

    async def _by_sdk(self, scope: Scope, body: bytes, send: Send) -> None:
        await self._manager.handle_request(scope, _replayed(body), send)

    async def _recall(self, plain: Plain, scope: Scope, body: bytes, send: Send) -> None:
        """Answers with what the SDK answered to the same request before, if it did."""
        query = scope["query_string"]
        if result := self._recorded.get((query, plain.kind)):
            await send_json(plain.reply(result), send)
            return
        written = bytearray()

        async def recorded(message: Message) -> None:
            written.extend(message.get("body", b""))
            await send(message)

        await self._by_sdk(scope, body, recorded)
        result = result_in(bytes(written))
        if result and query in self._parts:
            self._recorded[query, plain.kind] = result

    def _schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._all.find(name)
        return tool.operation.inputs.schema if tool else None

    async def _list(self, context: Context, params: Paged) -> types.ListToolsResult:
        cursor = (params.cursor if params else None) or "0"
        pages = self._asked(context).pages
        if cursor not in pages:
            raise MCPError(types.INVALID_PARAMS, f"unknown cursor {cursor!r}")
        return pages[cursor]

    def _asked(self, context: Context) -> Toolbox:
        return self._part(context.request.scope["query_string"]) if context.request else self._all

    async def _call(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tools = self._asked(context)
        tool = tools.find(params.name)
        if tool is None:
            hint = tools.hint(params.name)
            message = f"unknown tool {params.name!r}" + (f"; {hint}" if hint else "")
            raise MCPError(types.INVALID_PARAMS, message)
        any_json = context.protocol_version in MODERN_PROTOCOL_VERSIONS
        answered = await called(tool, params.arguments or {}, any_json=any_json)
        structure = loads(answered.structure.decode()) if answered.structure else None
        if not is_shallow(structure, MAX_DEPTH):
            structure = None
        return types.CallToolResult(
            content=[answered.content], structured_content=structure, is_error=answered.is_error
        )

    async def _resources(self, context: Context, params: Paged) -> types.ListResourcesResult:
        return await self._library.resources()

    async def _templates(self, context: Context, params: Paged) -> types.ListResourceTemplatesResult:
        return self._library.templates()

    async def _read(self, context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await _or_error(params.uri, self._library.read(params.uri))

    async def _prompts(self, context: Context, params: Paged) -> types.ListPromptsResult:
        return self._library.prompts()

    async def _prompt(self, context: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return await _or_error(params.name, self._library.prompt(params.name, params.arguments or {}))


def hint_of(adapters: Iterable[McpExposes]) -> CacheHint | None:
    """How long clients may keep what they are told, and whether others may see it: no longer than any adapter says."""
    listed = tuple(adapters)
    if all(one.ttl_ms is None and one.cache_scope is None for one in listed):
        return None
    is_public = all(one.cache_scope == "public" and one.authentication is None for one in listed)
    return CacheHint(min(one.ttl_ms or 0 for one in listed), "public" if is_public else "private")


async def _or_error(name: str, wanted: Awaitable[T]) -> T:
    """What is wanted; what goes wrong is an error of the protocol, for there is no other way to say it."""
    try:
        return await wanted
    except MCPError:
        raise
    except CallError as error:
        if error.status >= 500:
            log.warning("%s: %d %s", name, error.status, error)
        raise as_error(error) from None
    except Exception:
        log.exception("%r failed", name)
        raise as_error(CallError("the call failed for a reason of our own; the log has more")) from None


def _replayed(body: bytes) -> Receive:
    """Gives a body that was read already, and then nothing more."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await anyio.sleep_forever()
        return messages.pop()

    return receive
