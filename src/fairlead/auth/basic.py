"""`authentication: {type: basic, username: '{{env.USER}}', password: '{{env.PASSWORD}}'}` (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from pydantic import Field

from fairlead.auth.base import Sign, Signing
from fairlead.auth.places import header_signer
from fairlead.model import Text


class Basic(Signing):
    """A user name and a password in the `Authorization` header; either may be empty."""

    username: Text = Field(default="", repr=False)
    password: Text = Field(default="", repr=False)

    def texts(self) -> Mapping[str, str]:
        return {"username": self.username, "password": self.password}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        pair = f"{texts['username']}:{texts['password']}"
        return header_signer({"authorization": f"Basic {b64encode(pair.encode()).decode()}"})
