"""What REST operations, MCP tools and functions of aggregates have in common, as written.

- name: cancel-batch-job
  description: Cancel a batch job
  call: together-ai-batches.post
  with: {id: tools.id}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from fairlead.calls import Call
from fairlead.consumes import MediaType
from fairlead.model import Model, Text, lower
from fairlead.parameters import InputParameter, Outputs
from fairlead.steps import ResultMapping, Step, given_in

EncodingName = Annotated[
    Literal["json", "xml", "yaml", "csv", "tsv", "psv"], BeforeValidator(lower, json_schema_input_type=str)
]


class Caller(Model):
    """An operation that calls another one, takes steps, refers to a function of an aggregate, or answers by itself."""

    answers_bare: ClassVar[bool] = False
    """Whether a mock with one output that has no name answers its value, and not an object that holds it."""

    name: Text = ""
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    call: Text = ""
    with_: dict[str, Any] | None = Field(default=None, alias="with")
    output_parameters: Outputs = ()
    steps: tuple[Step, ...] = ()
    mappings: tuple[ResultMapping, ...] = ()
    ref: Text = ""
    output_raw_format: EncodingName | None = None
    output_media_type: MediaType = ""

    @property
    def media_type(self) -> str:
        """What its answers are said to be, whatever the upstream says."""
        return self.output_media_type

    def as_call(self, method: str | None = None, path: str | None = None, resource: str | None = None) -> Call:
        """What it says about the operation it calls."""
        given = None if self.with_ is None else frozenset(self.with_)
        return Call(self.call, self.at("call"), tuple(self.description.split()), method, path, resource, given)

    def given(self) -> Iterator[Any]:
        """The values that it gives to what it calls."""
        yield from (self.with_ or {}).values()
        yield from given_in(self.steps)
