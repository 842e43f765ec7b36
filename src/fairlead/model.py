"""What every section of a document is: frozen data that knows its lines, with texts and types as files spell them.

Unknown keys are problems with the nearest known key as their hint; keys that start with `x-` are free, and
so are those for readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

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
