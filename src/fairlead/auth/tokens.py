"""Access tokens: fetched from a token endpoint, kept until shortly before they expire, one fetch at a time.

Everything goes through the one upstream client. No message holds a secret or what a token endpoint said, but for the
error codes that RFC 6749 lists.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import quote_plus, urlencode

import anyio

from fairlead.auth.metadata import endpoint, json_object
from fairlead.errors import CallError, UpstreamFailed
from fairlead.headers import is_legal
from fairlead.response import Result
from fairlead.upstream import Request, Upstream

T = TypeVar("T")
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_CODES = frozenset(
    "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope".split()
)
_LIFETIME = 300.0
"""How long a token is kept that does not say how long it lives, in seconds."""
_MARGIN = 60.0
"""How long before its end a token is not used any more; half its life where that is shorter."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and for how long it may be used."""

    text: str = field(repr=False)
    lifetime: float = _LIFETIME


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to an authorization server, and how it wants to be told (RFC 6749, 2.3.1); nobody without an `id`."""

    id: str = field(repr=False)
    secret: str = field(repr=False)
    in_body: bool = False

    def request(self, url: str, parameters: Iterable[tuple[str, str]]) -> Request:
        """A form, posted as this client."""
        pairs = [*parameters]
        headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]
        if not self.id:
            return Request("POST", url, tuple(headers), urlencode(pairs).encode())
        if self.in_body:
            pairs += [("client_id", self.id), ("client_secret", self.secret)]
        else:
            user = f"{quote_plus(self.id)}:{quote_plus(self.secret)}"
            headers.append(("authorization", f"Basic {b64encode(user.encode()).decode()}"))
        return Request("POST", url, tuple(headers), urlencode(pairs).encode())


class Grant(Protocol):
    """Fetches a new token."""

    async def __call__(self) -> Token: ...


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The client credentials grant (RFC 6749, 4.4)."""

    endpoint: str
    issuer: str
    client: Client
    parameters: tuple[tuple[str, str], ...]
    upstream: Upstream = field(repr=False)

    async def __call__(self) -> Token:
        request = self.client.request(self.endpoint or await self._discovered(), self.parameters)
        result = await _or_why(self.upstream.send(request))
        answer = await json_object(result)
        if not result.is_success:
            code = answer.get("error")
            said = f"{result.status} {code}" if code in _CODES else str(result.status)
            raise UpstreamFailed(f"no access token could be had: the token endpoint answered {said}")
        return _token(answer)

    async def _discovered(self) -> str:
        """The token endpoint that the authorization server's metadata names."""
        if found := await _or_why(endpoint(self.issuer, "token_endpoint", self.upstream)):
            return found
        raise UpstreamFailed("no access token could be had: the authorization server names no token endpoint")


async def _or_why(answer: Awaitable[T]) -> T:
    """The answer; an error says that it was about a token."""
    try:
        return await answer
    except CallError as error:
        raise type(error)(f"no access token could be had: {error.detail}", error.extra, error.headers) from None


def _token(answer: Mapping[str, Any]) -> Token:
    text, kind, lifetime = answer.get("access_token"), answer.get("token_type", "Bearer"), answer.get("expires_in")
    if not isinstance(text, str) or not text or not is_legal(text):
        raise UpstreamFailed("no access token could be had: the token endpoint's answer has none")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise UpstreamFailed("no access token could be had: the token endpoint gives tokens that are no bearer tokens")
    try:
        return Token(text, _LIFETIME if lifetime is None else float(lifetime))
    except (TypeError, ValueError):
        return Token(text)


class Tokens:
    """The current token of one credential; whoever finds it expired fetches a new one while the others wait."""

    def __init__(self, grant: Grant, now: Callable[[], float] = time.monotonic) -> None:
        self._grant = grant
        self._now = now
        self._lock = anyio.Lock()
        self._text = ""
        self._until = 0.0

    async def current(self) -> str:
        """The token to use now."""
        if not self._is_fresh():
            async with self._lock:
                if not self._is_fresh():
                    await self._fetch()
        return self._text

    def reject(self, text: str) -> None:
        """Gives up a token that an upstream refused, unless another has taken its place already."""
        if text == self._text:
            self._text = ""

    def _is_fresh(self) -> bool:
        return self._text != "" and self._now() < self._until

    async def _fetch(self) -> None:
        started = self._now()
        token = await self._grant()
        self._text = token.text
        self._until = started + token.lifetime - min(_MARGIN, token.lifetime / 2)


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Sends with the current token; one that is refused is given up, and what may be repeated is sent once more."""

    tokens: Tokens = field(repr=False)
    upstream: Upstream = field(repr=False)

    async def __call__(self, request: Request) -> Result:
        token = await self.tokens.current()
        result = await self.upstream.send(_with(request, token))
        if result.status != 401:
            return result
        self.tokens.reject(token)
        if request.method not in _IDEMPOTENT:
            return result
        await result.body.close()
        return await self.upstream.send(_with(request, await self.tokens.current()))


def _with(request: Request, token: str) -> Request:
    return request.with_header("authorization", f"Bearer {token}")
