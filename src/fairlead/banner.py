"""What `fairlead serve` says once it answers: what is served, where, what is wrong, and the first calls to try."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from shlex import quote

from fairlead.checks import crowded
from fairlead.document import Document
from fairlead.exposed import Exposed
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.pages import SKILLS
from fairlead.exposes.rest import Route
from fairlead.guard import is_local
from fairlead.listeners import Listener
from fairlead.sandbox import environ_of
from fairlead.settings import Settings, local_url
from fairlead.terminal import counted
from fairlead.toolsets import NamedTool, ToolSet

MAX_LINES = 20
_JSON = "-H 'content-type: application/json'"
_MCP = f"{_JSON} -H 'accept: application/json, text/event-stream'"


def banner(
    documents: tuple[Document, ...],
    listeners: tuple[Listener, ...],
    settings: Settings,
    unserved: Sequence[str],
    *,
    sandbox: bool,
) -> Iterator[str]:
    """The lines to print."""
    yield "Fairlead serves"
    yield from _what(documents, unserved, ("route", "tool"), sandbox=sandbox)
    if sandbox:
        yield from _made_up(documents)
    yield "on"
    for listener in listeners:
        yield from _addresses(listener, local_url(settings.host, listener.port))
    if not is_local(settings.host) and not all(map(_is_guarded, _adapters(listeners))):
        yield f"warning: {settings.host} is reachable from other machines, and callers are not authenticated"
    yield from (f"warning: {note}" for note in _uncontrolled(listeners, settings))
    yield from (f"warning: {note}" for note in crowded(listeners))
    if calls := list(_first_calls(listeners, settings.host, may_create=sandbox)):
        yield "try"
        yield from (f"  {call}" for call in calls)


def stdio_banner(documents: tuple[Document, ...], unserved: Sequence[str], *, sandbox: bool) -> Iterator[str]:
    """The lines that `fairlead stdio` prints."""
    yield "Fairlead speaks MCP on standard input and output, for"
    yield from _what(documents, unserved, ("tool",), sandbox=sandbox)


def _what(
    documents: tuple[Document, ...], unserved: Sequence[str], always: Collection[str], *, sandbox: bool
) -> Iterator[str]:
    """What is served and what is not; the kinds in `always` are told also where there are none."""
    yield from _shortened([f"  {_size(document, always)}" for document in documents])
    yield from _refused(documents)
    yield from (f"warning: {file} is not served: its problems are above" for file in unserved)
    if sandbox:
        yield "against the embedded sandbox: no key is used and nothing leaves this machine"


def _size(document: Document, always: Collection[str]) -> str:
    parts = {
        "route": document.routes,
        "forward": document.forwards,
        "tool": document.tools,
        "resource": document.resources,
        "prompt": document.prompts,
        "skill": document.skills,
    }
    said = (counted(len(listed), kind) for kind, listed in parts.items() if listed or kind in always)
    return f"{document.label}: {', '.join(said)}"


def _made_up(documents: tuple[Document, ...]) -> Iterator[str]:
    """The secrets that callers of the sandbox need."""
    demands = ((one.authentication, document) for document in documents for one in document.adapters)
    values = (value for demand, document in demands if demand for value in demand.values(document.bindings))
    names = sorted({name for value in values for name in value.variables.values()})
    if names:
        made_up = environ_of(documents)
        pairs = (f"{name}={made_up[name].get_secret_value()}" for name in names)
        yield f"callers authenticate with made-up secrets: {', '.join(pairs)}"


def _adapters(listeners: tuple[Listener, ...]) -> Iterator[Adapter]:
    return (occupant.adapter for listener in listeners for occupant in listener.occupants)


def _is_guarded(adapter: Adapter) -> bool:
    return adapter.authentication is not None


def _refused(documents: tuple[Document, ...]) -> Iterator[str]:
    refused = sum(document.refused for document in documents)
    if refused:
        verb = "is" if refused == 1 else "are"
        yield f"warning: {refused} of them {verb} refused and answer why; `fairlead check` tells more"


def _uncontrolled(listeners: tuple[Listener, ...], settings: Settings) -> Iterator[str]:
    """What control adapters should not do as they are served."""
    controls = [(control.adapter, listener.port) for listener in listeners for control in listener.controls]
    for adapter, port in controls:
        if not is_local(settings.host) and adapter.paths and not _is_guarded(adapter):
            yield f"whoever reaches port {port} can read {', '.join(sorted(adapter.paths))}; add `authentication`"
    if settings.workers > 1 and any(adapter.paths for adapter, _ in controls):
        yield "each worker counts for itself, and a control adapter tells what the worker counted that answers"


def _addresses(listener: Listener, base: str) -> Iterator[str]:
    adapters = [route.adapter for route in listener.routes] + [proxy.adapter for proxy in listener.forwards]
    if adapters:
        forwards = f", {counted(len(listener.forwards), 'forward')}" if listener.forwards else ""
        routes = counted(len(listener.routes), "route") + forwards
        yield f"  {base}  REST, {routes}{_callers(adapters)}; browse {base}/docs"
    if skills := listener.skills:
        yield f"  {base}{SKILLS}  {counted(len(skills), 'skill')}{_callers(skill.adapter for skill in skills)}"
    for control in listener.controls:
        paths = ", ".join(["/health/live", "/health/ready", *sorted(control.adapter.paths)])
        yield f"  {base}  control, {paths}{_callers([control.adapter])}"
    if listener.offers:
        *single, every = listener.tool_sets()
        yield from _shortened([_endpoint(base, tools) for tools in single])
        yield _endpoint(base, every)


def _endpoint(base: str, tools: ToolSet) -> str:
    return f"  {base}{tools.path}  MCP, {counted(len(tools.tools), 'tool')}{_callers(tools.adapters)}"


def _callers(adapters: Iterable[Adapter]) -> str:
    """Whether callers authenticate."""
    guarded = {_is_guarded(one) for one in adapters}
    return {(True,): ", callers authenticate", (False, True): ", callers of some authenticate"}.get(
        tuple(sorted(guarded)), ""
    )


def _shortened(lines: list[str]) -> Iterator[str]:
    """The first lines of a long list, and how many more there are."""
    yield from lines[:MAX_LINES]
    if more := lines[MAX_LINES:]:
        yield f"  ... and {len(more)} more"


def _first_calls(listeners: tuple[Listener, ...], host: str, *, may_create: bool) -> Iterator[str]:
    """Up to three calls that can be pasted into a shell: create something, list it, list it as an agent would.

    Nothing is created at a real upstream.
    """
    listing, creating, base = _collection(listeners, host)
    if creating and may_create:
        yield f"curl -s {quote(base + creating.path)} {_JSON} -d {quote(json.dumps({'name': 'first'}))}"
    if listing:
        yield f"curl -s {quote(base + listing.path)}"
    for listener in listeners:
        for tool in list(_alike(listener, listing))[:1]:
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool.name, "arguments": {}}}
            yield f"curl -s {local_url(host, listener.port)}/mcp {_MCP} -d {quote(json.dumps(call))}"


def _collection(listeners: tuple[Listener, ...], host: str) -> tuple[Route | None, Route | None, str]:
    """A route that lists, where there is one with another that creates on the same path; and their address."""
    lists = [(one, listener.port) for listener in listeners for one in listener.routes if _is_plain(one, "GET")]
    creates = {(one.path, of.port): one for of in listeners for one in of.routes if _is_plain(one, "POST")}
    for route, port in lists:
        if (route.path, port) in creates:
            return route, creates[route.path, port], local_url(host, port)
    return (lists[0][0], None, local_url(host, lists[0][1])) if lists else (None, None, "")


def _is_plain(route: Route, method: str) -> bool:
    return route.method == method and _needs_nothing(route.exposed) and not _is_guarded(route.adapter)


def _needs_nothing(exposed: Exposed) -> bool:
    needed = (item for item in exposed.inputs if item.required and item.location != "body")
    return exposed.target is not None and not any(needed)


def _alike(listener: Listener, route: Route | None) -> Iterator[NamedTool]:
    """The tools that make the same request as the route."""
    called = route.exposed.consumed if route else None
    for tool_set in listener.tool_sets():
        if tool_set.path == "/mcp":
            for named in tool_set.tools:
                if called and named.tool.exposed.consumed is called and not _is_guarded(named.tool.adapter):
                    yield named
