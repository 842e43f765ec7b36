"""Access tokens that only the authorization server can read (RFC 7662): it is asked, as a client of ours.

What it said is kept for half a minute at most, under a hash of the token.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fairlead.auth.access_tokens import MAX_LENGTH, Claims, Expected, InvalidToken
from fairlead.auth.metadata import endpoint, json_object
from fairlead.auth.tokens import Client
from fairlead.errors import CallError, UpstreamFailed
from fairlead.upstream import Upstream

LIFETIME: Final = 30.0
MAX_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class _Kept:
    claims: Claims
    until: float


class OpaqueTokens:
    """Reads tokens by asking whether they are active."""

    def __init__(
        self,
        client: Client,
        expected: Expected,
        upstream: Upstream,
        url: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._expected = expected
        self._upstream = upstream
        self._url = url
        self._now = now
        self._kept: dict[bytes, _Kept] = {}

    async def __call__(self, token: str) -> Claims:
        if len(token) > MAX_LENGTH:
            raise InvalidToken("Token validation failed")
        claims = await self._claims(token)
        if claims.get("active") is not True:
            raise InvalidToken("Token is not active")
        self._expected.check(claims, needed=frozenset())
        return claims

    async def _claims(self, token: str) -> Claims:
        key = sha256(token.encode()).digest()
        kept = self._kept.get(key)
        if kept and self._now() < kept.until:
            return kept.claims
        claims = await self._asked(token)
        self._kept.pop(key, None)
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = _Kept(claims, self._now() + LIFETIME)
        return claims

    async def _asked(self, token: str) -> Claims:
        try:
            url = self._url or await endpoint(self._expected.issuer, "introspection_endpoint", self._upstream)
            if not url:
                raise UpstreamFailed("it names no `introspection_endpoint`")
            self._url = url
            form = [("token", token), ("token_type_hint", "access_token")]
            result = await self._upstream.send(self._client.request(url, form))
            claims = await json_object(result)
            if not result.is_success or "active" not in claims:
                raise UpstreamFailed(f"it answered {result.status} without saying whether the token is active")
        except CallError as error:
            said = f"the authorization server could not be asked about the token: {error.detail}"
            raise UpstreamFailed(said) from None
        return claims
