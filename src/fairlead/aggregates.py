"""Aggregates as written: functions that operations and tools share by `ref`.

aggregates:
- namespace: fleet
  label: Fleet
  functions:
  - {name: get-ship, description: A ship, semantics: {safe: true}, inputParameters: [...], call: registry.get-ship}
...
tools: [{ref: fleet.get-ship}]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fairlead.caller import Caller
from fairlead.model import InputParameter, Model, Text
from fairlead.names import slug


class Semantics(Model):
    """What callers may expect of a function; what is not said stays unsaid."""

    safe: bool | None = None
    idempotent: bool | None = None
    cacheable: bool | None = None


class Function(Caller):
    """A function: a call, steps or a mock."""

    semantics: Semantics | None = None
    tags: Any = None

    @property
    def declared(self) -> tuple[InputParameter, ...]:
        """The declared inputs, which are needed unless they say otherwise."""
        return tuple(one.needed for one in self.input_parameters)


class Aggregate(Model):
    """Functions under a namespace, which is made of the label where it is not given."""

    spellings: ClassVar[Mapping[str, str]] = {"flows": "functions", "display": "label"}

    namespace: Text = ""
    name: Text = ""
    label: Text = ""
    description: Text = ""
    functions: tuple[Function, ...] = ()

    @property
    def prefix(self) -> str:
        """The namespace under which its functions are referred to."""
        return self.namespace or self.name or slug(self.label)
