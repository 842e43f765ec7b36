"""The control adapter as written and as planned: what it tells of the process to those who look after it.

- type: control
  port: 9091
  authentication: {type: bearer, token: '{{env.OPERATOR}}'}
  management: {info: true, scripting: {defaultLanguage: python, timeout: 5000}}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from fairlead.errors import Place, Problem, Severity
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model
from fairlead.steps import Scripting

STATUS = "/status"
METRICS = "/metrics"
SCRIPTING = "/scripting"
_NOT_SERVED = {
    "reload": "`SIGHUP` reads documents and secrets anew",
    "validate": "`fairlead check` validates documents",
    "logs": "the log goes to standard error",
}


class Management(Model):
    """What can be asked; `health` is always answered, and what is only told to be missing is in `_NOT_SERVED`."""

    health: bool = True
    info: bool = False
    reload: bool = False
    validate_: bool = Field(default=False, alias="validate")
    logs: bool | dict[str, Any] = False
    scripting: Scripting | None = None


class Local(Model):
    """Whether something is kept in the process itself."""

    unknown_keys: ClassVar[Severity | None] = None

    enabled: bool = True


class Metrics(Model):
    """Counts and times."""

    local: Local = Local()


class Traces(Model):
    """How requests would be traced."""

    unknown_keys: ClassVar[Severity | None] = None

    local: Local = Local()


class Observability(Model):
    """What is measured; nothing is traced, and nothing exported."""

    enabled: bool = True
    metrics: Metrics = Metrics()
    traces: Traces | None = None
    exporters: dict[str, Any] = Field(default_factory=dict)


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
        }
        return frozenset(path for path, is_told in told.items() if is_told)

    @property
    def has_metrics(self) -> bool:
        return self.observability.enabled and self.observability.metrics.local.enabled

    def warnings(self) -> Iterator[Problem]:
        """What stands there and has no effect."""
        said = self.management
        for key, hint in _NOT_SERVED.items():
            if getattr(said, "validate_" if key == "validate" else key):
                yield Problem(said.at(key), f"{key!r} of a control adapter is not supported", hint, "warning")
        if not said.health:
            yield Problem(said.at("health"), "health is answered on every port", "", "warning")
        if said.scripting and said.scripting.statement_limit:
            place = said.scripting.at("statementLimit")
            yield Problem(place, "the statements of scripts are not counted", "`timeout` ends them", "warning")
        traces = self.observability.traces
        if self.observability.enabled and traces and traces.local.enabled:
            yield Problem(self.observability.at("traces"), "traces are not kept", "", "warning")
        if self.observability.enabled and self.observability.exporters:
            yield Problem(self.observability.at("exporters"), "nothing is exported", f"collect {METRICS}", "warning")


@dataclass(frozen=True)
class Control:
    """A control adapter, and what it tells of its document: label, version of the format, adapters with ports."""

    adapter: ControlExposes
    label: str
    version: str
    adapters: tuple[tuple[Adapter, int], ...]
    is_ikanos: bool = False

    @property
    def place(self) -> Place:
        return self.adapter.at()
