"""`authentication` of an adapter with access tokens (RFC 6750), described as RFC 9728 has it.

    type: oauth2
    authorizationServerUri: https://auth.example
    resource: https://tools.example/mcp
    scopes: [tools.read]

Tokens are JWTs that the authorization server signed, or with `tokenValidation: introspection` whatever it gives: then
it is asked about each, with a `clientId` and `clientSecret` of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field
from starlette.types import Scope

from fairlead.auth.access_tokens import SIGNED, Expected, InvalidToken, Read, Remembered, SignedTokens, scopes
from fairlead.auth.demand import WANTED, Check, Demand, challenge
from fairlead.auth.introspection import OPAQUE, OpaqueTokens
from fairlead.auth.jwks import Keys
from fairlead.auth.presented import authorization
from fairlead.auth.tokens import Client
from fairlead.errors import Forbidden, NoCredential, Unauthorized
from fairlead.model import Text
from fairlead.upstream import Upstream

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_IN_BODY = "client_secret_post"


class ResourceServer(Demand):
    """Access tokens of an authorization server, for us."""

    spellings: ClassVar[Mapping[str, str]] = {"scope": "scopes"}
    authorization_server_uri: Text = ""
    resource: Text = ""
    audience: Text = ""
    scopes: tuple[Text, ...] | Text = ()
    token_endpoint: Text = ""
    token_validation: Literal["jwks", "introspection"] = "jwks"  # noqa: S105
    introspection_endpoint: Text = ""
    client_id: Text = Field(default="", repr=False)
    client_secret: Text = Field(default="", repr=False)
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"

    @property
    def refusal(self) -> str:
        if not self.authorization_server_uri:
            return "oauth2 needs an `authorizationServerUri` whose tokens are taken"
        if "{" not in self.authorization_server_uri and not _is_url(self.authorization_server_uri):
            return "`authorizationServerUri` is no http(s) URL"
        if not (self.resource or self.audience):
            return "oauth2 needs a `resource` or an `audience` that tokens are for"
        if self._asks and bool(self.client_id) != bool(self.client_secret):
            return "introspection needs both a `clientId` and a `clientSecret` to ask with, or neither"
        return ""

    @property
    def _asks(self) -> bool:
        """Whether the authorization server is asked about every token."""
        return self.token_validation != "jwks"  # noqa: S105

    def texts(self) -> Mapping[str, str]:
        texts = {
            "authorizationServerUri": self.authorization_server_uri,
            "resource": self.resource,
            "audience": self.audience,
            "scopes": self.scopes if isinstance(self.scopes, str) else " ".join(self.scopes),
            "introspectionEndpoint": self.introspection_endpoint,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
        }
        return {key: text for key, text in texts.items() if text}

    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        given = {key: text.strip() for key, text in texts.items()}
        issuer, resource = given["authorizationServerUri"], given.get("resource", "")
        audience = given.get("audience") or resource
        if not _is_url(issuer) or not audience:
            raise ValueError("is blank, or no http(s) URL")
        read: Read = SignedTokens(Keys(issuer, upstream))
        if self._asks:
            is_in_body = self.client_authentication == _IN_BODY
            client = Client(given.get("clientId", ""), given.get("clientSecret", ""), is_in_body)
            read = OpaqueTokens(client, issuer, upstream, given.get("introspectionEndpoint", ""))
        expected = Expected(issuer, audience, OPAQUE if self._asks else SIGNED)
        needed = tuple(given.get("scopes", "").split())
        known = resource if _is_url(resource) else ""
        return TokenCheck(expected, known, needed, Remembered(read), asks=self._asks)

    def described(self) -> tuple[dict[str, Any], ...]:
        names = self.scopes.split() if isinstance(self.scopes, str) else self.scopes
        if not _is_url(self.token_endpoint):
            return ({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},)
        flow = {"tokenUrl": self.token_endpoint, "scopes": dict.fromkeys(names, "")}
        return ({"type": "oauth2", "flows": {"clientCredentials": flow}},)


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Lets through who has a token with all scopes that are needed."""

    expected: Expected
    resource: str
    """The URL of what is protected; empty where the file names none, and nothing is told of it."""
    scopes: tuple[str, ...]
    read: Read = field(repr=False)
    asks: bool = False
    """Whether the authorization server is asked about every token, and so gets to see it."""

    async def __call__(self, scope: Scope) -> Scope:
        token, rest = authorization(scope, "Bearer")
        if not token:
            raise NoCredential(WANTED, headers=[self._challenge()])
        try:
            claims = await self.read(token.decode("latin-1"))
            self.expected.check(claims)
        except InvalidToken as fault:
            said = (("error", "invalid_token"), ("error_description", str(fault)))
            raise Unauthorized(f"the token is not accepted: {fault}", headers=[self._challenge(*said)]) from None
        lacking = next((name for name in self.scopes if name not in scopes(claims)), None)
        if lacking is not None:
            fault_text = f"Required scope '{lacking}' not present in token"
            said = (("error", "insufficient_scope"), ("error_description", fault_text))
            raise Forbidden(f"the token lacks the scope {lacking!r}", headers=[self._challenge(*said)])
        return rest

    def _challenge(self, *said: tuple[str, str]) -> tuple[str, str]:
        wanted = (("scope", " ".join(self.scopes)),) if self.scopes else ()
        where = (("resource_metadata", self.metadata_url),) if self.resource else ()
        return challenge("Bearer", (*said, *wanted, *where))

    @property
    def metadata_url(self) -> str:
        """Where callers find what protects the resource: the well-known part stands before its path."""
        parts = urlsplit(self.resource)
        return f"{parts.scheme}://{parts.netloc}{self.metadata_path}"

    @property
    def metadata_path(self) -> str:
        return WELL_KNOWN + urlsplit(self.resource).path.rstrip("/")

    @property
    def metadata(self) -> dict[str, Any]:
        """What protects the resource (RFC 9728, 2)."""
        needed = {"scopes_supported": list(self.scopes)} if self.scopes else {}
        servers = {"authorization_servers": [self.expected.issuer], "bearer_methods_supported": ["header"]}
        return {"resource": self.resource, **servers, **needed}


def _is_url(text: str) -> bool:
    """Whether a text is an absolute http(s) URL without variables."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and "{" not in text
