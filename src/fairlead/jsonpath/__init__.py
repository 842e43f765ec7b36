"""JSONPath expressions (RFC 9535), compiled once: `mapping: $.data[*].id`.

`$` and `$.` are the identity and compile to None. A definite path gives the value, or None where nothing is there; a
path with a wildcard, slice, filter, union or `..` gives a list. Most paths of published files are plain, and a short
loop; the others are read as RFC 9535 has them, and what is not in it as the reference engine or `jsonpath-ng` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from fairlead.jsonpath import extended, plain, standard
from fairlead.jsonpath.base import SKIPPED, Path, PathError
from fairlead.jsonpath.jayway import FUNCTIONS, standardised

MAX_LENGTH = 1024
MAX_SEGMENTS = 128
MAX_NESTING = 16

_STEPS = {"[": 1, "(": 1, "]": -1, ")": -1}


def compile_path(expression: str) -> Callable[[Any], Any] | None:
    """The function that answers what the path finds, or None for the identity.

    It raises `UpstreamFailed` for a value that is too large or nested too deeply for the path.

    Raises:
        PathError: The expression is no JSONPath, or one that is not to be run on what others send.
    """
    text = _from_the_root(expression.strip())
    if text in ("$", "$."):
        return None
    _ensure_bounded(text)
    for call, function in FUNCTIONS.items():
        if text.endswith(call):
            return Applied(function, compile_path(text.removesuffix(call)))
    path = plain.compile_path(text) or _standard_or_extended(standardised(text))
    if isinstance(path, plain.PlainPath) and path.names:
        return Named(path, path.names)
    return First(path) if path.is_definite else Every(path)


def _from_the_root(text: str) -> str:
    """The path with the `$` that may be left out, or stands as `@`."""
    if not text:
        raise PathError("is empty")
    if text.startswith("$"):
        return text
    if text[0] == "@" and text[1:2] in ("", ".", "["):
        return f"${text[1:]}"
    return f"${text}" if text.startswith("[") else f"$.{text}"


def _ensure_bounded(text: str) -> None:
    """Raises for what is far longer than anybody would write, and could exhaust the stack."""
    if len(text) > MAX_LENGTH:
        raise PathError(f"is longer than {MAX_LENGTH} characters")
    bare = SKIPPED.sub("", text)
    if bare.replace("..", ".").count(".") + bare.count("[") > MAX_SEGMENTS:
        raise PathError(f"has more than {MAX_SEGMENTS} segments")
    if max(accumulate(_STEPS.get(character, 0) for character in bare)) > MAX_NESTING:
        raise PathError(f"is nested more than {MAX_NESTING} deep")


def _standard_or_extended(text: str) -> Path:
    try:
        return standard.compile_path(text)
    except PathError as error:
        try:
            return extended.compile_path(text)
        except extended.NoPath:
            raise error from None


@dataclass(frozen=True, slots=True)
class First:
    """What a definite path leads to, or None."""

    path: Path

    def __call__(self, value: Any) -> Any:
        found = self.path.find(value)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Named(First):
    """The same for a path of nothing but names, as most are."""

    names: tuple[str, ...]

    def __call__(self, value: Any) -> Any:
        for name in self.names:
            if not isinstance(value, dict) or name not in value:
                return None
            value = value[name]
        return value


@dataclass(frozen=True, slots=True)
class Every:
    """All that a path finds, in order."""

    path: Path

    def __call__(self, value: Any) -> Any:
        return self.path.find(value)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a function makes of what a path finds."""

    function: Callable[[Any], Any]
    get: Callable[[Any], Any] | None

    def __call__(self, value: Any) -> Any:
        return self.function(self.get(value) if self.get else value)
