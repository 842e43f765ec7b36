"""What an operation takes, as one JSON Schema that is both published and enforced.

inputParameters:
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NoReturn, Protocol

from fairlead.errors import ArgumentError, did_you_mean
from fairlead.jsontext import loads
from fairlead.model import Type
from fairlead.names import find
from fairlead.styles import shown

Location = Literal["path", "query", "header", "cookie", "body", "member"]
"""Where a value stands in a request; a `member` is one member of a JSON body, the `body` all of it."""


@dataclass(frozen=True)
class Encoded:
    """A JSON value in the bytes it came in, known to be JSON, and their media type, so that it can go on unchanged."""

    data: bytes
    media: str = "application/json"

    @cached_property
    def value(self) -> Any:
        """The value itself, made where somebody asks for it: that takes many times as long as sending it on."""
        return loads(self.data.decode())

    @property
    def outline(self) -> Any:
        """What tells the type of the value: an empty object or array in the place of one, and any other as it is."""
        start = self.data[:64].lstrip()[:1]
        return {} if start == b"{" else [] if start == b"[" else self.value


class Stream(Protocol):
    """A body that is still on its way: pieces of bytes, and how many there will be, None where nobody knows."""

    length: int | None

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opaque:
    """A body that only the upstream can read, and its media type; it goes on unchanged, here or still on its way."""

    data: bytes | Stream
    media: str


def plain(value: Any) -> Any:
    """The value as it is in a text or in other data, without the bytes it came in."""
    if isinstance(value, Opaque):
        raise ArgumentError(f"a body of type {value.media!r} cannot be a part of what is sent; send application/json")
    return value.value if isinstance(value, Encoded) else value


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its name for callers, where REST callers put it, its type, and whether it must be given.

    REST callers may know it under a `public` name that another input has in another place, or give it somewhere in the
    body, where the JSONPath `found_at` finds it. One with a `value` has it whatever they give, one with a `default`
    where they give nothing.
    """

    name: str
    location: Location
    type: Type | None = None
    description: str = ""
    required: bool = False
    pattern: str = ""
    public: str = ""
    found_at: str = ""
    value: Any = field(default=None, repr=False)
    enum: tuple[Any, ...] = ()
    default: Any = None

    @property
    def given_as(self) -> str:
        """Its name in the place where REST callers put it."""
        return self.public or self.name

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its value."""
        schema: dict[str, Any] = {"type": self.type} if self.type else {}
        if self.type == "array":
            schema["items"] = {}
        if self.pattern:
            schema["pattern"] = self.pattern
        if self.enum:
            schema["enum"] = list(self.enum)
        if self.default is not None:
            schema["default"] = self.default
        return schema | ({"description": self.description} if self.description else {})

    def fault(self, given: Any) -> str:
        """What is wrong with a value for it; nothing where it is right."""
        if isinstance(given, Opaque):
            return ""
        value = given.outline if isinstance(given, Encoded) else given
        if self.type and not _is_a(self.type, value):
            return f"must be of type {self.type}, not {shown(plain(given))}"
        if self.pattern and isinstance(value, str) and not re.search(self.pattern, value):
            return f"must match {self.pattern!r}, not be {shown(value)}"
        if self.enum and value not in self.enum:
            return f"must be one of {', '.join(map(shown, self.enum))}, not {shown(plain(given))}"
        return ""


@dataclass(frozen=True)
class Inputs:
    """All inputs of an operation; `others` are further spellings of names, that are understood and not published."""

    items: tuple[Input, ...] = ()
    others: tuple[tuple[str, str], ...] = ()

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
    def _by_name(self) -> dict[str, Input]:
        return {item.name: item for item in self.items}

    @cached_property
    def _values(self) -> dict[str, Any]:
        return {item.name: item.value for item in self.items if item.value is not None}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {item.name: item.default for item in self.items if item.default is not None}

    @cached_property
    def _nullable(self) -> frozenset[str]:
        into_body = ("body", "member")
        return frozenset(item.name for item in self.items if not item.required and item.location not in into_body)

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(item.name for item in self.items if item.required)

    def by_name(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments under the names of the inputs, where they came under other spellings, and what has a value by
        itself.

        An optional one that is null is not given, unless it goes into a body, where null says something.
        """
        if self._values:
            arguments = {**arguments, **self._values}
        if self.others:
            free = {other: name for other, name in self.others if other in arguments and name not in arguments}
            arguments = {free.get(name, name): value for name, value in arguments.items()}
        if None in arguments.values():
            given = arguments.items()
            arguments = {name: value for name, value in given if value is not None or name not in self._nullable}
        return {**self._defaults, **arguments} if self._defaults else arguments

    def meant(self, hole: str) -> str:
        """The name of the input that a hole in a text means; raises `ValueError` where there is none."""
        name = find(hole, (*self.names, *(other for other, _ in self.others)))
        if name is None:
            raise ValueError(f"refers to {hole!r}, which is no input; {did_you_mean(hole, self.names)}".rstrip("; "))
        return dict(self.others).get(name, name)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `ArgumentError` that names every argument which is unknown, missing or of another type."""
        known = self._by_name
        is_whole = self._required <= arguments.keys()
        if is_whole and all(name in known and not known[name].fault(given) for name, given in arguments.items()):
            return
        if faults := dict(self._faults(arguments)):
            self.refuse(dict(sorted(faults.items())))

    def _faults(self, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the schema would find, which is flat: each argument is looked at alone."""
        if not self._required <= arguments.keys():
            yield from ((name, "is required") for name in self._required - arguments.keys())
        for name, given in arguments.items():
            if name not in self._by_name:
                yield name, self.unknown(name)
            elif fault := self._by_name[name].fault(given):
                yield name, fault

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


def _is_a(kind: Type, value: Any) -> bool:
    """Whether a value is of a type of JSON Schema, to which 5.0 is an integer and true is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _CLASSES[kind]) or (kind == "integer" and isinstance(value, float) and value.is_integer())
