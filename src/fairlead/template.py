"""Text with holes, parsed once: `/batches/{id}`, `/batches/{{id}}`, `https://${HOST}`, `Bearer {{env.TOKEN}}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_HOLE = re.compile(r"\$?\{\{\s*([^{}\s][^{}]*?)\s*\}\}|\$?\{\s*([^{}\s][^{}]*?)\s*\}")
_DOUBLE = re.compile(r"\{\{\s*([^{}\s][^{}]*?)\s*\}\}()")


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in a text that a value fills; one written `{key+}` spans several segments of a path."""

    name: str
    spans: bool = False

    @property
    def text(self) -> str:
        return f"{{{self.name}{'+' if self.spans else ''}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and holes, in order."""

    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[str, ...]:
        """The names of the holes in order, each once."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Hole)))

    @property
    def shape(self) -> str:
        """The text with all holes alike, for comparing paths."""
        return "".join("{}" if isinstance(part, Hole) else part for part in self.parts)

    @property
    def words(self) -> str:
        """The text with the names of its holes in it, as if they were no holes."""
        return "".join(part if isinstance(part, str) else part.name for part in self.parts)

    @property
    def text(self) -> str:
        """The text, its holes written as `{name}`."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def fill(self, value: Callable[[str], str]) -> str:
        """The text with every hole filled by what `value` answers for its name."""
        return "".join(part if isinstance(part, str) else value(part.name) for part in self.parts)


def rooted(path: str) -> str:
    """The path with a slash in front."""
    return path if path.startswith("/") else f"/{path}"


@lru_cache(maxsize=4096)
def parse(text: str, *, single: bool = True) -> Template:
    """The template in a text; `single` also takes `{x}` for a hole, not only `{{x}}`."""
    parts: list[str | Hole] = []
    end = 0
    for match in (_HOLE if single else _DOUBLE).finditer(text):
        name = match[1] or match[2]
        parts += (text[end : match.start()], Hole(name.rstrip("+") or name, name.endswith("+")))
        end = match.end()
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part != ""))
