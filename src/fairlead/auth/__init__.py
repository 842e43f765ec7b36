"""Authentication schemes, one module each: what the document says, and how a request is signed.

authentication:
  type: bearer
  token: '{{env.TOGETHER_AI_API_KEY}}'
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from fairlead.auth.apikey import ApiKey
from fairlead.auth.base import Anonymous, OtherCredential, Sign
from fairlead.auth.basic import Basic
from fairlead.auth.bearer import Bearer

_OTHERS = frozenset("oauth1 oauth2 digest aws-sig-v4 awssigv4 sigv4 hmac certificate query".split())


def _scheme(data: Any) -> str:
    scheme = str(data.get("type", "")).lower() if isinstance(data, dict) else ""
    return "<other>" if scheme in _OTHERS else f"<{'apikey' if scheme == 'header' else scheme}>"


Authentication = Annotated[
    Annotated[Bearer, Tag("<bearer>")]
    | Annotated[ApiKey, Tag("<apikey>")]
    | Annotated[Basic, Tag("<basic>")]
    | Annotated[OtherCredential, Tag("<other>")],
    Discriminator(_scheme),
]

__all__ = ["Anonymous", "Authentication", "OtherCredential", "Sign"]
