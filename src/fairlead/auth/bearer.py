"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750); published files also write `value`.

Of a consumed API it is the token to send, of an adapter the token that callers show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from fairlead.auth.base import Sign, Signing
from fairlead.auth.demand import Check, Demand, Shown, secret
from fairlead.auth.places import header_signer
from fairlead.model import Name
from fairlead.upstream import Upstream


class Bearer(Signing, Demand):
    """A token in the `Authorization` header."""

    spellings: ClassVar[Mapping[str, str]] = {"value": "token"}
    token: Name = Field(repr=False)
    placement: Literal["header"] = "header"

    def texts(self) -> Mapping[str, str]:
        return {"token": self.token}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return header_signer({"authorization": f"Bearer {texts['token']}"})

    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        return Shown("Bearer", secret(texts["token"]).encode(), fault=(("error", "invalid_token"),))

    def described(self) -> tuple[dict[str, Any], ...]:
        return ({"type": "http", "scheme": "bearer"},)
