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

from typing import Annotated, Self

from pydantic import Discriminator, Tag, model_validator

from fairlead.caller import Caller
from fairlead.imported import Imported, in_place
from fairlead.model import Model, Text
from fairlead.names import slug
from fairlead.parameters import InputParameter


class Semantics(Model):
    """What callers may expect of a function; what is not said stays unsaid."""

    safe: bool | None = None
    idempotent: bool | None = None
    cacheable: bool | None = None


class Function(Caller):
    """A function: a call, steps or a mock."""

    semantics: Semantics | None = None

    @property
    def declared(self) -> tuple[InputParameter, ...]:
        """The declared inputs, which are needed unless they say otherwise."""
        return tuple(one.needed for one in self.input_parameters)


class Aggregate(Model):
    """Functions under a namespace, which is made of the label where it is not given."""

    namespace: Text = ""
    name: Text = ""
    label: Text = ""
    description: Text = ""
    functions: tuple[Function, ...] = ()

    @model_validator(mode="after")
    def _has_a_namespace(self) -> Self:
        if self.namespace:
            return self
        return self.model_copy(update={"namespace": self.name or slug(self.label)})


Aggregates = Annotated[
    Annotated[Aggregate, Tag("<here>")] | Annotated[Imported, Tag("<import>")], Discriminator(in_place)
]
