"""`authentication: {type: oauth2, tokenUri: ..., clientId: ..., clientSecret: ..., scopes: [...]}` (RFC 6749, 4.4).

The token endpoint may also be written `tokenUrl` or `tokenEndpoint`, or be left to the metadata of the
`authorizationServerUri` (RFC 8414).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from fairlead.auth.base import Credential, Send
from fairlead.auth.tokens import Client, ClientCredentials, Refreshing, Tokens
from fairlead.model import Text
from fairlead.upstream import Upstream

_REQUIRED = "oauth2 needs `clientId`, `clientSecret`, and a `tokenUri` or `authorizationServerUri`"
_IN_BODY = "client_secret_post"


class OAuth2(Credential):
    """A client with its secret, for which the token endpoint gives tokens."""

    spellings: ClassVar[Mapping[str, str]] = {"tokenUrl": "tokenUri", "tokenEndpoint": "tokenUri", "scope": "scopes"}
    token_uri: Text = ""
    authorization_server_uri: Text = ""
    client_id: Text = Field(default="", repr=False)
    client_secret: Text = Field(default="", repr=False)
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    grant_type: Literal["client_credentials"] = "client_credentials"
    scopes: tuple[Text, ...] | Text = ()
    audience: Text = ""
    resource: Text = ""

    @property
    def refusal(self) -> str:
        has_endpoint = self.token_uri or self.authorization_server_uri
        return "" if self.client_id and self.client_secret and has_endpoint else _REQUIRED

    def texts(self) -> Mapping[str, str]:
        texts = {
            "tokenUri": self.token_uri,
            "authorizationServerUri": "" if self.token_uri else self.authorization_server_uri,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "scopes": self.scopes if isinstance(self.scopes, str) else " ".join(self.scopes),
            "audience": self.audience,
            "resource": self.resource,
        }
        return {key: text for key, text in texts.items() if text}

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        stripped = {key: text.strip() for key, text in texts.items()}
        parameters = {
            "grant_type": self.grant_type,
            "scope": stripped.get("scopes", ""),
            "audience": stripped.get("audience", ""),
            "resource": stripped.get("resource", ""),
        }
        grant = ClientCredentials(
            endpoint=stripped.get("tokenUri", ""),
            issuer=stripped.get("authorizationServerUri", ""),
            client=Client(stripped["clientId"], stripped["clientSecret"], self.client_authentication == _IN_BODY),
            parameters=tuple((name, value) for name, value in parameters.items() if value),
            upstream=upstream,
        )
        return Refreshing(Tokens(grant), upstream)
