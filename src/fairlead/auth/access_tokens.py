"""What an access token has to say of itself, and how a signed one (JWT, RFC 9068) is read."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jwt import PyJWS, PyJWTError

from fairlead.auth.jwks import ALGORITHMS, Keys
from fairlead.auth.metadata import is_about
from fairlead.jsontext import loads

Claims = Mapping[str, Any]
Read = Callable[[str], Awaitable[Claims]]
"""The claims of a token; raises `InvalidToken` for one that is not good for us."""
MAX_LENGTH: Final = 16 * 1024
_SKEW: Final = 30.0
"""By how many seconds the clock that made a token may be ahead of ours."""


class InvalidToken(Exception):
    """A token that is not good; the message is for the caller."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who makes our tokens and whom they are for."""

    issuer: str
    audience: str
    now: Callable[[], float] = time.time

    def check(self, claims: Claims, *, needed: frozenset[str]) -> None:
        """Raises `InvalidToken` for a claim that is wrong, or is needed and not there."""
        if "exp" in claims.keys() | needed and (expiry := _moment(claims.get("exp"))) <= self.now():
            raise InvalidToken("Token expired" if expiry else "Token without expiry")
        if "nbf" in claims and not 0 < _moment(claims["nbf"]) <= self.now() + _SKEW:
            raise InvalidToken("Token not yet valid")
        if "iss" in claims.keys() | needed and not is_about(claims.get("iss"), self.issuer):
            raise InvalidToken("Invalid issuer")
        if "aud" in claims.keys() | needed and self.audience not in _words(claims.get("aud"), split=False):
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


class SignedTokens:
    """Reads tokens that are signed with a key of the authorization server."""

    def __init__(self, keys: Keys, expected: Expected) -> None:
        self._keys = keys
        self._expected = expected
        self._jws = PyJWS(ALGORITHMS)

    async def __call__(self, token: str) -> Claims:
        claims = await self._claims(token)
        self._expected.check(claims, needed=frozenset({"exp", "iss", "aud"}))
        return claims

    async def _claims(self, token: str) -> Claims:
        """The claims of a token whose signature is right."""
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
            header = self._jws.get_unverified_header(token) if len(token) <= MAX_LENGTH else {}
        except PyJWTError:
            header = {}
        id_, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(id_, str | None) or algorithm not in ALGORITHMS or "crit" in header:
            raise InvalidToken("Token validation failed")
        return id_, algorithm
