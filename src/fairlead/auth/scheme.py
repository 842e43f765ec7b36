"""What an `authentication` section says, in either direction: a type, and texts that may hold variables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

from fairlead.arguments import Location
from fairlead.binds import Bindings, Environ, Value
from fairlead.errors import Refused, Unconfigured
from fairlead.model import Model, Text

T = TypeVar("T")


class Scheme(Model):
    """One way to authenticate, with its secrets."""

    type: Text

    @property
    def refusal(self) -> str:
        """Why the file does not say enough to authenticate; empty where it does."""
        return ""

    @abstractmethod
    def texts(self) -> Mapping[str, str]:
        """The texts that may hold variables, by their keys."""

    def names(self, location: Location) -> frozenset[str]:
        """Where the credential stands: names of headers (in lower case), query pairs, cookies or members of bodies."""
        return frozenset({"authorization"} if location == "header" else ())

    def values(self, bindings: Bindings) -> Iterator[Value]:
        """The texts as values of the document; none where the section is of no use."""
        texts = {} if self.refusal else self.texts()
        yield from (bindings.value(text, self.at(key)) for key, text in texts.items())

    def meaning(self, bindings: Bindings) -> Hashable:
        """Equal for sections that say the same with the same variables, wherever they stand."""
        values = ((value.template, tuple(value.variables.items())) for value in self.values(bindings))
        return self.model_dump_json(), tuple(values)

    def resolved(self, bindings: Bindings, environ: Environ, use: Callable[[Mapping[str, str]], T]) -> T:
        """What `use` makes of the texts, revealed.

        Raises:
            Refused: The file does not say enough.
            Unconfigured: A variable is not set, or a text is of no use; names the variable.
        """
        if self.refusal:
            raise Refused(self.refusal)
        try:
            return use(self.revealed(bindings, environ))
        except ValueError as fault:
            variables = (name for value in self.values(bindings) for name in value.variables.values())
            names = ", ".join(variables) or "the credential"
            why = f"{names} {fault}; {bindings.capability!r} needs it ({self.at().short})"
            raise Unconfigured(why) from None

    def revealed(self, bindings: Bindings, environ: Environ) -> Mapping[str, str]:
        """The texts with their variables in them."""
        texts = (value.reveal(environ) for value in self.values(bindings))
        return dict(zip(self.texts(), texts, strict=True))
