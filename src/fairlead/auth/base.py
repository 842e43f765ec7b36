"""What all schemes share: a credential of the document, resolved once to a function that signs requests."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fairlead.arguments import Location
from fairlead.binds import Bindings, Environ, Value
from fairlead.errors import CallError, Refused, Severity, Unconfigured
from fairlead.headers import is_legal
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


@dataclass(frozen=True, slots=True)
class HeaderSigner:
    """Sets headers, each in place of any of its name."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def __call__(self, request: Request) -> Request:
        for name, value in self.headers:
            request = request.with_header(name, value)
        return request


def header_signer(headers: Mapping[str, str]) -> Sign:
    """The signer for headers, without the line break that files end in; raises `ValueError` for an illegal value."""
    stripped = {name.lower(): value.strip() for name, value in headers.items()}
    if not all(map(is_legal, stripped.values())):
        raise ValueError("holds line breaks or other characters that no header can")
    return HeaderSigner(tuple(stripped.items()))


class Credential(Model):
    """The `authentication` of a consumes section."""

    type: Text

    @abstractmethod
    def texts(self) -> Mapping[str, str]:
        """The texts that may hold variables, by their keys."""

    def names(self, location: Location) -> frozenset[str]:
        """What it sets there: names of headers, in lower case, or of query pairs."""
        return frozenset({"authorization"} if location == "header" else ())

    @abstractmethod
    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        """The signing function for the same texts, revealed; raises `ValueError` for texts that cannot be sent."""

    def values(self, bindings: Bindings) -> Iterator[Value]:
        """The texts as values of the document."""
        yield from (bindings.value(text, self.at(key)) for key, text in self.texts().items())

    def signer(self, bindings: Bindings, environ: Environ) -> Sign:
        """The function that signs requests, its secrets taken from the environment."""
        values = list(self.values(bindings))
        try:
            revealed = (value.reveal(environ) for value in values)
            return self.sign_with(dict(zip(self.texts(), revealed, strict=True)))
        except Unconfigured as error:
            return Unavailable(error)
        except ValueError as fault:
            names = ", ".join(name for value in values for name in value.variables.values()) or "the credential"
            why = f"{names} {fault}; {bindings.capability!r} needs it ({self.at().short})"
            return Unavailable(Unconfigured(why))


class OtherCredential(Credential):
    """A scheme of the format that this version lacks: the operations behind it answer so."""

    unknown_keys: ClassVar[Severity | None] = None

    def texts(self) -> Mapping[str, str]:
        return {}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return Unavailable(Refused(f"authentication of type {self.type!r} is not supported by this version"))
