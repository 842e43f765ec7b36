"""Authentication schemes, one module each: what the document says, and how a request is signed.

authentication:
  type: bearer
  token: '{{env.TOGETHER_AI_API_KEY}}'
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from fairlead.auth.apikey import ApiKey
from fairlead.auth.base import Anonymous, Credential, Sign, Unavailable
from fairlead.auth.basic import Basic
from fairlead.auth.bearer import Bearer


def _scheme(data: Any) -> str:
    return f"<{data.get('type', '')}>" if isinstance(data, dict) else ""


Authentication = Annotated[
    Annotated[Bearer, Tag("<bearer>")] | Annotated[ApiKey, Tag("<apikey>")] | Annotated[Basic, Tag("<basic>")],
    Discriminator(_scheme),
]

__all__ = ["Anonymous", "Authentication", "Credential", "Sign", "Unavailable"]
