"""How every section of a document becomes frozen data that knows its lines.

    inputParameters:
    - {name: id, in: path, type: string, required: true}
    outputParameters:
    - {type: object, mapping: $.}

`validate` turns a node into a `Model` and notes all problems at once. Unknown keys are problems with the nearest
known key as their hint; keys that start with `x-` are free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from fairlead.errors import Place, Problem, Severity, did_you_mean
from fairlead.source import Decimal, Integer, MappingNode, Node, SequenceNode

NOT_YET = frozenset(
    """aggregates forward prompts tunnel location from outputSchema outputMediaType maxBinarySize responses
    responseBinary ttlMs cacheScope""".split()
)
"""Keys of the file format that this version refuses rather than ignores."""


@dataclass
class _Reading:
    """What a validation run carries along: the problems found so far."""

    problems: list[Problem] = field(default_factory=list)


class Model(BaseModel):
    """A section of a document: frozen, closed, keys in camelCase, and it knows where it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)
    unknown_keys: ClassVar[Severity | None] = "error"
    """What an unknown key is; None where any key is welcome."""

    _node: MappingNode | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_places(cls, data: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo) -> Any:
        if not isinstance(data, MappingNode):
            return handler(data)
        known = {field.alias or name for name, field in cls.model_fields.items()}
        if isinstance(info.context, _Reading):
            info.context.problems += cls._unknown_in(data, known)
        model = handler({key: value for key, value in data.items() if key in known})
        model._node = data
        return model

    @classmethod
    def _unknown_in(cls, data: MappingNode, known: set[str]) -> Iterator[Problem]:
        for key in data:
            if cls.unknown_keys and key not in known and not key.startswith("x-"):
                yield _as_unknown(data, key, known, cls.unknown_keys)

    def at(self, *keys: str) -> Place:
        """Where the section stands, or the innermost value that the keys lead to."""
        node: Any = self._node
        place = node.place if isinstance(node, MappingNode) else Place("")
        for key in keys:
            if not isinstance(node, MappingNode) or key not in node:
                break
            node, place = node[key], node.value_places[key]
        return place


def _as_unknown(data: MappingNode, key: str, known: set[str], severity: Severity) -> Problem:
    if key in NOT_YET:
        return Problem(data.key_places[key], f"key {key!r} is not supported by this version")
    return Problem(data.key_places[key], f"unknown key {key!r}", did_you_mean(key, known), severity)


def _as_text(value: Any) -> Any:
    """Numbers and booleans where text is meant (`version: 1.10`) are read as they are spelt."""
    if isinstance(value, Integer | Decimal):
        return value.text
    return str(value).lower() if isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, BeforeValidator(_as_text), StringConstraints(min_length=1)]
Type = Literal["string", "integer", "number", "boolean", "array", "object"]
_ANY_TYPES = ("json", "binary")
"""Types that published files use and that tell nothing about a value."""

M = TypeVar("M", bound=Model)


def validate(kind: type[M], node: Node) -> tuple[M | None, list[Problem]]:
    """The node as a model, and every problem found; no model where one of them is an error of its shape."""
    reading = _Reading()
    try:
        model = kind.model_validate(node, context=reading)
    except ValidationError as error:
        return None, reading.problems + [_problem(node, details) for details in error.errors()]
    return model, reading.problems


def _problem(root: Node, details: ErrorDetails) -> Problem:
    loc = details["loc"] + (("type",) if details["type"] == "union_tag_invalid" else ())
    key, place = _locate(root, loc)
    describe = _MESSAGES.get(details["type"], _plain_message)
    message, hint = describe(key, details)
    return Problem(place, message, hint)


def _locate(root: Node, loc: tuple[int | str, ...]) -> tuple[str, Place]:
    """The last key on the way to `loc`, and the innermost place; tags of unions (`<rest>`) are no keys."""
    node: Any = root
    place = root.place
    name = ""
    for step in loc:
        if isinstance(step, str) and step.startswith("<"):
            continue
        name = str(step)
        if isinstance(node, MappingNode) and step in node:
            node, place = node[str(step)], node.value_places[str(step)]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node):
            node, place = node[step], node.places[step]
        else:
            break
    return name, place


_Message = Callable[[str, ErrorDetails], tuple[str, str]]


def _missing(key: str, details: ErrorDetails) -> tuple[str, str]:
    return f"key {key!r} is missing", ""


def _one_of(key: str, details: ErrorDetails) -> tuple[str, str]:
    context = details.get("ctx", {})
    expected = context.get("expected") or context.get("expected_tags") or ""
    words = [word.strip("'<>") for word in expected.replace(" or ", ", ").split(", ")]
    given = details["input"].get("type") if isinstance(details["input"], dict) else details["input"]
    return f"{key!r} cannot be {given!r}", did_you_mean(str(given), words)


def _plain_message(key: str, details: ErrorDetails) -> tuple[str, str]:
    text = details["msg"].removeprefix("Value error, ")
    text = text.removeprefix("Input should be a valid ").removeprefix("Input should be ")
    prefix = f"{key!r} " if key else ""
    if details["type"] in ("value_error", "assertion_error"):
        return f"{prefix}{text}", ""
    return f"{prefix}must be {text[:1].lower()}{text[1:]}, not {_shown(details['input'])}", ""


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else repr(value)


_MESSAGES: dict[str, _Message] = {
    "missing": _missing,
    "literal_error": _one_of,
    "union_tag_invalid": _one_of,
    "union_tag_not_found": lambda key, details: ("key 'type' is missing", ""),
    "model_type": lambda key, details: (f"{key!r} must be a mapping, not {_shown(details['input'])}", ""),
    "tuple_type": lambda key, details: (f"{key!r} must be a list, not {_shown(details['input'])}", ""),
    "string_type": lambda key, details: (f"{key!r} must be text, not {_shown(details['input'])}", ""),
    "string_too_short": lambda key, details: (f"{key!r} is empty", ""),
}


def _known_type(value: Any) -> Any:
    return None if value in _ANY_TYPES else value


AnyType = Annotated[Type | None, BeforeValidator(_known_type)]


class InputParameter(Model):
    """An input of an operation or a tool: where it goes, its type, and whether it must be given.

    `in: environment` only says that the environment has a variable of that name; it is no input of a call.
    """

    name: Name
    in_: Literal["query", "header", "path", "cookie", "body", "environment"] | None = Field(default=None, alias="in")
    type: AnyType = None
    description: Text = ""
    required: bool | None = None
    value: Any = None


class OutputParameter(Model):
    """One output: a JSONPath (`mapping`, or `value` on a consumed operation), or nested `properties` or `items`."""

    name: Text = ""
    type: AnyType = None
    description: Text = ""
    mapping: Text | None = None
    value: Any = None
    properties: dict[str, OutputParameter] = Field(default_factory=dict)
    items: OutputParameter | None = None
