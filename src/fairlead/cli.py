"""The command `fairlead`: serve, stdio, check, explain, sandbox, health, schema, new."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fairlead import __version__
from fairlead.errors import LoadError, Problem, StartError
from fairlead.options import (
    AS_JSON,
    COUNT,
    ENV_FILE,
    LOG_LEVEL,
    PATHS,
    REST_PREFIX,
    SANDBOX,
    SCRIPTS,
    SECONDS,
    STRICT,
    UPSTREAMS,
    host_names,
    loading,
    option,
    settings,
)
from fairlead.terminal import counted, report, say


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
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--rest-port", type=click.IntRange(1, 65535), help="Port of all REST adapters, instead of the files' own.")
@option("--mcp-port", type=click.IntRange(1, 65535), help="Port of all MCP adapters, instead of the files' own.")
@REST_PREFIX
@SCRIPTS
@option(
    "--allowed-host",
    multiple=True,
    callback=host_names,
    envvar="FAIRLEAD_ALLOWED_HOSTS",
    help="Host name that callers and web pages may use besides the loopback names; '*' for any. Repeatable.",
)
@UPSTREAMS
@option("--forward-query", is_flag=True, help="Send undeclared query parameters upstream instead of refusing them.")
@option("--workers", type=COUNT, default=1, show_default=True, help="Processes that serve the same ports.")
@option("--grace", type=SECONDS, default=20.0, show_default=True, help="Seconds for running calls when stopping.")
@STRICT
@option("--access-log", is_flag=True, help="Log every request.")
@LOG_LEVEL
def serve(paths: tuple[Path, ...], sandbox: bool, strict: bool, log_level: str, **options: Any) -> None:
    """Serve capability files, or folders of them.  [default: ./capabilities]"""
    from fairlead.start import start

    _log(log_level, many=options["workers"] > 1)
    with _starting(strict=strict):
        start(_paths(paths), settings(strict=strict, **options), options["env_file"], sandbox=sandbox)


@main.command()
@PATHS
@SANDBOX
@option("--include", multiple=True, help="Offer only tools that fit, by their names or those of adapters. Repeatable.")
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
        start_stdio(_paths(paths), settings(strict=strict, **options), options["env_file"], patterns, sandbox=sandbox)


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


@main.command()
@PATHS
@REST_PREFIX
@SCRIPTS
@ENV_FILE
@option("--strict", is_flag=True, help="Count warnings and missing secrets as errors.")
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
        documents, problems, notes = checked(_paths(paths), env_file, loading(rest_prefix, scripts), advice=advice)
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
        documents, problems = load_all(_paths(paths), loading(rest_prefix, scripts))
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
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option("--port", type=click.IntRange(1, 65535), default=7070, show_default=True, help="Port to listen on.")
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
@option("--rest-port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to ask.")
@option("--url", envvar="FAIRLEAD_HEALTH_URL", help="Gateway to ask, instead of the port on this machine.")
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
