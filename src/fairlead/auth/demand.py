"""What all schemes share towards callers: `exposes[].authentication`, resolved once to a check of requests.

A check lets a request through, and gives it back without its credential, or raises what the caller is answered.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from starlette.types import Scope

from fairlead.auth.presented import authorization, same
from fairlead.auth.scheme import Scheme
from fairlead.binds import Bindings, Environ
from fairlead.errors import CallError, Forbidden, NoCredential, Refused, Unauthorized
from fairlead.upstream import Upstream

REALM: Final = "fairlead"
WANTED: Final = "a credential is needed"
WRONG: Final = "the credential is not accepted"


class Check(Protocol):
    """Lets a request through without its credential; raises `Unauthorized` and others, never with a secret."""

    async def __call__(self, scope: Scope) -> Scope: ...


class Demand(Scheme):
    """The `authentication` of an adapter."""

    @property
    def unfit(self) -> str:
        """Why callers cannot be checked against what the file says; empty where they can."""
        return self.refusal

    @abstractmethod
    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        """The check against the texts, revealed; raises `ValueError` for texts of no use."""

    @abstractmethod
    def described(self) -> tuple[dict[str, Any], ...]:
        """The security schemes as OpenAPI has them; callers need all of them."""

    def checker(self, bindings: Bindings, environ: Environ, upstream: Upstream) -> Check:
        """The check, its secrets taken from the environment; one that lets nobody through where they are not there."""
        if self.unfit:
            return Closed(Refused(self.unfit))
        try:
            return self.resolved(bindings, environ, lambda texts: self.checking(texts, upstream))
        except CallError as error:
            return Closed(error)


@dataclass(frozen=True, slots=True)
class Closed:
    """Lets nobody through, and says why."""

    error: CallError

    async def __call__(self, scope: Scope) -> Scope:
        raise self.error.again()


@dataclass(frozen=True, slots=True)
class Shown:
    """Lets through who shows the one credential of a scheme in the `Authorization` header."""

    scheme: str
    expected: bytes = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    fault: tuple[tuple[str, str], ...] = ()
    """What the challenge says besides where the credential is wrong."""

    async def __call__(self, scope: Scope) -> Scope:
        given, rest = authorization(scope, self.scheme)
        if not given:
            raise NoCredential(WANTED, headers=[challenge(self.scheme, self.parameters)])
        if not same(given, self.expected):
            raise Unauthorized(WRONG, headers=[challenge(self.scheme, (*self.parameters, *self.fault))])
        return rest


def challenge(scheme: str, parameters: Iterable[tuple[str, str]] = ()) -> tuple[str, str]:
    """The header that tells a caller how to authenticate (RFC 9110, 11.6.1)."""
    pairs = [f'{name}="{_escaped(value)}"' for name, value in (("realm", REALM), *parameters)]
    return "www-authenticate", f"{scheme} {', '.join(pairs)}"


def _escaped(text: str) -> str:
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def secret(text: str) -> str:
    """The text of a secret, without the line break that files end in; raises `ValueError` for one that is empty."""
    if not (stripped := text.strip()):
        raise ValueError("is blank, and an empty secret would let anybody in")
    return stripped


async def admitted(scope: Scope, checks: Iterable[Check]) -> Scope:
    """The request as the first check that lets it through gives it back, and as it is where there is none to pass.

    Raises:
        CallError: No check does; of several answers the one that tells most, with the challenges of all.
    """
    errors: list[CallError] = []
    for check in checks:
        try:
            return await check(scope)
        except CallError as error:
            errors.append(error)
    if errors:
        raise joined(errors)
    return scope


def joined(errors: Iterable[CallError]) -> CallError:
    """One answer for several checks that failed."""
    listed = sorted(errors, key=_rank)
    challenges = dict.fromkeys(header for error in listed for header in error.headers)
    return type(listed[0])(listed[0].detail, listed[0].extra, challenges)


def _rank(error: CallError) -> int:
    """A token that lacks a scope was good; a wrong credential says more than none, and a door shut to all the least."""
    kinds = (Forbidden, Unauthorized)
    if isinstance(error, NoCredential):
        return len(kinds)
    return next((rank for rank, kind in enumerate(kinds) if isinstance(error, kind)), len(kinds) + 1)
