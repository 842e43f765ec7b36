"""The command `fairlead`: serve, stdio, check, explain, sandbox, health, schema, new."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from fairlead import __version__
from fairlead.errors import LoadError, Problem, StartError
from fairlead.terminal import counted, report, say

F = TypeVar("F", bound=Callable[..., Any])
PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), envvar="FAIRLEAD_CAPABILITIES")


class _Seconds(click.FloatRange):
    """A time that can be waited; NaN is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        return seconds if seconds == seconds else self.fail("NaN is no time", param, ctx)  # noqa: PLR0124


SECONDS = _Seconds(0.001, 86_400)
COUNT = click.IntRange(1)


def _option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """An option whose variable is FAIRLEAD_ and its name, shown in the help."""
    variable = "FAIRLEAD_" + names[0].lstrip("-").upper().replace("-", "_").partition("/")[0]
    return click.option(*names, envvar=attributes.pop("envvar", variable), show_envvar=True, **attributes)


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one, in this order."""
    return lambda function: reduce(lambda inner, option: option(inner), reversed(options), function)


def _host_names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for host in value:
        if "/" in host or "@" in host:
            raise click.BadParameter(f"{host!r} is no host name, but a URL or a path", ctx, param)
    return value


ENV_FILE = _option(
    "--env-file", type=click.Path(path_type=Path), help="File with secrets, besides the environment.  [default: .env]"
)
REST_PREFIX = _option(
    "--rest-prefix",
    type=click.Choice(["none", "namespace"]),
    default="none",
    show_default=True,
    help="Put each REST adapter's paths below its namespace.",
)
SCRIPTS = _option(
    "--scripts/--no-scripts",
    default=None,
    help="Run the scripts of steps always, or never.  [default: where a control adapter permits them]",
)
SANDBOX = click.option("--sandbox", is_flag=True, help="Answer from an embedded upstream: no key, no network.")
STRICT = _option("--strict", is_flag=True, help="Do not start when anything is refused or a secret is missing.")
LOG_LEVEL = _option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to log, on stderr.",
)
UPSTREAMS = _together(
    _option(
        "--base-uri",
        multiple=True,
        metavar="NAMESPACE=URL",
        envvar="FAIRLEAD_BASE_URIS",
        help="Where a consumed API is, instead of its baseUri. Repeatable.",
    ),
    ENV_FILE,
    _option(
        "--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificates to trust as well."
    ),
    _option(
        "--connect-timeout", type=SECONDS, default=5.0, show_default=True, help="Seconds to connect to an upstream."
    ),
    _option(
        "--read-timeout", type=SECONDS, default=30.0, show_default=True, help="Seconds to wait for more of an answer."
    ),
    _option(
        "--total-timeout",
        type=SECONDS,
        default=60.0,
        show_default=True,
        help="Seconds for an answer that is read whole.",
    ),
    _option("--max-connections", type=COUNT, default=100, show_default=True, help="Connections to all upstreams."),
    _option(
        "--max-request-body",
        type=COUNT,
        default=10 * 1024 * 1024,
        show_default=True,
        help="Largest request body in bytes.",
    ),
    _option(
        "--max-response-body",
        type=COUNT,
        default=10 * 1024 * 1024,
        show_default=True,
        help="Largest answer that is read whole, in bytes; streams have no limit.",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: fairlead serve --sandbox capabilities",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Serve the HTTP APIs that capability files describe: REST on port 8080, MCP tools on port 9090."""


@main.command()
@PATHS
@SANDBOX
@_option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@_option("--rest-port", type=click.IntRange(1, 65535), help="Port of all REST adapters, instead of the files' own.")
@_option("--mcp-port", type=click.IntRange(1, 65535), help="Port of all MCP adapters, instead of the files' own.")
@REST_PREFIX
@SCRIPTS
@_option(
    "--allowed-host",
    multiple=True,
    callback=_host_names,
    envvar="FAIRLEAD_ALLOWED_HOSTS",
    help="Host name that callers and web pages may use besides the loopback names; '*' for any. Repeatable.",
)
@UPSTREAMS
@_option("--forward-query", is_flag=True, help="Send undeclared query parameters upstream instead of refusing them.")
@_option("--workers", type=COUNT, default=1, show_default=True, help="Processes that serve the same ports.")
@_option("--grace", type=SECONDS, default=20.0, show_default=True, help="Seconds for running calls when stopping.")
@STRICT
@_option("--access-log", is_flag=True, help="Log every request.")
@LOG_LEVEL
def serve(paths: tuple[Path, ...], sandbox: bool, strict: bool, log_level: str, **options: Any) -> None:
    """Serve capability files, or folders of them.  [default: ./capabilities]"""
    from fairlead.start import start

    _log(log_level, many=options["workers"] > 1)
    with _starting(strict=strict):
        start(_paths(paths), _settings(strict=strict, **options), options["env_file"], sandbox=sandbox)


