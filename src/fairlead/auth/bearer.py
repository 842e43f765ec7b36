"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from fairlead.auth.base import Credential, Sign
from fairlead.errors import Unconfigured
from fairlead.headers import is_legal
from fairlead.model import Name
from fairlead.upstream import Request


@dataclass(frozen=True, slots=True)
class HeaderSigner:
    """Sets one header, in place of any of that name."""

    name: str
    value: str = field(repr=False)

    def __call__(self, request: Request) -> Request:
        return request.with_header(self.name, self.value)


def header_signer(name: str, value: str) -> Sign:
    """The signer for a header; raises `Unconfigured` for a value that no header can hold."""
    if not is_legal(value):
        raise Unconfigured(f"the credential for the header {name!r} holds line breaks or other characters it cannot")
    return HeaderSigner(name, value)


class Bearer(Credential):
    """A token in the `Authorization` header."""

    type: Literal["bearer"]
    token: Name = Field(repr=False)

    def sign_with(self, *texts: str) -> Sign:
        return header_signer("authorization", f"Bearer {texts[0]}")
