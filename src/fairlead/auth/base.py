"""What all schemes share: a credential of the document, resolved once to a function that signs requests."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from fairlead.binds import Bindings, Environ, Value
from fairlead.errors import CallError, Refused, Severity, Unconfigured
from fairlead.model import Model, Text
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
    """A credential that cannot be had, because its variable is not set: every call says so."""

    error: CallError

    def __call__(self, request: Request) -> Request:
        raise self.error.again()


class Credential(Model):
    """The `authentication` of a consumes section."""

    type: Text

    @abstractmethod
    def texts(self) -> Mapping[str, str]:
        """The texts that may hold variables, by their keys."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the headers (in lower case) or query pairs that it sets."""
        return frozenset({"authorization"})

    @abstractmethod
    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        """The signing function for the same texts, revealed."""

    def values(self, bindings: Bindings) -> Iterator[Value]:
        """The texts as values of the document."""
        yield from (bindings.value(text, self.at(key)) for key, text in self.texts().items())

    def signer(self, bindings: Bindings, environ: Environ) -> Sign:
        """The function that signs requests, its secrets taken from the environment."""
        try:
            revealed = (value.reveal(environ) for value in self.values(bindings))
            return self.sign_with(dict(zip(self.texts(), revealed, strict=True)))
        except Unconfigured as error:
            return Unavailable(error)


class OtherCredential(Credential):
    """A scheme of the format that this version lacks: the operations behind it answer so."""

    unknown_keys: ClassVar[Severity | None] = None

    def texts(self) -> Mapping[str, str]:
        return {}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return Unavailable(Refused(f"authentication of type {self.type!r} is not supported by this version"))
