"""Where a `with` stands, and what its words can mean there.

    with:
      id: rest.id
      version: '{{env.API_VERSION}}'

What callers give is spelt `rest.x`, `tools.x`, `<namespace>.x` or `{{x}}`; what the environment gives `{{env.X}}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from fairlead.binds import Bindings
from fairlead.consumed import Consumed
from fairlead.errors import Place
from fairlead.names import find, slug
from fairlead.parameters import InputParameter
from fairlead.template import Hole, Template, parse

_PLACES = frozenset({"path", "query", "body", "header", "headers", "cookie", "input", "params", "arguments", "args"})
"""Words that some authors put between `rest` or `tools` and the name of an input, to say where it is."""

_FIRST_NAME = re.compile(r"(?:\$\.)?([\w-]+)((?:[.\[].*)?)", re.DOTALL)


_THIS = "$this."
"""How some descriptions of the format have references to inputs begin, with all names on the way to one."""

RESULT = "$."
"""How the names of what is no argument of the caller but a result of an earlier step begin."""


@dataclass(frozen=True)
class Scope:
    """Where a `with` stands: the names it may use, the exposed path for REST, and the declared inputs.

    `own` are those that the operation itself declares, not its resource or adapter. A route takes the whole body of a
    request where `with` says `rest.body`; one `without_body` is called by a method that has none. Inputs `of_tool` are
    properties of a JSON Schema. `assigned` are the names that the `with` around steps gives values, `steps` those of
    the steps before.
    """

    namespaces: frozenset[str]
    bindings: Bindings
    at: Callable[[str], Place]
    path: Template | None = None
    declared: tuple[InputParameter, ...] = ()
    own: tuple[InputParameter, ...] = ()
    takes_whole_body: bool = False
    without_body: bool = False
    of_tool: bool = False
    assigned: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def holes(self) -> tuple[str, ...]:
        """The placeholders of the exposed path."""
        return self.path.holes if self.path else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the declared inputs."""
        return tuple(parameter.name for parameter in self.declared)

    def declaration(self, name: str) -> InputParameter | None:
        """What is declared of an input."""
        return next((parameter for parameter in self.declared if parameter.name == name), None)

    def reference(self, text: str) -> str | None:
        """The input behind `rest.x`, `tools.x`, `<namespace>.x` or `$this....x`, which only the caller can give."""
        if text.startswith(_THIS):
            return text.rpartition(".")[2]
        for namespace in ("rest", "tools", *sorted(self.namespaces, key=len, reverse=True)):
            if text.startswith(f"{namespace}.") and len(text) > len(namespace) + 1:
                return self._without_place(text[len(namespace) + 1 :])
        return None

    def result(self, text: str) -> str | None:
        """The path behind `$.step.field`, `step.field` or `step`, where an earlier step or a value is called so."""
        match = _FIRST_NAME.fullmatch(text.strip())
        name = find(match[1], (*self.steps, *self.assigned)) if match else None
        return f"{RESULT}{name}{match[2]}" if match and name else None

    def _without_place(self, name: str) -> str:
        """`path.id` is `id`, unless an input is called so in full."""
        place, _, rest = name.partition(".")
        is_place = place.lower() in _PLACES and find(name, (*self.names, *self.holes)) is None
        return rest if rest and is_place else name

    def is_variable(self, hole: str) -> bool:
        """Whether a hole can only mean a variable; what the caller is known to give is an input however it is spelt."""
        if self.result(hole):
            return False
        if self.bindings.names_variable(hole) or self._is_environment(hole):
            return True
        return self.bindings.looks_like_variable(hole) and find(hole, (*self.names, *self.holes)) is None

    def _is_environment(self, hole: str) -> bool:
        declared = self.declaration(hole)
        return declared is not None and declared.in_ == "environment"

    def taken_apart(self, target: Consumed) -> Scope:
        """The same with a placeholder that stands for several of the target's taken apart.

        `/points/{latitude-longitude}` for `/points/{latitude},{longitude}` is what is left of the target's segment when
        only its words are kept, so that the segment itself can stand there.
        """
        if self.path is None:
            return self
        segments = [parse(one) for one in target.path.partition("?")[0].split("/")]
        merged = {slug(one.words): one.text for one in segments if one.holes and len(one.parts) > 1}
        known = {*parse(target.path).holes, *self.names}
        path = "/".join(_whole(segment, merged, known) for segment in self.path.text.split("/"))
        return replace(self, path=parse(path))


def _whole(segment: str, merged: Mapping[str, str], known: Collection[str]) -> str:
    """The segment, or the target's segment of which it has nothing but the words."""
    match parse(segment).parts:
        case (Hole(name),) if find(name, known) is None:
            return merged.get(slug(name), segment)
        case _:
            return segment