@main.command()
@PATHS
@SANDBOX
@_option("--include", multiple=True, help="Offer only tools that fit, by their names or those of adapters. Repeatable.")
@SCRIPTS
@UPSTREAMS
@STRICT
@LOG_LEVEL
def stdio(
    paths: tuple[Path, ...], sandbox: bool, include: tuple[str, ...], strict: bool, log_level: str, **options: Any
) -> None:
    """Speak MCP on stdin and stdout, for agents that start it.  [default: ./capabilities]"""
    from fairlead.exposes.toolbox import split
    from fairlead.start import start_stdio

    _log(log_level)
    patterns = [pattern for text in include for pattern in split(text)]
    with _starting(strict=strict):
        settings = _settings(strict=strict, **options)
        start_stdio(_paths(paths), settings, options["env_file"], patterns, sandbox=sandbox)


@contextmanager
def _starting(*, strict: bool) -> Iterator[None]:
    """Says why nothing was started, if so."""
    try:
        yield
    except LoadError as error:
        report(error.problems)
        reason = " (--strict)" if strict else ""
        raise click.ClickException(f"not started: {counted(len(error.problems), 'problem')}{reason}") from None
    except StartError as error:
        raise click.ClickException(str(error)) from None


def _log(level: str, *, many: bool = False) -> None:
    """Logs on stderr, with the process where there are several; the libraries that serve only what is wrong."""
    process = "[%(process)d] " if many else ""
    logging.basicConfig(level=level.upper(), format=f"%(asctime)s {process}%(levelname)s %(name)s: %(message)s")
    for name in ("mcp", "uvicorn.error"):
        logging.getLogger(name).setLevel("WARNING")


def _settings(**options: Any) -> Any:
    from fairlead.exposes.request import Reading
    from fairlead.settings import Settings
    from fairlead.upstream import Limits

    limits = Limits(
        options["connect_timeout"],
        options["read_timeout"],
        options["total_timeout"],
        options["max_connections"],
        options["max_response_body"],
    )
    names = ("host", "rest_port", "mcp_port", "ca_file", "access_log", "strict", "workers", "grace")
    return Settings(
        **{name: options[name] for name in names if name in options},
        loading=_loading(options.get("rest_prefix", "none"), options["scripts"]),
        allowed_hosts=options.get("allowed_host", ()),
        base_uris=_base_uris(options["base_uri"]),
        limits=limits,
        reading=Reading(options["max_request_body"], options.get("forward_query", False)),
    )


def _loading(rest_prefix: str, scripts: bool | None) -> Any:
    from fairlead.document import Loading

    return Loading(rest_prefix == "namespace", scripts)


def _base_uris(pairs: Iterable[str]) -> dict[str, str]:
    from fairlead.wiring import is_base_uri

    uris: dict[str, str] = {}
    for pair in pairs:
        namespace, _, uri = pair.partition("=")
        if not namespace or not is_base_uri(uri):
            raise click.BadParameter(f"{pair!r} is not NAMESPACE=http(s)://...", param_hint="--base-uri")
        uris[namespace] = uri
    return uris


