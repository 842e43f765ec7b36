"""`authentication: {type: bearer, token: '{{env.TOKEN}}'}` (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from fairlead.auth.base import Credential, Sign
from fairlead.errors import Unconfigured
from fairlead.headers import is_legal
from fairlead.model import Name
from fairlead.upstream import Request


@dataclass(frozen=True, slots=True)
class HeaderSigner:
    """Sets headers, each in place of any of its name."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def __call__(self, request: Request) -> Request:
        for name, value in self.headers:
            request = request.with_header(name, value)
        return request


def header_signer(headers: Mapping[str, str]) -> Sign:
    """The signer for headers; raises `Unconfigured` for a value that no header can hold."""
    for name, value in headers.items():
        if not is_legal(value):
            raise Unconfigured(f"the credential for the header {name!r} holds line breaks or other illegal characters")
    return HeaderSigner(tuple((name.lower(), value) for name, value in headers.items()))


class Bearer(Credential):
    """A token in the `Authorization` header."""

    token: Name = Field(repr=False)

    def texts(self) -> Mapping[str, str]:
        return {"token": self.token}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        return header_signer({"authorization": f"Bearer {texts['token']}"})
