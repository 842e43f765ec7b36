"""Values as text and back, by the defaults that OpenAPI sets for each place of a parameter.

query, cookie   form, exploded:  ids=1&ids=2   an object gives one pair for each member
path, header    simple:          1,2           an object gives  name,value,name,value

What is sent upstream in a query can have any other style that OpenAPI knows there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from fairlead.jsontext import loads
from fairlead.model import Type
from fairlead.nodes import Decimal, Integer

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,299})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")


def shown(value: Any) -> str:
    """The value as JSON, short enough for a message."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def to_text(value: Any) -> str:
    """A scalar as text: `true`, `5`, `abc`, a number as it was spelt; anything nested as compact JSON."""
    if isinstance(value, Integer | Decimal):
        return value.text
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_simple(value: Any) -> str:
    """A value as one text in a path or header."""
    match value:
        case Mapping():
            return ",".join(to_text(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return ",".join(map(to_text, value))
        case _:
            return to_text(value)


StyleName = Literal["form", "spaceDelimited", "pipeDelimited", "deepObject"]


class Style(NamedTuple):
    """How lists and objects stand in a query: exploded, each part in a pair of its own, else all in one."""

    name: StyleName = "form"
    explode: bool = True

    @property
    def is_spread(self) -> bool:
        """Whether an object makes a pair of each member, by its name."""
        return self.explode or self.name == "deepObject"


FORM: Final = Style()
STYLES: Final[Mapping[str, tuple[str, ...]]] = {
    "query": get_args(StyleName),
    "cookie": ("form",),
    "path": ("simple",),
    "header": ("simple",),
}
"""The styles that can be declared in each place."""
_GLUE: Final[Mapping[StyleName, str]] = {
    "form": ",",
    "spaceDelimited": "%20",
    "pipeDelimited": "%7C",
    "deepObject": ",",
}


def style_of(name: StyleName | Literal["simple"] | None, explode: bool | None) -> Style:
    """The style that is declared; by OpenAPI's default only forms are exploded."""
    said: StyleName = name if name and name != "simple" else "form"
    return Style(said, said == "form" if explode is None else explode)


class Joined(NamedTuple):
    """Several texts in one pair, and what stands between them, as it does in a URL."""

    texts: tuple[str, ...]
    glue: str


def to_pairs(name: str, value: Any, style: Style = FORM) -> Iterator[tuple[str, str | Joined]]:
    """A value as the pairs of a query."""
    match value:
        case Mapping() if style.name == "deepObject":
            yield from ((f"{name}[{key}]", to_text(member)) for key, member in value.items())
        case Mapping() if style.explode:
            yield from ((key, to_text(member)) for key, member in value.items())
        case Mapping():
            yield (
                name,
                Joined(tuple(to_text(part) for pair in value.items() for part in pair), _GLUE.get(style.name, ",")),
            )
        case list() | tuple() if style.explode:
            yield from ((name, to_text(item)) for item in value)
        case list() | tuple():
            yield name, Joined(tuple(map(to_text, value)), _GLUE.get(style.name, ","))
        case _:
            yield name, to_text(value)


def from_text(kind: Type | None, text: str) -> Any:
    """A text as a value of that type; raises `ValueError` where it is none."""
    match kind:
        case "integer" if _INTEGER.fullmatch(text):
            return Integer(text)
        case "number" if _NUMBER.fullmatch(text):
            loads(text)
            return Integer(text) if text.lstrip("-").isdigit() else Decimal(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "integer" | "number" | "boolean":
            raise ValueError(f"must be of type {kind}, not {shown(text)}")
        case "array":
            return text.split(",") if text else []
        case "object":
            return _from_simple_object(text)
        case _:
            return text


def _from_simple_object(text: str) -> dict[str, str]:
    parts = text.split(",") if text else []
    if len(parts) % 2:
        raise ValueError(f"must be written as name,value,name,value, not {shown(text)}")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def from_texts(kind: Type | None, texts: Sequence[str]) -> Any:
    """All the texts that a query gave for one name, as a value of that type."""
    if kind == "array":
        return list(texts)
    if len(texts) > 1:
        raise ValueError(f"is given {len(texts)} times")
    return from_text(kind, texts[0])
