"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from fairlead.auth.base import Credential, Sign, header_signer
from fairlead.model import Name


class Bearer(Credential):
    """A token in the `Authorization` header."""

    token: Name = Field(repr=False)

    def texts(self) -> Mapping[str, str]:
        return {"token": self.token}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return header_signer({"authorization": f"Bearer {texts['token']}"})
