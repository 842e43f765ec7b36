"""What an operation takes, as one JSON Schema that is both published and enforced.

inputParameters:
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

from fairlead.errors import ArgumentError, did_you_mean
from fairlead.model import Type
from fairlead.styles import shown

Location = Literal["path", "query", "header", "cookie", "body", "member"]
"""Where a value stands in a request; a `member` is one member of a JSON body, the `body` all of it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A JSON value together with the bytes it came in, so that it can go on unchanged."""

    value: Any
    data: bytes


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its name for callers, where REST callers put it, its type, and whether it must be given."""

    name: str
    location: Location
    type: Type | None = None
    description: str = ""
    required: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its value."""
        schema: dict[str, Any] = {"type": self.type} if self.type else {}
        if self.type == "array":
            schema["items"] = {}
        return schema | ({"description": self.description} if self.description else {})


@dataclass(frozen=True)
class Inputs:
    """All inputs of an operation."""

    items: tuple[Input, ...] = ()

    def __iter__(self) -> Iterator[Input]:
        return iter(self.items)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(item.name for item in self.items)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments: an object, closed to unknown properties."""
        schema: dict[str, Any] = {"type": "object", "properties": {item.name: item.schema for item in self.items}}
        if required := [item.name for item in self.items if item.required]:
            schema["required"] = required
        return schema | {"additionalProperties": False}

    @cached_property
    def _types(self) -> dict[str, Type | None]:
        return {item.name: item.type for item in self.items}

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(item.name for item in self.items if item.required)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ArgumentError` that names every argument which is unknown, missing or of another type."""
        if faults := dict(self._faults(arguments)):
            self.refuse(dict(sorted(faults.items())))

    def _faults(self, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the schema would find, which is flat: no more is to be looked at than names and types."""
        if not self._required <= arguments.keys():
            yield from ((name, "is required") for name in self._required - arguments.keys())
        for name, given in arguments.items():
            if name not in self._types:
                yield name, self.unknown(name)
            elif (kind := self._types[name]) and not _is_a(kind, given):
                value = given.value if isinstance(given, Encoded) else given
                yield name, f"must be of type {kind}, not {shown(value)}"

    def unknown(self, name: str) -> str:
        """The fault of an argument that nothing declares."""
        if name in self.names:
            return "is declared in another place of the request"
        hint = did_you_mean(name, self.names)
        return f"is not declared ({hint})" if hint else "is not declared"

    def refuse(self, faults: Mapping[str, str]) -> NoReturn:
        """Raises the `ArgumentError` for what is wrong with each of the arguments named."""
        detail = "; ".join(f"argument {name!r} {fault}" for name, fault in faults.items())
        errors = [{"argument": name, "detail": fault} for name, fault in faults.items()]
        raise ArgumentError(detail, {"errors": errors, "declared": [item.name for item in self.items]})


_CLASSES: dict[Type, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _is_a(kind: Type, given: Any) -> bool:
    """Whether a value is of a type of JSON Schema, to which 5.0 is an integer and true is no number."""
    value = given.value if isinstance(given, Encoded) else given
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _CLASSES[kind]) or (kind == "integer" and isinstance(value, float) and value.is_integer())
