"""What the commands do: load, say what was found, and serve."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from socket import socket

import anyio
from anyio import to_thread

from fairlead import sandbox as sandboxes
from fairlead import stdio
from fairlead.banner import banner, stdio_banner
from fairlead.binds import Environ
from fairlead.checks import configured, missing
from fairlead.document import Document
from fairlead.errors import ArgumentError, LoadError, Problem, StartError, did_you_mean
from fairlead.exposes.pages import Ready
from fairlead.in_process import in_process
from fairlead.listeners import Listener, arrange
from fairlead.load import load_all
from fairlead.memory import settle
from fairlead.runtime import Served, build, endpoint_of
from fairlead.sandbox import Sandbox
from fairlead.server import bind, readiness, serve
from fairlead.settings import DEFAULT_MCP_PORT, Settings, local_url
from fairlead.supervisor import Board, Supervisor
from fairlead.terminal import say
from fairlead.upstream import Upstream, connect
from fairlead.wiring import Wiring

MAX_WARNINGS = 20


@dataclass(frozen=True)
class Loaded:
    """What is to be served, all that was found in it, and the files that are not served."""

    documents: tuple[Document, ...]
    listeners: tuple[Listener, ...]
    variables: Environ
    problems: tuple[Problem, ...]
    unserved: tuple[str, ...]

    @property
    def ports(self) -> list[int]:
        return [listener.port for listener in self.listeners]


def _loaded(
    paths: tuple[Path, ...], settings: Settings, env_file: Path | None, *, sandbox: bool, only_mcp: bool = False
) -> Loaded:
    documents, problems = load_all(paths, settings.loading)
    _check_namespaces(documents, settings)
    if only_mcp:
        documents = tuple(document.mcp_alone for document in documents)
    listeners, clashes = arrange(documents, settings)
    variables, unread = (sandboxes.environ_of(documents), ()) if sandbox else configured(documents, env_file)
    found = tuple(sorted({*problems, *clashes, *unread, *missing(documents, variables)}))
    _refuse_if_needed(found, documents, variables, settings)
    if not listeners:
        lack = "has no MCP adapter" if only_mcp else "exposes nothing"
        raise LoadError([*found, *(Problem(document.model.at(), lack) for document in documents)])
    broken = {problem.place.file for problem in problems if problem.severity == "error"}
    unserved = sorted(broken - {document.file for document in documents})
    return Loaded(documents, listeners, variables, found, tuple(unserved))


def start(paths: Iterable[Path], settings: Settings, env_file: Path | None, *, sandbox: bool) -> None:
    """Loads and serves until a signal.

    Raises:
        LoadError: Nothing can be served, or with `strict` anything is wrong.
        StartError: A port is taken or a setting is wrong.
    """
    load = partial(_loaded, tuple(paths), settings, env_file, sandbox=sandbox)
    loaded = load()
    _say(loaded.problems)
    told = partial(_tell, loaded, settings, sandbox=sandbox)
    if settings.workers > 1:
        _refuse_workers_if_needed(sandbox=sandbox)
    sockets = bind(settings.host, loaded.ports)
    work = partial(_serve, loaded, load, settings, sockets, sandbox=sandbox)
    ready = readiness(settings.host, loaded.ports)
    if settings.workers == 1:
        _run(partial(work, ready, told))
    else:
        _supervise(work, ready, told, sockets, settings)


def _refuse_workers_if_needed(*, sandbox: bool) -> None:
    if sandbox:
        raise StartError("--sandbox keeps what callers create in one process; leave out --workers")
    if not hasattr(os, "fork"):
        raise StartError("--workers needs a system that can fork")


def _tell(loaded: Loaded, settings: Settings, *, sandbox: bool) -> None:
    say("\n".join(banner(loaded.documents, loaded.listeners, settings, loaded.unserved, sandbox=sandbox)))
    sys.stdout.flush()


def _supervise(
    work: Callable[[Ready, Callable[[], None]], Awaitable[None]],
    ready: Ready,
    told: Callable[[], None],
    sockets: list[socket],
    settings: Settings,
) -> None:
    """Serves with several processes, each of which is ready when all are."""
    board = Board(settings.workers)

    async def all_ready() -> dict[str, bool]:
        return {**await ready(), "workers": board.is_full()}

    def one(number: int) -> None:
        _run(partial(work, all_ready, lambda: board.set(number, answers=True)))

    settle()
    Supervisor(settings.workers, one, board, told, sockets, settings.grace).run()


def _check_namespaces(documents: Iterable[Document], settings: Settings) -> None:
    """A base URI for a namespace that nothing consumes is a slip that would send calls to the wrong host."""
    known = {section.namespace for document in documents for section in document.sections}
    for namespace in settings.base_uris:
        if namespace not in known:
            hint = did_you_mean(namespace, known)
            raise StartError(f"--base-uri: nothing consumes {namespace!r}" + (f"; {hint}" if hint else ""))


def _say(problems: tuple[Problem, ...]) -> None:
    """Prints every error and the first warnings."""
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    for problem in [*errors, *warnings[:MAX_WARNINGS]]:
        say(str(problem), err=True)
    if more := warnings[MAX_WARNINGS:]:
        say(f"and {len(more)} more warnings; `fairlead check` lists them", err=True)


def _refuse_if_needed(
    problems: tuple[Problem, ...], documents: tuple[Document, ...], variables: Environ, settings: Settings
) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    unset = list(missing(documents, variables))
    if settings.strict and (errors or unset):
        raise LoadError([*errors, *unset])
    if not documents:
        raise LoadError(errors)


async def _serve(
    loaded: Loaded,
    load: Callable[[], Loaded],
    settings: Settings,
    sockets: list[socket],
    ready: Ready,
    on_up: Callable[[], None],
    *,
    sandbox: bool,
) -> None:
    async with _upstream(loaded, settings, sandbox=sandbox) as upstream:

        def served(what: Loaded) -> tuple[Served, ...]:
            return build(what.listeners, _wiring(what, upstream, settings, sandbox=sandbox), settings, ready)

        async def again() -> tuple[Served, ...]:
            if sandbox:
                raise StartError("the sandbox keeps what it was sent; start anew for other files")
            return served(await to_thread.run_sync(_reloaded, load, loaded.ports))

        first = served(loaded)
        settle()
        await serve(first, sockets, settings, on_up, again)


def _upstream(loaded: Loaded, settings: Settings, *, sandbox: bool) -> AbstractAsyncContextManager[Upstream]:
    transport = in_process(Sandbox(loaded.documents, loaded.variables)) if sandbox else None
    return connect(settings.limits, settings.ca_file, transport)


def _wiring(loaded: Loaded, upstream: Upstream, settings: Settings, *, sandbox: bool) -> Wiring:
    base_uris = sandboxes.base_uris(loaded.documents) if sandbox else settings.base_uris
    return Wiring(upstream, loaded.variables, base_uris, sandbox)


def _reloaded(load: Callable[[], Loaded], ports: list[int]) -> Loaded:
    """What is in the files now, as far as it can be served where the gateway listens."""
    loaded = load()
    _say(loaded.problems)
    if sorted(loaded.ports) != sorted(ports):
        listed = ", ".join(map(str, loaded.ports))
        raise StartError(f"the files want other ports now ({listed}); start anew for those")
    return replace(loaded, listeners=tuple(sorted(loaded.listeners, key=lambda one: ports.index(one.port))))


def start_stdio(
    paths: Iterable[Path], settings: Settings, env_file: Path | None, include: Sequence[str], *, sandbox: bool
) -> None:
    """Loads, and speaks MCP on standard input and output: all MCP adapters as one, or the tools that fit `include`.

    Raises:
        LoadError: There is no MCP adapter, or with `strict` anything is wrong.
        StartError: A setting is wrong.
    """
    one_port = replace(settings, mcp_port=DEFAULT_MCP_PORT)
    loaded = _loaded(tuple(paths), one_port, env_file, sandbox=sandbox, only_mcp=True)
    _say(loaded.problems)
    say("\n".join(stdio_banner(loaded.documents, loaded.unserved, sandbox=sandbox)), err=True)
    _run(partial(_speak, loaded, settings, include, sandbox=sandbox))


async def _speak(loaded: Loaded, settings: Settings, include: Sequence[str], *, sandbox: bool) -> None:
    (listener,) = loaded.listeners
    *_, every = listener.tool_sets()
    async with _upstream(loaded, settings, sandbox=sandbox) as upstream:
        try:
            endpoint = endpoint_of(every, _wiring(loaded, upstream, settings, sandbox=sandbox), settings, include)
        except ArgumentError as error:
            raise StartError(f"--include: {error}") from None
        settle()
        await stdio.speak(endpoint, settings.reading.body)


def start_sandbox(paths: Iterable[Path], host: str, port: int, env_file: Path | None) -> None:
    """Serves the sandbox alone until a signal. Variables that are set are the credentials it expects."""
    documents, problems = load_all(paths)
    if not documents:
        raise LoadError(problems)
    _say(problems)
    variables, _ = configured(documents, env_file)
    given = {name: value for name, value in variables.items() if value.get_secret_value()}
    expected = {name: given.get(name, made_up) for name, made_up in sandboxes.environ_of(documents).items()}
    served = Served(port, Sandbox(documents, expected), ())

    def told() -> None:
        say("The sandbox answers; start a gateway on it with")
        for namespace, uri in sandboxes.base_uris(documents, local_url(host, port)).items():
            say(f"  --base-uri {namespace}={uri}")
        for name in expected:
            say(f"  {name}={'<as in the environment>' if name in given else f'sandbox-{name.lower()}'}")

    _run(partial(serve, [served], bind(host, [port]), Settings(host=host), on_up=told))


def _run(main: Callable[[], Awaitable[None]]) -> None:
    """Runs on uvloop where there is one."""
    anyio.run(main, backend_options={"use_uvloop": sys.platform != "win32"})
