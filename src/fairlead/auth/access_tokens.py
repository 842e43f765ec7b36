"""What an access token has to say of itself, and how a signed one (JWT, RFC 9068) is read."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from jwt import PyJWS, PyJWTError

from fairlead.auth.jwks import ALGORITHMS, Keys
from fairlead.auth.metadata import is_about
from fairlead.jsontext import loads

Claims = Mapping[str, Any]
Read = Callable[[str], Awaitable[Claims]]
"""The claims of a token, whoever it is for; raises `InvalidToken` for one that cannot be read."""
MAX_LENGTH: Final = 16 * 1024
KEPT: Final = 30.0
"""How long what a token is is remembered, in seconds."""
MAX_KEPT: Final = 1000
_SKEW: Final = 30.0
"""By how many seconds the clock that made a token may be ahead of ours."""


class InvalidToken(Exception):
    """A token that is not good; the message is for the caller."""


SIGNED: Final = frozenset({"exp", "iss", "aud"})
"""The claims that a signed token needs."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who makes our tokens, whom they are for, and which claims they cannot do without."""

    issuer: str
    audience: str
    needed: frozenset[str] = SIGNED
    now: Callable[[], float] = time.time

    def check(self, claims: Claims) -> None:
        """Raises `InvalidToken` for a claim that is wrong, or is needed and not there."""
        looked_at = self.needed | claims.keys()
        if "active" in self.needed and claims.get("active") is not True:
            raise InvalidToken("Token is not active")
        if "exp" in looked_at and (expiry := _moment(claims.get("exp"))) <= self.now():
            raise InvalidToken("Token expired" if expiry else "Token without expiry")
        if "nbf" in claims and not 0 < _moment(claims["nbf"]) <= self.now() + _SKEW:
            raise InvalidToken("Token not yet valid")
        if "iss" in looked_at and not is_about(claims.get("iss"), self.issuer):
            raise InvalidToken("Invalid issuer")
        if "aud" in looked_at and self.audience not in _words(claims.get("aud"), split=False):
            raise InvalidToken("Invalid audience")


def _moment(value: Any) -> float:
    """Seconds since 1970; 0 for what is no such number."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _words(value: Any, *, split: bool = True) -> frozenset[str]:
    """Texts, which are written as one or as a list."""
    if isinstance(value, str):
        return frozenset(value.split() if split else [value])
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def scopes(claims: Claims) -> frozenset[str]:
    """The scopes of a token."""
    return _words(claims.get("scope")) | _words(claims.get("scp"))


class Remembered:
    """Reads each token once in half a minute; what it was is kept under a hash of it."""

    def __init__(self, read: Read, now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._kept: dict[bytes, tuple[Claims, float]] = {}

    async def __call__(self, token: str) -> Claims:
        if len(token) > MAX_LENGTH:
            raise InvalidToken("Token validation failed")
        key = sha256(token.encode()).digest()
        claims, until = self._kept.get(key, ({}, 0.0))
        if self._now() < until:
            return claims
        claims = await self._read(token)
        self._kept.pop(key, None)
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = claims, self._now() + KEPT
        return claims


class SignedTokens:
    """Reads tokens that are signed with a key of the authorization server."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._jws = PyJWS(ALGORITHMS)

    async def __call__(self, token: str) -> Claims:
        id_, algorithm = self._header(token)
        for key in await self._keys.fitting(id_, algorithm):
            try:
                claims = loads(self._jws.decode(token, key.public, [algorithm]).decode())
            except (PyJWTError, ValueError):
                continue
            if isinstance(claims, dict):
                return claims
        raise InvalidToken("Signature verification failed")

    def _header(self, token: str) -> tuple[str | None, str]:
        """The id of the key, if the token names one, and the algorithm."""
        try:
            header = self._jws.get_unverified_header(token)
        except PyJWTError:
            header = {}
        id_, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(id_, str | None) or algorithm not in ALGORITHMS or "crit" in header:
            raise InvalidToken("Token validation failed")
        return id_, algorithm
