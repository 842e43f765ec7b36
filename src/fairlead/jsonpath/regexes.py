"""Regular expressions that take linear time on any text, by RE2: `$[?search(@.name, '^A')]`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import re2

from fairlead.jsonpath.base import PathError

MAX_PATTERN = 1024
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


class Regex(Protocol):
    """What is needed of a compiled regular expression."""

    def search(self, text: str) -> Any:
        """Something true where a part of the text fits."""

    def fullmatch(self, text: str) -> Any:
        """Something true where the whole text fits."""

    def sub(self, repl: str, text: str) -> str:
        """The text with all that fits replaced."""


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> Regex:
    """The compiled expression; raises `PathError` where it is none, or none that takes linear time."""
    if len(pattern) > MAX_PATTERN:
        raise PathError(f"has a regular expression of more than {MAX_PATTERN} characters")
    try:
        regex: Regex = re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeEncodeError):
        raise PathError(f"has a regular expression that RE2 does not take, {pattern!r}") from None
    return regex
