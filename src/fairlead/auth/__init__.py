"""Authentication schemes, one module each, in both directions: how we authenticate upstream, how callers do here.

authentication:
  type: bearer
  token: '{{env.TOGETHER_AI_API_KEY}}'
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Tag

from fairlead.auth.apikey import ApiKey
from fairlead.auth.base import Credential, Send, Signing
from fairlead.auth.basic import Basic
from fairlead.auth.bearer import Bearer
from fairlead.auth.certificate import Certificate
from fairlead.auth.demand import Check, Demand
from fairlead.auth.digest import Digest
from fairlead.auth.hmac import Hmac
from fairlead.auth.oauth1 import OAuth1
from fairlead.auth.oauth2 import OAuth2
from fairlead.auth.query import Query
from fairlead.auth.resource_server import ResourceServer
from fairlead.auth.sigv4 import SigV4
from fairlead.names import canonical

_ALSO: Final = {"header": "apikey", "awssigv4": "aws-sig-v4", "sigv4": "aws-sig-v4"}


def _scheme(data: Any) -> str:
    scheme = canonical(str(data.get("type", ""))) if isinstance(data, dict) else ""
    return f"<{_ALSO.get(scheme, scheme)}>"


Authentication = Annotated[
    Annotated[Bearer, Tag("<bearer>")]
    | Annotated[ApiKey, Tag("<apikey>")]
    | Annotated[Basic, Tag("<basic>")]
    | Annotated[Digest, Tag("<digest>")]
    | Annotated[OAuth1, Tag("<oauth1>")]
    | Annotated[OAuth2, Tag("<oauth2>")]
    | Annotated[SigV4, Tag("<aws-sig-v4>")]
    | Annotated[Query, Tag("<query>")]
    | Annotated[Certificate, Tag("<certificate>")]
    | Annotated[Hmac, Tag("<hmac>")],
    Discriminator(_scheme),
]
"""Of a consumed API."""

Demanded = Annotated[
    Annotated[Bearer, Tag("<bearer>")]
    | Annotated[ApiKey, Tag("<apikey>")]
    | Annotated[Basic, Tag("<basic>")]
    | Annotated[Digest, Tag("<digest>")]
    | Annotated[ResourceServer, Tag("<oauth2>")],
    Discriminator(_scheme),
]
"""Of an adapter."""

__all__ = ["Authentication", "Check", "Credential", "Demand", "Demanded", "Send", "Signing"]