@main.command()
@PATHS
@REST_PREFIX
@SCRIPTS
@ENV_FILE
@_option("--strict", is_flag=True, help="Count warnings and missing secrets as errors.")
@click.option("--lint", "advice", is_flag=True, help="Report what the specification advises, too.")
@click.option("--report", "as_table", is_flag=True, help="Print a table of all files: what is served, how it was told.")
@AS_JSON
def check(
    paths: tuple[Path, ...],
    rest_prefix: str,
    scripts: bool | None,
    env_file: Path | None,
    strict: bool,
    advice: bool,
    as_table: bool,
    as_json: bool,
) -> None:
    """Report every problem of capability files.

    Exit code 1 when anything is refused, 0 otherwise; missing secrets and warnings, those of --lint too, count with
    --strict.
    """
    from fairlead import overview
    from fairlead.checks import checked

    try:
        documents, problems, notes = checked(_paths(paths), env_file, _loading(rest_prefix, scripts), advice=advice)
    except LoadError as error:
        documents, problems, notes = (), error.problems, ()
    except StartError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        found = overview.as_json(documents, problems) if as_table else [problem.as_dict() for problem in problems]
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif as_table:
        say("\n".join(overview.table(documents, problems)))
    else:
        report(problems)
        _summary(documents, problems)
        for note in notes:
            say(f"note: {note}")
    sys.exit(any(strict or problem.severity == "error" for problem in problems))


def _summary(documents: Iterable[Any], problems: Iterable[Problem]) -> None:
    listed, found = list(documents), list(problems)
    errors = sum(problem.severity == "error" for problem in found)
    operations = sum(exposed.target is not None for document in listed for exposed in document.exposed)
    counts = f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
    say(f"{counted(len(listed), 'capability')}, {operations} operations and tools: {counts}")


@main.command()
@PATHS
@REST_PREFIX
@SCRIPTS
@AS_JSON
def explain(paths: tuple[Path, ...], rest_prefix: str, scripts: bool | None, as_json: bool) -> None:
    """Print which upstream request every operation and tool makes, and by which evidence."""
    from fairlead.explain import as_json as explained
    from fairlead.explain import lines
    from fairlead.load import load_all

    try:
        documents, problems = load_all(_paths(paths), _loading(rest_prefix, scripts))
    except LoadError as error:
        documents, problems = (), error.problems
    if as_json:
        click.echo(json.dumps(explained(documents), indent=2, ensure_ascii=False))
    else:
        say("\n".join(lines(documents)))
    errors = [problem for problem in problems if problem.severity == "error"]
    report(errors)
    sys.exit(bool(errors))


@main.command()
@PATHS
@_option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@_option("--port", type=click.IntRange(1, 65535), default=7070, show_default=True, help="Port to listen on.")
@ENV_FILE
def sandbox(paths: tuple[Path, ...], host: str, port: int, env_file: Path | None) -> None:
    """Run the sandbox upstream as a server of its own, for a gateway started with --base-uri."""
    from fairlead.start import start_sandbox

    try:
        start_sandbox(_paths(paths), host, port, env_file)
    except LoadError as error:
        report(error.problems)
        raise click.ClickException("not started") from None
    except StartError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@_option("--rest-port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to ask.")
@_option("--url", envvar="FAIRLEAD_HEALTH_URL", help="Gateway to ask, instead of the port on this machine.")
def health(rest_port: int, url: str | None) -> None:
    """Ask a running gateway whether all its ports answer; exit code 0 when they do."""
    import anyio

    from fairlead.exposes.pages import READY
    from fairlead.upstream import answers

    base = url or f"http://127.0.0.1:{rest_port}"
    is_ready = anyio.run(answers, f"{base.rstrip('/')}{READY}")
    click.echo("ready" if is_ready else "not ready")
    sys.exit(not is_ready)


@main.command()
def schema() -> None:
    """Print the JSON Schema of capability files, for editors."""
    from fairlead.file_schema import file_schema

    click.echo(json.dumps(file_schema(), indent=2))


@main.command()
@click.argument("name")
@click.option("--base-uri", required=True, metavar="URL", help="Where the API is that it consumes.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="capabilities",
    show_default=True,
    help="Where to write it.",
)
def new(name: str, base_uri: str, folder: Path) -> None:
    """Write a first capability for an API; a file that is there is never overwritten."""
    from fairlead.starter import write

    try:
        path = write(name, base_uri, folder)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    say(f"{path} is written; try it: fairlead serve --sandbox {shlex.quote(str(path))}")


def _paths(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return paths or (Path("capabilities"),)
