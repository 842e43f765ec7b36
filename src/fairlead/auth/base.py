"""What all schemes share towards upstreams: a credential, resolved once to a function that sends requests with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fairlead.auth.scheme import Scheme
from fairlead.binds import Bindings, Environ
from fairlead.errors import CallError, Refused
from fairlead.response import Ready, Result
from fairlead.upstream import Request, Upstream

Send = Callable[[Request], Awaitable[Result]]
"""Sends a request, with whatever exchange its credential needs; never prints the credential."""


class Sign(Protocol):
    """Puts the credential into a request; never prints it."""

    def __call__(self, request: Request) -> Request: ...


@dataclass(frozen=True, slots=True)
class Signed:
    """Sends each request once, signed; no more than two calls, for this is the way of almost every request."""

    sign: Sign
    upstream: Upstream = field(repr=False)
    is_constant: bool = True
    """Whether what is put into one request is as good in another one."""

    def __call__(self, request: Request) -> Awaitable[Result]:
        return self.upstream.send(self.sign(request))

    def ready(self, request: Request) -> Ready | None:
        """As `Upstream.ready`, for what is signed first; None where nothing can be learned from a signature."""
        return self.upstream.ready(self.sign(request)) if self.is_constant else None


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Sends each request as it is."""

    upstream: Upstream = field(repr=False)

    def __call__(self, request: Request) -> Awaitable[Result]:
        return self.upstream.send(request)

    def ready(self, request: Request) -> Ready | None:
        """As `Upstream.ready`."""
        return self.upstream.ready(request)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A credential that cannot be had, because its variable is not set: every call says so."""

    error: CallError

    async def __call__(self, request: Request) -> Result:
        raise self.error.again()


def whole_body(request: Request, scheme: str) -> bytes:
    """The body, for schemes that sign it; raises `Refused` for one that is still on its way."""
    content: object = request.content
    if isinstance(content, bytes | None):
        return content or b""
    raise Refused(f"authentication of type {scheme!r} signs the whole body, so it cannot be streamed")


class Credential(Scheme):
    """The `authentication` of a consumes section."""

    is_constant: ClassVar[bool] = False
    """Whether it is the same in every request, so that whoever knows the secret can compare."""

    @abstractmethod
    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        """The sending function for the same texts, revealed; raises `ValueError` for texts of no use."""

    def sender(self, bindings: Bindings, environ: Environ, upstream: Upstream) -> Send:
        """The function that sends requests with the credential, its secrets taken from the environment."""
        try:
            return self.resolved(bindings, environ, lambda texts: self.sending(texts, upstream))
        except CallError as error:
            return Unavailable(error)


class Signing(Credential):
    """A credential that is put into each request before it is sent, and needs no answer for it."""

    is_constant: ClassVar[bool] = True

    @abstractmethod
    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        """The signing function for the same texts, revealed; raises `ValueError` for texts that cannot be sent."""

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        return Signed(self.sign_with(texts), upstream, self.is_constant)

    def signer(self, bindings: Bindings, environ: Environ) -> Sign:
        """The signing function; raises `Unconfigured` or `ValueError` where it cannot be had."""
        return self.sign_with(self.revealed(bindings, environ))
