"""`authentication: {type: hmac, apiId: '{{API_ID}}', apiKey: '{{API_KEY}}'}`: known, and not enough to sign with."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from fairlead.arguments import Location
from fairlead.auth.base import Credential, Send
from fairlead.model import Text
from fairlead.upstream import Upstream


class Hmac(Credential):
    """A key to sign with, and nothing about what is signed and where the signature goes: every vendor has its own."""

    api_id: Text = Field(default="", repr=False)
    api_key: Text = Field(default="", repr=False)

    @property
    def refusal(self) -> str:
        return "authentication of type 'hmac' does not say what is signed and how; no two APIs do it alike"

    def names(self, location: Location) -> frozenset[str]:
        return frozenset()

    def texts(self) -> Mapping[str, str]:
        return {}

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        raise ValueError("cannot sign")
