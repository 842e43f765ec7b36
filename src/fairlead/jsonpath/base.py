"""What every kind of path can do, and what they share of the grammar."""

from __future__ import annotations

import re
from typing import Any, Protocol

from fairlead.errors import UpstreamFailed

QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
"""A text in quotes, in which nothing else of the grammar stands."""

SKIPPED = re.compile(QUOTED, re.DOTALL)


class PathError(ValueError):
    """An expression is no JSONPath, or one that is not to be run on what others send."""


class Path(Protocol):
    """A compiled path."""

    @property
    def is_definite(self) -> bool:
        """Whether it leads to one place at most."""

    def find(self, value: Any) -> list[Any]:
        """All that it finds, in order; raises `UpstreamFailed` where the value is too large or too deep for it."""


def too_deep() -> UpstreamFailed:
    """A value is nested more deeply than a path can follow."""
    return UpstreamFailed("the upstream's answer is nested too deeply for its output mapping")
