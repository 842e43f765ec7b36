"""The control adapter as written and as planned: what it tells of the process to those who look after it.

- type: control
  port: 9091
  authentication: {type: bearer, token: '{{env.OPERATOR}}'}
  management: {info: true, logs: {stream: true}, scripting: {defaultLanguage: python, timeout: 5000}}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from fairlead.binds import Bindings, Value
from fairlead.errors import Place, Problem, Severity
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model, Text
from fairlead.scripts import LANGUAGES
from fairlead.steps import Scripting
from fairlead.template import parse

STATUS = "/status"
METRICS = "/metrics"
TRACES = "/traces"
SCRIPTING = "/scripting"
LOGS = "/logs"
LOG_STREAM = "/logs/stream"
_NOT_SERVED = {
    "reload": "`SIGHUP` reads documents and secrets anew",
    "validate": "`fairlead check` validates documents",
}


class Logs(Model):
    """What can be done with the log besides reading it: its level changed, and so many follow it."""

    level_control: bool = Field(default=True, alias="level-control")
    stream: bool = False
    max_subscribers: Annotated[int, Field(ge=1, le=100, alias="max-subscribers")] = 5


def _as_logs(value: Any) -> Any:
    """True stands for what a mapping without keys says, false for nothing."""
    return ({} if value else None) if isinstance(value, bool) else value


class Management(Model):
    """What can be asked; `health` is always answered, and what is only told to be missing is in `_NOT_SERVED`."""

    health: bool = True
    info: bool = False
    reload: bool = False
    validate_: bool = Field(default=False, alias="validate")
    logs: Annotated[Logs | None, BeforeValidator(_as_logs, json_schema_input_type=bool | Logs)] = None
    scripting: Scripting | None = None


class Local(Model):
    """Whether something is kept in the process itself."""

    unknown_keys: ClassVar[Severity | None] = None

    enabled: bool = True


class Metrics(Model):
    """Counts and times."""

    local: Local = Local()


class LocalTraces(Local):
    """How many traces are kept to be read."""

    buffer_size: Annotated[int, Field(ge=1, le=10_000, alias="buffer-size")] = 100


class Traces(Model):
    """Which part of all requests is traced; whose trace they are part of is told in the words of W3C."""

    unknown_keys: ClassVar[Severity | None] = None

    sampling: Annotated[float, Field(ge=0, le=1)] = 1.0
    propagation: Text = "w3c"
    local: LocalTraces = LocalTraces()


class Otlp(Model):
    """Where traces go: a collector of OpenTelemetry, by HTTP."""

    unknown_keys: ClassVar[Severity | None] = None

    endpoint: Text = ""


class Exporters(Model):
    """Where what is measured goes."""

    unknown_keys: ClassVar[Severity | None] = "warning"

    otlp: Otlp = Otlp()


class Observability(Model):
    """What is measured, and what is traced."""

    enabled: bool = True
    metrics: Metrics = Metrics()
    traces: Traces | None = None
    exporters: Exporters = Exporters()

    @property
    def has_local_traces(self) -> bool:
        return self.enabled and self.traces is not None and self.traces.local.enabled

    @property
    def endpoint(self) -> str:
        """Where traces go; empty where they do not."""
        return self.exporters.otlp.endpoint.strip() if self.enabled else ""

    @property
    def has_traces(self) -> bool:
        return self.has_local_traces or bool(self.endpoint)


class ControlExposes(Adapter):
    """A control adapter."""

    type: Literal["control"]
    management: Management = Management()
    observability: Observability = Observability()

    @property
    def paths(self) -> frozenset[str]:
        """Where it answers, besides the pages of health that every listener has."""
        told = {
            STATUS: self.management.info,
            METRICS: self.has_metrics,
            SCRIPTING: self.management.scripting is not None,
            TRACES: self.observability.has_local_traces,
            LOGS: self.management.logs is not None,
            LOG_STREAM: self.management.logs is not None and self.management.logs.stream,
        }
        return frozenset(path for path, is_told in told.items() if is_told)

    @property
    def has_metrics(self) -> bool:
        return self.observability.enabled and self.observability.metrics.local.enabled

    def collector(self, bindings: Bindings) -> Value | None:
        """Where traces go, which may hold variables."""
        endpoint = self.observability.endpoint
        return bindings.value(endpoint, self.observability.exporters.otlp.at("endpoint")) if endpoint else None

    def warnings(self) -> Iterator[Problem]:
        """What stands there and has no effect."""
        said = self.management
        for key, hint in _NOT_SERVED.items():
            if getattr(said, "validate_" if key == "validate" else key):
                yield Problem(said.at(key), f"{key!r} of a control adapter is not supported", hint, "warning")
        if not said.health:
            yield Problem(said.at("health"), "health is answered on every port", "", "warning")
        if said.scripting and said.scripting.statement_limit:
            yield from _uncounted(said.scripting)
        if self.observability.has_traces:
            yield from _untraced(self.observability)


def _uncounted(scripting: Scripting) -> Iterator[Problem]:
    for name in sorted(scripting.allowed_languages or LANGUAGES):
        if name in LANGUAGES and not LANGUAGES[name].counts:
            message = f"the statements of scripts in {name!r} are not counted"
            yield Problem(scripting.at("statementLimit"), message, "`timeout` ends them", "warning")


def _untraced(said: Observability) -> Iterator[Problem]:
    """What cannot be done of what is said of traces."""
    if not can_trace():
        key = "exporters" if said.endpoint else "traces"
        yield Problem(said.at(key), "the packages for traces are not installed", "pip install 'fairlead[otel]'")
    if said.traces and said.traces.propagation != "w3c":
        message = f"propagation {said.traces.propagation!r} is not supported"
        yield Problem(said.traces.at("propagation"), message, "'w3c' is used", "warning")
    if said.endpoint and not parse(said.endpoint).holes and not is_http(said.endpoint):
        message = f"the endpoint {said.endpoint!r} is no http(s) URL"
        yield Problem(said.exporters.otlp.at("endpoint"), message, "traces go nowhere")
    elif said.endpoint.rstrip("/").endswith(":4317"):
        place = said.exporters.otlp.at("endpoint")
        yield Problem(place, "4317 is the port of OTLP by gRPC", "by HTTP, as it is done here, it is 4318", "warning")


def is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def can_trace() -> bool:
    """Whether the packages for traces are installed; none of them is imported but an empty parent."""
    try:
        return all(map(find_spec, ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")))
    except ModuleNotFoundError:
        return False


@dataclass(frozen=True)
class Control:
    """A control adapter, and what it tells of its document: label, version of the format, adapters with ports.

    `scripting` is how the scripts of the document run, which the first control adapter that speaks of it has said, or
    the operator; None where they do not.
    """

    adapter: ControlExposes
    label: str
    version: str
    adapters: tuple[tuple[Adapter, int], ...]
    scripting: Scripting | None = None
    is_ikanos: bool = False
    collector: Value | None = None
    """Where its traces go."""

    @property
    def place(self) -> Place:
        return self.adapter.at()
