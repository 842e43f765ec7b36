"""What all schemes share: a credential of the document, resolved once to a function that signs requests."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fairlead.binds import Bindings, Environ, Value
from fairlead.errors import CallError, Unconfigured
from fairlead.model import Model
from fairlead.upstream import Request


class Sign(Protocol):
    """Puts the credential into a request; never prints it."""

    def __call__(self, request: Request) -> Request: ...


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credential."""

    def __call__(self, request: Request) -> Request:
        return request


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A credential whose variable is not set: every call says which."""

    error: CallError

    def __call__(self, request: Request) -> Request:
        raise self.error.again()


class Credential(Model):
    """The `authentication` of a consumes section."""

    def values(self, bindings: Bindings) -> Iterator[Value]:
        """The texts of the section that may hold variables."""
        for name, field_ in type(self).model_fields.items():
            text = getattr(self, name)
            key = field_.alias or name
            if isinstance(text, str) and key != "type":
                yield bindings.value(text, self.at(key))

    def signer(self, bindings: Bindings, environ: Environ) -> Sign:
        """The function that signs requests, its secrets taken from the environment."""
        try:
            return self.sign_with(*(value.reveal(environ) for value in self.values(bindings)))
        except Unconfigured as error:
            return Unavailable(error)

    @abstractmethod
    def sign_with(self, *texts: str) -> Sign:
        """The signing function for the revealed texts, in the order of the fields."""
