"""Access tokens that only the authorization server can read (RFC 7662): it is asked, as a client of ours."""

from __future__ import annotations

from typing import Final

from fairlead.auth.access_tokens import Claims
from fairlead.auth.metadata import endpoint, json_object
from fairlead.auth.tokens import Client
from fairlead.errors import CallError, UpstreamFailed
from fairlead.upstream import Upstream

OPAQUE: Final = frozenset({"active"})
"""What has to be said of a token."""


class OpaqueTokens:
    """Reads tokens by asking what they are; without a `url` to ask at, the server's metadata names it."""

    def __init__(self, client: Client, issuer: str, upstream: Upstream, url: str = "") -> None:
        self._client = client
        self._issuer = issuer
        self._upstream = upstream
        self._url = url

    async def __call__(self, token: str) -> Claims:
        try:
            return await self._asked(token)
        except CallError as error:
            said = f"the authorization server could not be asked about the token: {error.detail}"
            raise UpstreamFailed(said) from None

    async def _asked(self, token: str) -> Claims:
        self._url = self._url or await endpoint(self._issuer, "introspection_endpoint", self._upstream)
        if not self._url:
            raise UpstreamFailed("it names no `introspection_endpoint`")
        form = [("token", token), ("token_type_hint", "access_token")]
        result = await self._upstream.send(self._client.request(self._url, form))
        claims = await json_object(result)
        if not result.is_success or "active" not in claims:
            raise UpstreamFailed(f"it answered {result.status} without saying whether the token is active")
        return claims
