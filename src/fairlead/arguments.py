"""What an operation takes, as one JSON Schema that is both published and enforced.

inputParameters:
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

from jsonschema import Draft202012Validator

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
    pattern: str = ""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its value."""
        schema: dict[str, Any] = {"type": self.type} if self.type else {}
        if self.type == "array":
            schema["items"] = {}
        if self.pattern:
            schema["pattern"] = self.pattern
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
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.schema)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ArgumentError` that names every argument which is unknown, missing or of another type."""
        given = {name: value.value if isinstance(value, Encoded) else value for name, value in arguments.items()}
        if not self._validator.is_valid(given):
            self.refuse(dict(sorted(self._faults(given))))

    def _faults(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for error in self._validator.iter_errors(given):
            if error.validator == "required":
                yield from ((name, "is required") for name in error.validator_value if name not in given)
            elif error.validator == "additionalProperties":
                yield from ((name, self.unknown(name)) for name in given if name not in self.names)
            elif error.validator == "pattern":
                yield (
                    str(error.absolute_path[0]),
                    f"must match {error.validator_value!r}, not be {shown(error.instance)}",
                )
            else:
                kind = error.validator_value
                yield str(error.absolute_path[0]), f"must be of type {kind}, not {shown(error.instance)}"

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
