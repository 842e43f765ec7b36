"""XML: attributes and elements are members, repeated elements a list, and every scalar is text.

<fleet port="Oslo"><ship>Ada</ship><ship>Bea</ship></fleet>   {"port": "Oslo", "ship": ["Ada", "Bea"]}

The name of the root is dropped, and so are namespaces; text beside attributes or elements is the member "". Declared
entities and what stands in other files are refused, for they can be made to grow without end, or to tell secrets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from fairlead.formats.base import MIB, Excess, Format, as_text

MAX_DEPTH: Final = 100


@dataclass
class _Element:
    members: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def add(self, name: str, value: Any) -> None:
        """A member; the second one of a name makes a list."""
        local = name.rpartition(":")[2]
        if local not in self.members:
            self.members[local] = value
        elif isinstance(self.members[local], list):
            self.members[local].append(value)
        else:
            self.members[local] = [self.members[local], value]

    @property
    def value(self) -> Any:
        text = "".join(self.texts)
        if not self.members:
            return text if text.strip() else ""
        return {**self.members, "": text.strip()} if text.strip() else self.members


@dataclass
class _Builder:
    """Folds the parser's events into values, without recursion."""

    open: list[_Element] = field(default_factory=lambda: [_Element()])

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) > MAX_DEPTH:
            raise Excess(f"is nested deeper than {MAX_DEPTH} levels")
        element = _Element()
        for key, text in attributes.items():
            if key != "xmlns" and not key.startswith("xmlns:"):
                element.add(key, text)
        self.open.append(element)

    def text(self, text: str) -> None:
        self.open[-1].texts.append(text)

    def end(self, name: str) -> None:
        value = self.open.pop().value
        self.open[-1].add(name, value)


def _refused(*_: Any) -> NoReturn:
    raise ValueError("declares entities, or refers to other files")


def _read(data: bytes, charset: str) -> Any:
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = _refused
    parser.ExternalEntityRefHandler = _refused
    parser.SkippedEntityHandler = _refused
    try:
        parser.Parse(as_text(data, charset) if charset else data, True)
    except (expat.ExpatError, LookupError):
        raise ValueError("is not XML") from None
    (value,) = builder.open[0].members.values()
    return value


XML: Final = Format("XML", _read, 4 * MIB, has_lists=False)
