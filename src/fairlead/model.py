"""What every section of a document is: frozen data that knows its lines.

    inputParameters:
    - {name: id, in: path, type: string, required: true}
    outputParameters:
    - {type: object, mapping: $.}

Unknown keys are problems with the nearest known key as their hint; keys that start with `x-` are free, and
so are those for readers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from fairlead.errors import Place, Problem, Severity, did_you_mean
from fairlead.nodes import Decimal, Integer, MappingNode

REFUSED: Mapping[str, str] = {"tunnel": "the API would have to be reached through it; reach it by `baseUri` instead"}
"""Keys of the file format that are never going to work, and why."""

FREE = frozenset(
    {"tags", "display", "label", "title", "summary", "version", "notes", "example", "examples", "deprecated"}
    | {"externalDocs"}
)
"""Keys for readers and catalogues, which any section may have; `display` only where it has a `label` as well."""


class Model(BaseModel):
    """A section of a document: frozen, closed, keys in camelCase, and it knows where it stands.

    A key without a value is as good as absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)
    unknown_keys: ClassVar[Severity | None] = "error"
    """What an unknown key is; None where any key is welcome."""

    free_keys: ClassVar[frozenset[str]] = FREE
    """The keys that mean nothing here and are welcome all the same."""

    spellings: ClassVar[Mapping[str, str]] = {}
    """Other spellings of keys, which count where the key itself has no value."""

    _node: MappingNode | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_places(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(data, MappingNode):
            return handler(data)
        keys = cls.known_keys()
        given = {key: value for key, value in data.items() if value is not None}
        known = {key: value for key, value in given.items() if key in keys}
        other = {key: given[spelling] for spelling, key in cls.spellings.items() if spelling in given}
        model = handler({**other, **known})
        model._node = data
        return model

    @classmethod
    @cache
    def known_keys(cls) -> frozenset[str]:
        """The keys that it may have."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    def unknown(self) -> Iterator[tuple[str, Problem]]:
        """The keys in it that it may not have, and what to tell of them."""
        node: Mapping[str, Any] = self._node or {}
        if self.unknown_keys is None or node.keys() <= self.known_keys():
            return
        other = {spelling for spelling, key in self.spellings.items() if node.get(key) is None}
        for key in node:
            if key not in self.known_keys() | other | self.free_keys and not key.startswith("x-"):
                yield key, self._as_unknown(key, self.unknown_keys)

    def _as_unknown(self, key: str, severity: Severity) -> Problem:
        assert self._node is not None
        place = self._node.key_places[key]
        if key in REFUSED:
            return Problem(place, f"key {key!r} is not supported", REFUSED[key])
        return Problem(place, f"unknown key {key!r}", did_you_mean(key, self.known_keys()), severity)

    def faults(self, *keys: str, besides: str | tuple[str, ...] = ()) -> tuple[Problem, ...]:
        """The errors of form in it, at any depth: in the entries of those keys, or in all but `besides`."""
        entries = self._node.faults if self._node else {}
        others = (besides,) if isinstance(besides, str) else besides
        meant = (problems for key, problems in entries.items() if (key in keys if keys else key not in others))
        return tuple(chain.from_iterable(meant))

    def key_at(self, key: str) -> Place:
        """Where a key stands that may have no value."""
        return self._node.key_places[key] if self._node else Place("")

    def at(self, *keys: str) -> Place:
        """Where the section stands, or the innermost value that the keys lead to."""
        node: Any = self._node
        place = node.place if isinstance(node, MappingNode) else Place("")
        for key in keys:
            if not isinstance(node, MappingNode) or key not in node:
                break
            node, place = node[key], node.value_places[key]
        return place


def as_text(value: Any) -> Any:
    """Numbers and booleans where text is meant (`version: 1.10`) are read as they are spelt."""
    if isinstance(value, Integer | Decimal):
        return value.text
    return str(value).lower() if isinstance(value, bool) else value


_AsText = BeforeValidator(as_text, json_schema_input_type=str | float | bool)
Text = Annotated[str, _AsText]
Name = Annotated[str, _AsText, StringConstraints(min_length=1)]
Type = Literal["string", "integer", "number", "boolean", "array", "object"]
_OpenType = Literal["json", "binary", "any", "file"]
_TypeName = Literal["int", "float", "double", "bool", "list", "map", "date", "date-time", "datetime", "uri", "uuid"]
_ANY_TYPES = get_args(_OpenType)
"""Types that published files use and that tell nothing about a value."""
_TYPE_NAMES: Mapping[str, Type] = {
    **dict.fromkeys(get_args(_TypeName), "string"),
    "int": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "list": "array",
    "map": "object",
}
"""Other names of the types; dates and the like are texts."""


def lower(value: Any) -> Any:
    """Text in lower case, where it is text."""
    return value.lower() if isinstance(value, str) else value


def _known_type(value: Any) -> Any:
    name = lower(value)
    return None if name in _ANY_TYPES else _TYPE_NAMES.get(name, name) if isinstance(name, str) else value


AnyType = Annotated[Type | None, BeforeValidator(_known_type, json_schema_input_type=Type | _OpenType | _TypeName)]
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
