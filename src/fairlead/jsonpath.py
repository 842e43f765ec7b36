"""JSONPath expressions, compiled once: `mapping: $.data[*].id`.

`$` and `$.` are the identity and compile to None. A definite path gives the value or None where nothing is there; a
path with a wildcard, slice, filter or `..` gives a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jsonpath_ng import Child, Fields, Index, JSONPath, Root
from jsonpath_ng.ext.parser import parse

MAX_LENGTH = 1024


def compile_path(expression: str) -> First | Every | None:
    """The function that answers what the path finds, or None for the identity.

    Raises:
        ValueError: The expression is no JSONPath, or longer than `MAX_LENGTH`.
    """
    text = expression.strip()
    if text in ("$", "$."):
        return None
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    try:
        path = parse(text if text.startswith("$") else f"$.{text}")
    except Exception as error:  # noqa: BLE001 - the library raises a dozen kinds
        raise ValueError(f"is not a JSONPath: {str(error).partition(chr(10))[0]}") from None
    return First(path) if _is_definite(path) else Every(path)


def _is_definite(path: JSONPath) -> bool:
    match path:
        case Root():
            return True
        case Fields():
            return len(path.fields) == 1 and path.fields[0] != "*"
        case Index():
            return len(path.indices) == 1
        case Child():
            return _is_definite(path.left) and _is_definite(path.right)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class First:
    """What a definite path leads to, or None."""

    path: JSONPath

    def __call__(self, value: Any) -> Any:
        found = _find(self.path, value)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Every:
    """All that a path finds, in order."""

    path: JSONPath

    def __call__(self, value: Any) -> Any:
        return _find(self.path, value)


def _find(path: JSONPath, value: Any) -> list[Any]:
    """What a path finds; a function that does not fit a value finds nothing, as a path that leads nowhere."""
    try:
        return [match.value for match in path.find(value)]
    except Exception:  # noqa: BLE001 - the library raises whatever its functions do on a value they do not fit
        return []
