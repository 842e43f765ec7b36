"""`authentication: {type: basic, username: '{{env.USER}}', password: '{{env.PASSWORD}}'}` (RFC 7617)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from fairlead.auth.base import Sign, Signing
from fairlead.auth.demand import Check, Demand, Shown, secret
from fairlead.auth.places import header_signer
from fairlead.model import Text
from fairlead.upstream import Upstream


class Basic(Signing, Demand):
    """A user name and a password in the `Authorization` header; towards upstreams either may be empty."""

    username: Text = Field(default="", repr=False)
    password: Text = Field(default="", repr=False)

    def texts(self) -> Mapping[str, str]:
        return {"username": self.username, "password": self.password}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        pair = f"{texts['username']}:{texts['password']}"
        return header_signer({"authorization": f"Basic {b64encode(pair.encode()).decode()}"})

    @property
    def unfit(self) -> str:
        return "" if self.username and self.password else "basic needs a `username` and a `password` to check callers"

    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        pair = f"{secret(texts['username'])}:{secret(texts['password'])}"
        return Shown("Basic", b64encode(pair.encode()), (("charset", "UTF-8"),))

    def described(self) -> tuple[dict[str, Any], ...]:
        return ({"type": "http", "scheme": "basic"},)
