"""From a tree with places to a model, and every problem on the way, in words a writer of the file understands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fairlead.errors import Place, Problem, did_you_mean
from fairlead.model import Model
from fairlead.nodes import MappingNode, Node, SequenceNode

M = TypeVar("M", bound=Model)
Path = tuple[int | str, ...]
"""The keys and indices that lead to a value."""

MENDED = "\N{REPLACEMENT CHARACTER}"
"""What stands for a missing text in a mended copy."""

_MAX_PASSES = 8
_FOLLOW_UPS = frozenset({"missing", "union_tag_invalid", "union_tag_not_found"})
"""What is found where a wrong value was left out in an earlier pass: nothing new."""


def validate(kind: type[M], node: Node) -> tuple[M | None, list[Problem]]:
    """The node as a model, and every problem found.

    Where something has not the right form, the rest is still looked at: the model is then that of a mended copy, in
    which every part knows its `faults`. A part that has any is good for finding more problems and for nothing else.
    """
    problems: dict[Problem, None] = {}
    mended: set[Path] = set()
    for _ in range(_MAX_PASSES):
        model, errors = _validated(kind, node)
        if model is not None:
            for path, problem in _unknown_keys(model):
                _note(problem, node, path)
                problems[problem] = None
            return model, list(problems)
        for details in errors:
            if details["type"] not in _FOLLOW_UPS or _path(details) not in mended:
                problem = _problem(node, details)
                _note(problem, node, _path(details))
                problems[problem] = None
        node = _mended(node, errors)
        mended |= {_path(details) for details in errors}
    return None, list(problems)


def _validated(kind: type[M], node: Node) -> tuple[M | None, list[ErrorDetails]]:
    try:
        return kind.model_validate(node), []
    except ValidationError as error:
        return None, error.errors()


def _note(problem: Problem, root: Node, path: Path) -> None:
    """Makes an error a fault of every mapping around it; a warning refuses nothing."""
    for depth, key in enumerate(path):
        node = _value(root, path[:depth])
        if isinstance(node, MappingNode) and problem.severity == "error":
            node.faults.setdefault(str(key), []).append(problem)


def _unknown_keys(value: Model | tuple[Any, ...] | dict[Any, Any], path: Path = ()) -> Iterator[tuple[Path, Problem]]:
    """The unknown keys of a model and of all models in it, and the way to each."""
    if isinstance(value, Model):
        yield from (((*path, key), problem) for key, problem in value.unknown())
        members: Iterable[tuple[Any, Any]] = (
            (field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items()
        )
    else:
        members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        if isinstance(member, Model | tuple | dict):
            yield from _unknown_keys(member, (*path, key))


def _mended(node: Node, errors: Iterable[ErrorDetails]) -> Node:
    """A copy in which what was wrong is left out, what was missing is there, and a misspelt kind is the nearest one."""
    root: Node = _copied(node)
    for details in sorted(errors, key=lambda details: str(_path(details)), reverse=True):
        *way, last = _mendable(details) or ("",)
        parent = _value(root, tuple(way))
        if isinstance(parent, SequenceNode) and isinstance(last, int) and last < len(parent):
            del parent[last], parent.places[last]
        elif isinstance(parent, MappingNode):
            _mend_key(parent, str(last), details)
    return root


def _copied(value: Any) -> Any:
    """The nodes anew, the scalars in them as they are."""
    if isinstance(value, MappingNode):
        mapping = MappingNode(value.place)
        mapping.faults = {key: list(faults) for key, faults in value.faults.items()}
        mapping.update((key, _copied(member)) for key, member in value.items())
        mapping.key_places, mapping.value_places = dict(value.key_places), dict(value.value_places)
        return mapping
    if isinstance(value, SequenceNode):
        sequence = SequenceNode(value.place)
        sequence += map(_copied, value)
        sequence.places = list(value.places)
        return sequence
    return value


def _mendable(details: ErrorDetails) -> Path:
    """Where to mend: a kind that is none of the known ones, nor like any, is left out with all that it is of."""
    path = _path(details)
    is_kind = details["type"] == "union_tag_invalid" and isinstance(details["input"], dict)
    return path if not is_kind or _misspelt_type(details) or _near(details) else path[:-1]


def _near(details: ErrorDetails) -> str | None:
    """The word that was probably meant, of those that may stand there."""
    given = details["input"]
    if details["type"].startswith("union_tag"):
        given = given.get("type") if isinstance(given, dict) else None
    return next(iter(get_close_matches(str(given), _expected(details), n=1)), None) if given else None


def _mend_key(parent: MappingNode, key: str, details: ErrorDetails) -> None:
    place = parent.value_places.get(key, parent.place)
    if details["type"] == "missing":
        parent[key], parent.value_places[key] = MENDED, place
    elif other := _misspelt_type(details):
        parent["type"], parent.value_places["type"] = parent.pop(other), parent.value_places[other]
    elif near := _near(details):
        parent[key] = near
    else:
        parent.pop(key, None)


def _misspelt_type(details: ErrorDetails) -> str | None:
    """The key that was probably meant to be `type`, where there is none."""
    node = details["input"]
    if details["type"] != "union_tag_invalid" or not isinstance(node, dict) or "type" in node:
        return None
    return next(iter(get_close_matches("type", node, n=1)), None)


def _value(root: Any, path: Path) -> Any:
    for step in path:
        is_there = step in root if isinstance(root, MappingNode) else isinstance(root, SequenceNode)
        if not is_there or (isinstance(root, SequenceNode) and not (isinstance(step, int) and step < len(root))):
            return None
        root = root[step]
    return root


def _path(details: ErrorDetails) -> Path:
    """Where the error is; tags of unions (`<rest>`) are no keys, and a wrong tag is the value of `type`."""
    loc = tuple(step for step in details["loc"] if not (isinstance(step, str) and step.startswith("<")))
    is_tag = details["type"] == "union_tag_invalid" and isinstance(details["input"], dict)
    return (*loc, "type") if is_tag else loc


def _problem(root: Node, details: ErrorDetails) -> Problem:
    path = _path(details)
    if other := _misspelt_type(details):
        node: MappingNode = details["input"]
        return Problem(node.key_places[other], f"unknown key {other!r}", "did you mean 'type'?")
    describe = _MESSAGES.get(details["type"], _plain_message)
    message, hint = describe(_named(path[-1]) if path else "the document", details)
    return Problem(_place(root, path), message, hint)


def _named(step: int | str) -> str:
    return repr(step) if isinstance(step, str) else f"item {step + 1}"


def _place(root: Node, path: Path) -> Place:
    """Where the value stands, or the innermost one on the way to it."""
    node: Any = root
    place = root.place
    for step in path:
        if isinstance(node, MappingNode) and step in node:
            node, place = node[str(step)], node.value_places[str(step)]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node):
            node, place = node[step], node.places[step]
        else:
            break
    return place


_Message = Callable[[str, ErrorDetails], tuple[str, str]]


def _must_be(what: str) -> _Message:
    return lambda key, details: (f"{key} must be {what}, not {_shown(details['input'])}", "")


def _missing(key: str, details: ErrorDetails) -> tuple[str, str]:
    return f"key {key} is missing", ""


def _expected(details: ErrorDetails) -> list[str]:
    """The words that a value may be."""
    context = details.get("ctx", {})
    expected = context.get("expected") or context.get("expected_tags") or ""
    return [word.strip("'<>") for word in expected.replace(" or ", ", ").split(", ") if word]


def _one_of(key: str, details: ErrorDetails) -> tuple[str, str]:
    given = details["input"]
    if details["type"] == "union_tag_invalid":
        if not isinstance(given, dict):
            return f"{key} must be a mapping, not {_shown(given)}", ""
        if "type" not in given:
            return "key 'type' is missing", ""
        given = given["type"]
    return f"{key} cannot be {_shown(given)}", did_you_mean(str(given), _expected(details))


def _plain_message(key: str, details: ErrorDetails) -> tuple[str, str]:
    text = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if details["type"] in ("value_error", "assertion_error"):
        return f"{key} {text}", ""
    return f"{key} must be {text[:1].lower()}{text[1:]}, not {_shown(details['input'])}", ""


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else repr(value)


_MESSAGES: dict[str, _Message] = {
    "missing": _missing,
    "literal_error": _one_of,
    "union_tag_invalid": _one_of,
    "union_tag_not_found": lambda key, details: ("key 'type' is missing", ""),
    "model_type": _must_be("a mapping"),
    "model_attributes_type": _must_be("a mapping"),
    "dict_type": _must_be("a mapping"),
    "tuple_type": _must_be("a list"),
    "string_type": _must_be("text"),
    "int_type": _must_be("a whole number"),
    "int_parsing": _must_be("a whole number"),
    "int_from_float": _must_be("a whole number"),
    "bool_type": _must_be("true or false"),
    "bool_parsing": _must_be("true or false"),
    "string_too_short": lambda key, details: (f"{key} is empty", ""),
    "too_short": lambda key, details: (f"{key} is empty", ""),
}
