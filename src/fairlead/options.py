"""The options of the command, their variables, and the settings that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), envvar="FAIRLEAD_CAPABILITIES")


class _Seconds(click.FloatRange):
    """A time that can be waited; NaN is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        return seconds if seconds == seconds else self.fail("NaN is no time", param, ctx)  # noqa: PLR0124


SECONDS = _Seconds(0.001, 86_400)
COUNT = click.IntRange(1)


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """An option whose variable is FAIRLEAD_ and its name, shown in the help."""
    variable = "FAIRLEAD_" + names[0].lstrip("-").upper().replace("-", "_").partition("/")[0]
    return click.option(*names, envvar=attributes.pop("envvar", variable), show_envvar=True, **attributes)


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one, in this order."""
    return lambda function: reduce(lambda inner, option: option(inner), reversed(options), function)


def host_names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses what is no name of a host."""
    for host in value:
        if "/" in host or "@" in host:
            raise click.BadParameter(f"{host!r} is no host name, but a URL or a path", ctx, param)
    return value


ENV_FILE = option(
    "--env-file", type=click.Path(path_type=Path), help="File with secrets, besides the environment.  [default: .env]"
)
REST_PREFIX = option(
    "--rest-prefix",
    type=click.Choice(["none", "namespace"]),
    default="none",
    show_default=True,
    help="Put each REST adapter's paths below its namespace.",
)
SCRIPTS = option(
    "--scripts/--no-scripts",
    default=None,
    help="Run the scripts of steps always, or never.  [default: where a control adapter permits them]",
)
SANDBOX = click.option("--sandbox", is_flag=True, help="Answer from an embedded upstream: no key, no network.")
STRICT = option("--strict", is_flag=True, help="Do not start when anything is refused or a secret is missing.")
LOG_LEVEL = option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to log, on stderr.",
)
UPSTREAMS = _together(
    option(
        "--base-uri",
        multiple=True,
        metavar="NAMESPACE=URL",
        envvar="FAIRLEAD_BASE_URIS",
        help="Where a consumed API is, instead of its baseUri. Repeatable.",
    ),
    ENV_FILE,
    option(
        "--ca-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificates to trust as well."
    ),
    option(
        "--connect-timeout", type=SECONDS, default=5.0, show_default=True, help="Seconds to connect to an upstream."
    ),
    option(
        "--read-timeout", type=SECONDS, default=30.0, show_default=True, help="Seconds to wait for more of an answer."
    ),
    option(
        "--total-timeout",
        type=SECONDS,
        default=60.0,
        show_default=True,
        help="Seconds for an answer that is read whole.",
    ),
    option("--max-connections", type=COUNT, default=100, show_default=True, help="Connections to all upstreams."),
    option(
        "--max-request-body",
        type=COUNT,
        default=10 * 1024 * 1024,
        show_default=True,
        help="Largest request body in bytes.",
    ),
    option(
        "--max-response-body",
        type=COUNT,
        default=10 * 1024 * 1024,
        show_default=True,
        help="Largest answer that is read whole, in bytes; streams have no limit.",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def settings(**options: Any) -> Any:
    """The `Settings` that the options of `serve` and `stdio` say."""
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
        loading=loading(options.get("rest_prefix", "none"), options["scripts"]),
        allowed_hosts=options.get("allowed_host", ()),
        base_uris=_base_uris(options["base_uri"]),
        limits=limits,
        reading=Reading(options["max_request_body"], options.get("forward_query", False)),
    )


def loading(rest_prefix: str, scripts: bool | None) -> Any:
    """How documents are loaded, as `REST_PREFIX` and `SCRIPTS` say."""
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
