"""Inputs and outputs, as every section of a document spells them.

inputParameters:
- {name: id, in: path, type: string, required: true}
outputParameters:
- {type: object, mapping: $.}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, Union

from pydantic import BeforeValidator, Discriminator, Field, GetCoreSchemaHandler, Tag, field_validator, model_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from fairlead.model import FREE, AnyType, Model, Text, as_text, lower

_In = Literal["query", "header", "path", "cookie", "body", "environment"]
_SCHEMA_WORDS = frozenset(
    {
        "items",
        "properties",
        "format",
        "nullable",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
    }
    | {"uniqueItems", "multipleOf", "additionalProperties"}
)
"""What JSON Schema says beyond the type of a value, which is for the upstream to check."""


_Style = Literal["form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"]


class InputParameter(Model):
    """An input of an operation or a tool: where it goes, its type, and whether it must be given.

    `in: environment` only says that the environment has a variable of that name; it is no input of a call. One without
    a name can never be sent, and is told.
    """

    free_keys: ClassVar[frozenset[str]] = FREE | _SCHEMA_WORDS
    spellings: ClassVar[Mapping[str, str]] = {"const": "value", "template": "value"}

    name: Text = ""
    in_: Annotated[_In, BeforeValidator(lower, json_schema_input_type=_In)] | None = Field(default=None, alias="in")
    type: AnyType = None
    description: Text = ""
    required: bool | None = None
    pattern: Text = ""
    enum: tuple[Any, ...] = ()
    default: Any = None
    value: Any = None
    style: _Style | None = None
    explode: bool | None = None

    @property
    def needed(self) -> InputParameter:
        """The same as one that must be given, unless it says otherwise."""
        is_needed = self.required is None and self.default is None
        return self.model_copy(update={"required": True}) if is_needed else self

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error:
            raise ValueError("is no regular expression") from None
        return text

    @model_validator(mode="after")
    def _has_a_default_of_its_type(self) -> Self:
        said = as_text(self.default) if self.type == "string" else self.default
        return self if said is self.default else self.model_copy(update={"default": said})


_Spellings = Union["OutputParameter", tuple["OutputParameter", ...], dict[str, "OutputParameter"]]


_INSIDE = frozenset({"properties", "items", "values"})
"""The keys of an output under which other outputs stand."""


def _form_of_outputs(value: Any) -> str:
    """Whether outputs are a list, one output as a mapping, or a mapping from names to outputs."""
    if not isinstance(value, dict):
        return "<list>"
    is_map = all(isinstance(member, dict) for member in value.values()) and not value.keys() <= _INSIDE
    return "<map>" if is_map else "<one>"


def _list_or(other: str) -> Callable[[Any], str]:
    return lambda value: "<list>" if isinstance(value, list) else other


def _named(outputs: dict[str, OutputParameter]) -> tuple[OutputParameter, ...]:
    return tuple(output.model_copy(update={"name": name}) for name, output in outputs.items())


def _as_tuple(outputs: _Spellings) -> tuple[OutputParameter, ...]:
    if isinstance(outputs, dict):
        return _named(outputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _as_properties(outputs: dict[str, OutputParameter] | tuple[OutputParameter, ...]) -> dict[str, OutputParameter]:
    if isinstance(outputs, dict):
        return outputs
    names = {output.name for output in outputs}
    if "" in names or len(names) < len(outputs):
        raise ValueError("needs a name of its own for each of several outputs")
    return {output.name: output for output in outputs}


def _as_items(outputs: _Spellings) -> OutputParameter:
    """One output without a name is every item; outputs with names are the members of every item."""
    if isinstance(outputs, OutputParameter):
        return outputs
    if isinstance(outputs, tuple) and len(outputs) == 1 and not outputs[0].name:
        return outputs[0]
    return OutputParameter(type="object", properties=_as_properties(outputs))


@dataclass(frozen=True)
class _Spelt:
    """A field that may be written as several types, and what makes its own type of any of them."""

    types: Any
    joined: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.joined, handler.generate_schema(self.types))


class OutputParameter(Model):
    """One output: a JSONPath (`mapping`, or a `value` that starts with `$`), a constant or template (`value`), or
    nested `properties`, `items`, or the `values` of an object whose keys nobody knows.
    """

    free_keys: ClassVar[frozenset[str]] = FREE | {"in", "required", "format", "enum", "nullable"}
    spellings: ClassVar[Mapping[str, str]] = {"const": "value"}

    name: Text = ""
    type: AnyType = None
    description: Text = ""
    mapping: Text | None = None
    value: Any = None
    properties: _Properties = Field(default_factory=dict)
    items: _Items | None = None
    values: OutputParameter | None = None
    max_length: int | None = Field(default=None, ge=0)

    @property
    def path(self) -> str | None:
        """The JSONPath that it says."""
        if self.mapping is None and isinstance(self.value, str) and self.value.startswith("$"):
            return self.value
        return self.mapping


_List = Annotated[tuple[OutputParameter, ...], Tag("<list>")]
_Map = Annotated[dict[str, OutputParameter], Tag("<map>")]
_One = Annotated[OutputParameter, Tag("<one>")]
Outputs = Annotated[
    tuple[OutputParameter, ...],
    _Spelt(Annotated[_List | _Map | _One, Discriminator(_form_of_outputs)], _as_tuple),
]
"""Outputs as they may be spelt: a list; one output; or a mapping from names to outputs."""
_Properties = Annotated[
    dict[str, OutputParameter],
    _Spelt(Annotated[_List | _Map, Discriminator(_list_or("<map>"))], _as_properties),
]
_Items = Annotated[
    OutputParameter,
    _Spelt(Annotated[_List | _Map | _One, Discriminator(_form_of_outputs)], _as_items),
]
OutputParameter.model_rebuild()
