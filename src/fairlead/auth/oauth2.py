"""`authentication: {type: oauth2, tokenUri: ..., clientId: ..., clientSecret: ..., scopes: [...]}` (RFC 6749, 4.4).

The token endpoint may also be written `tokenUrl` or `tokenEndpoint`, or be left to the metadata of the
`authorizationServerUri` (RFC 8414).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from fairlead.auth.base import Credential, Send
from fairlead.auth.tokens import ClientCredentials, Refreshing, Tokens
from fairlead.model import Text
from fairlead.upstream import Upstream

_REQUIRED = "oauth2 needs `clientId`, `clientSecret`, and a `tokenUri` or `authorizationServerUri`"


class OAuth2(Credential):
    """A client with its secret, for which the token endpoint gives tokens."""

    token_uri: Text = ""
    token_url: Text = ""
    token_endpoint: Text = ""
    authorization_server_uri: Text = ""
    client_id: Text = Field(default="", repr=False)
    client_secret: Text = Field(default="", repr=False)
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    grant_type: Literal["client_credentials"] = "client_credentials"
    scopes: tuple[Text, ...] | Text = ()
    scope: Text = ""
    audience: Text = ""
    resource: Text = ""

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if sum(map(bool, (self.token_uri, self.token_url, self.token_endpoint))) > 1:
            raise ValueError("oauth2 has several of `tokenUri`, `tokenUrl` and `tokenEndpoint`")
        if self.scopes and self.scope:
            raise ValueError("oauth2 has both `scopes` and `scope`")
        return self

    @property
    def refusal(self) -> str:
        has_endpoint = self._endpoint or self.authorization_server_uri
        return "" if self.client_id and self.client_secret and has_endpoint else _REQUIRED

    @property
    def _endpoint(self) -> str:
        return self.token_uri or self.token_url or self.token_endpoint

    def texts(self) -> Mapping[str, str]:
        endpoint_key = next((key for key in ("tokenUrl", "tokenEndpoint") if self._is_given(key)), "tokenUri")
        scopes = self.scopes if isinstance(self.scopes, str) else " ".join(self.scopes)
        texts = {
            endpoint_key: self._endpoint,
            "authorizationServerUri": "" if self._endpoint else self.authorization_server_uri,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "scopes" if self.scopes else "scope": scopes or self.scope,
            "audience": self.audience,
            "resource": self.resource,
        }
        return {key: text for key, text in texts.items() if text}

    def _is_given(self, key: str) -> bool:
        return bool({"tokenUrl": self.token_url, "tokenEndpoint": self.token_endpoint}[key])

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        stripped = {key: text.strip() for key, text in texts.items()}
        parameters = {
            "grant_type": self.grant_type,
            "scope": stripped.get("scopes") or stripped.get("scope", ""),
            "audience": stripped.get("audience", ""),
            "resource": stripped.get("resource", ""),
        }
        grant = ClientCredentials(
            endpoint=next((stripped[key] for key in ("tokenUri", "tokenUrl", "tokenEndpoint") if key in stripped), ""),
            issuer=stripped.get("authorizationServerUri", ""),
            client_id=stripped["clientId"],
            client_secret=stripped["clientSecret"],
            parameters=tuple((name, value) for name, value in parameters.items() if value),
            in_body=self.client_authentication == "client_secret_post",
            upstream=upstream,
        )
        return Refreshing(Tokens(grant), upstream)
