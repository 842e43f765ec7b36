"""`authentication: {type: apikey, key: X-API-Key, value: '{{env.KEY}}', placement: header}`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from fairlead.auth.base import Credential, Sign
from fairlead.auth.bearer import header_signer
from fairlead.model import Name
from fairlead.upstream import Request


@dataclass(frozen=True, slots=True)
class QuerySigner:
    """Appends one pair to the query."""

    name: str
    value: str = field(repr=False)

    def __call__(self, request: Request) -> Request:
        joint = "&" if "?" in request.url else "?"
        return replace(request, url=f"{request.url}{joint}{quote(self.name, '')}={quote(self.value, '')}")


class ApiKey(Credential):
    """A key in a header, or in the query."""

    type: Literal["apikey"]
    key: Name
    value: Name = Field(repr=False)
    placement: Literal["header", "query"] = "header"

    def sign_with(self, *texts: str) -> Sign:
        key, value, placement = texts
        return header_signer(key.lower(), value) if placement == "header" else QuerySigner(key, value)
