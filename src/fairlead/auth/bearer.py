"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750); published files also write `value`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from fairlead.auth.base import Sign, Signing
from fairlead.auth.places import header_signer
from fairlead.model import Name


class Bearer(Signing):
    """A token in the `Authorization` header."""

    spellings: ClassVar[Mapping[str, str]] = {"value": "token"}
    token: Name = Field(repr=False)
    placement: Literal["header"] = "header"

    def texts(self) -> Mapping[str, str]:
        return {"token": self.token}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return header_signer({"authorization": f"Bearer {texts['token']}"})
