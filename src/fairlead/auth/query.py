"""`authentication: {type: query, parameters: {api_key: '{{env.KEY}}', format: json}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from fairlead.arguments import Location
from fairlead.auth.base import Sign, Signing
from fairlead.auth.places import QuerySigner
from fairlead.model import Name


class Query(Signing):
    """Pairs that are appended to the query."""

    parameters: dict[str, Name] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _has_parameters(self) -> Self:
        if not self.parameters:
            raise ValueError("query needs `parameters`")
        return self

    def names(self, location: Location) -> frozenset[str]:
        return frozenset(self.parameters if location == "query" else ())

    def texts(self) -> Mapping[str, str]:
        return self.parameters

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return QuerySigner(tuple(texts.items()))
