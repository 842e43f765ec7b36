"""What the commands do: load, say what was found, and serve."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import anyio
import click

from fairlead import sandbox as sandboxes
from fairlead.binds import Environ, environ
from fairlead.consumes import Wiring
from fairlead.document import Document, load_all
from fairlead.errors import LoadError, Problem, StartError
from fairlead.guard import LOOPBACK
from fairlead.listeners import Listener, arrange
from fairlead.runtime import Served, build
from fairlead.sandbox import Sandbox
from fairlead.server import bind, readiness, serve
from fairlead.settings import Settings
from fairlead.upstream import connect, in_process


def checked(
    paths: Iterable[Path], env_file: Path | None, *, rest_prefix: bool = False
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """The documents and every problem of them: each alone, together on their listeners, and missing secrets."""
    documents, problems = load_all(paths, rest_prefix=rest_prefix)
    _, clashes = arrange(documents, Settings())
    return documents, tuple(sorted({*problems, *clashes, *missing(documents, _environ(env_file))}))


def missing(documents: Iterable[Document], variables: Environ) -> Iterator[Problem]:
    """A warning for each variable that is not set, at the first place that needs it."""
    seen: set[tuple[str, str]] = set()
    for document in documents:
        for value in document.values():
            for name in value.missing(variables):
                if (document.file, name) not in seen:
                    seen.add((document.file, name))
                    hint = "set it in the environment or in .env; until then the operations that need it answer 503"
                    yield Problem(value.place, f"{name} is not set", hint, "warning")


def _environ(env_file: Path | None) -> Environ:
    try:
        return environ(env_file)
    except FileNotFoundError:
        raise StartError(f"there is no file {str(env_file)!r}") from None


def start(paths: Iterable[Path], settings: Settings, env_file: Path | None, *, sandbox: bool) -> None:
    """Loads and serves until a signal.

    Raises:
        LoadError: Nothing can be served, or with `strict` anything is wrong.
        StartError: A port is taken or a setting is wrong.
    """
    documents, problems = load_all(paths, rest_prefix=settings.rest_prefix)
    listeners, clashes = arrange(documents, settings)
    variables = sandboxes.environ_of(documents) if sandbox else _environ(env_file)
    found = tuple(sorted({*problems, *clashes, *missing(documents, variables)}))
    _refuse_if_needed(found, documents, variables, settings)
    if not listeners:
        raise LoadError(found or [Problem(document.model.at(), "exposes nothing") for document in documents])
    for problem in found:
        click.echo(str(problem), err=True)
    _run(partial(_serve, documents, listeners, variables, settings, sandbox=sandbox))


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
    documents: tuple[Document, ...],
    listeners: tuple[Listener, ...],
    variables: Environ,
    settings: Settings,
    *,
    sandbox: bool,
) -> None:
    ports = [listener.port for listener in listeners]
    sockets = bind(settings.host, ports)
    transport = in_process(Sandbox(documents, variables)) if sandbox else None
    base_uris = sandboxes.base_uris(documents) if sandbox else settings.base_uris
    async with connect(settings.limits, settings.ca_file, transport) as upstream:
        wiring = Wiring(upstream, variables, base_uris)
        served = build(listeners, wiring, settings, readiness(settings.host, ports))
        gc.collect()
        gc.freeze()
        await serve(
            served,
            sockets,
            access_log=settings.access_log,
            on_up=lambda: click.echo("\n".join(banner(documents, listeners, settings, sandbox=sandbox))),
        )


def banner(
    documents: tuple[Document, ...], listeners: tuple[Listener, ...], settings: Settings, *, sandbox: bool
) -> Iterator[str]:
    """What is served, where, and the first calls to try."""
    yield "Fairlead serves"
    for document in documents:
        yield f"  {document.label} ({len(document.routes)} routes, {len(document.tools)} tools)"
    if sandbox:
        yield "from the embedded sandbox: nothing leaves this machine"
    yield "on"
    for listener in listeners:
        yield from _addresses(listener, _base(settings.host, listener.port))
    if settings.host not in {*LOOPBACK, "::1"}:
        yield f"warning: {settings.host} is reachable from other machines, and callers are not authenticated"
    yield from _first_calls(listeners, settings)


def _base(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _addresses(listener: Listener, base: str) -> Iterator[str]:
    if listener.routes:
        yield f"  REST  {base}  ({len(listener.routes)} routes; browse {base}/docs)"
    for tools in listener.tool_sets():
        yield f"  MCP   {base}{tools.path}  ({len(tools.tools)} tools)"


def _first_calls(listeners: tuple[Listener, ...], settings: Settings) -> Iterator[str]:
    """Up to three calls that can be pasted into a shell."""
    yield "try"
    host = settings.host if settings.host != "0.0.0.0" else "127.0.0.1"  # noqa: S104
    for listener in listeners:
        base = _base(host, listener.port)
        plain = [
            route for route in listener.routes if not any(item.location == "path" for item in route.exposed.inputs)
        ]
        creating = [route for route in plain if route.method == "POST"][:1]
        for route in creating:
            yield f"  curl -s {base}{route.path} -H 'content-type: application/json' -d '{{\"name\": \"first\"}}'"
        for route in [route for route in plain if route.method == "GET"][:1]:
            yield f"  curl -s {base}{route.path}"
        if listener.tools:
            call = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
            headers = "-H 'content-type: application/json' -H 'accept: application/json, text/event-stream'"
            yield f"  curl -s {base}/mcp {headers} -d '{call}'"


def start_sandbox(paths: Iterable[Path], host: str, port: int, env_file: Path | None) -> None:
    """Serves the sandbox alone until a signal. Variables that are set are the credentials it expects."""
    documents, problems = load_all(paths)
    if not documents:
        raise LoadError(problems)
    given = {name: value for name, value in _environ(env_file).items() if value.get_secret_value()}
    expected = {name: given.get(name, made_up) for name, made_up in sandboxes.environ_of(documents).items()}
    served = Served(port, Sandbox(documents, expected), ())

    def say() -> None:
        click.echo("The sandbox answers; start a gateway on it with")
        for namespace, uri in sandboxes.base_uris(documents, _base(host, port)).items():
            click.echo(f"  --base-uri {namespace}={uri}")
        for name in expected:
            click.echo(f"  {name}={'<as in the environment>' if name in given else f'sandbox-{name.lower()}'}")

    _run(partial(serve, [served], bind(host, [port]), access_log=False, on_up=say))


def _run(main: Callable[[], Awaitable[None]]) -> None:
    """Runs on uvloop where there is one."""
    anyio.run(main, backend_options={"use_uvloop": sys.platform != "win32"})
