"""`authentication: {type: apikey, key: X-API-Key, value: '{{env.KEY}}', placement: header}`.

Published files also write `{in: header, name: X-API-Key, value: ...}`, `{header: X-API-Key, value: ...}` and several
keys at once as `headers: {X-API-Key: ..., X-App-Key: ...}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from fairlead.arguments import Location
from fairlead.auth.base import Credential, Sign, header_signer
from fairlead.headers import is_token
from fairlead.model import Name, Text
from fairlead.upstream import Request

Placement = Literal["header", "query"]


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

    key: Text = ""
    name: Text = ""
    header: Text = ""
    value: Text = Field(default="", repr=False)
    placement: Placement | None = None
    in_: Placement | None = Field(default=None, alias="in")
    headers: dict[str, Name] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _has_name_and_value(self) -> Self:
        if bool(self.headers) == bool(self._name or self.value):
            raise ValueError("apikey needs either `key` and `value`, or `headers`")
        if not self.headers and not (self._name and self.value):
            raise ValueError("apikey needs both `key` and `value`")
        if not all(is_token(name) for name in self.headers or ([] if self._is_query else [self._name])):
            raise ValueError("apikey has a name that no header can have")
        return self

    @property
    def _name(self) -> str:
        return self.key or self.name or self.header

    def names(self, location: Location) -> frozenset[str]:
        if location != ("query" if self._is_query else "header"):
            return frozenset()
        return frozenset(name if self._is_query else name.lower() for name in self.headers or [self._name])

    @property
    def _is_query(self) -> bool:
        return not self.headers and "query" in (self.placement, self.in_)

    def texts(self) -> Mapping[str, str]:
        return self.headers or {"value": self.value}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        if self.headers:
            return header_signer(texts)
        if self._is_query:
            return QuerySigner(self._name, texts["value"])
        return header_signer({self._name: texts["value"]})
