"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750); published files also write `value`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from fairlead.auth.base import Sign, Signing
from fairlead.auth.places import header_signer
from fairlead.model import Text


class Bearer(Signing):
    """A token in the `Authorization` header."""

    token: Text = Field(default="", repr=False)
    value: Text = Field(default="", repr=False)
    placement: Literal["header"] = "header"

    @model_validator(mode="after")
    def _has_one_token(self) -> Self:
        if self.token and self.value:
            raise ValueError("bearer has both `token` and `value`")
        if not self.token and not self.value:
            raise ValueError("bearer needs a `token`")
        return self

    def texts(self) -> Mapping[str, str]:
        return {"value": self.value} if self.value else {"token": self.token}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        (token,) = texts.values()
        return header_signer({"authorization": f"Bearer {token}"})
