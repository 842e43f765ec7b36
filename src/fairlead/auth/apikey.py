"""`authentication: {type: apikey, key: X-API-Key, value: '{{env.KEY}}', placement: header}`.

Published files also write `{in: header, name: X-API-Key, value: ...}`, `{header: X-API-Key, value: ...}` with `token`
or `key` for `value`, and several keys at once as `headers: {X-API-Key: ..., X-App-Key: ...}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from starlette.types import Scope

from fairlead.arguments import Location
from fairlead.auth.base import Sign, Signing
from fairlead.auth.demand import WANTED, WRONG, Check, Demand, challenge, secret
from fairlead.auth.places import BodySigner, QuerySigner, cookie_signer, header_signer
from fairlead.auth.presented import Take, from_cookie, from_header, from_query, same
from fairlead.errors import NoCredential, Unauthorized
from fairlead.headers import is_token
from fairlead.model import Name, Text, lower
from fairlead.upstream import Upstream

_Placement = Literal["header", "query", "cookie", "body"]
Placement = Annotated[_Placement, BeforeValidator(lower, json_schema_input_type=_Placement)]
_LOCATIONS: Final[Mapping[_Placement, Location]] = {
    "header": "header",
    "query": "query",
    "cookie": "cookie",
    "body": "member",
}
_TAKE: Final[Mapping[Location, Take]] = {"header": from_header, "query": from_query, "cookie": from_cookie}


class ApiKey(Signing, Demand):
    """A key in a header, the query, a cookie, or a member of the body."""

    key: Text = ""
    name: Text = ""
    header: Text = ""
    value: Text = Field(default="", repr=False)
    token: Text = Field(default="", repr=False)
    placement: Placement | None = None
    in_: Placement | None = Field(default=None, alias="in")
    headers: dict[str, Name] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _has_name_and_value(self) -> Self:
        if self.value and self.token:
            raise ValueError("apikey has both `value` and `token`")
        if bool(self.headers) == bool(self._name or self.value or self.token):
            raise ValueError("apikey needs either `key` and `value`, or `headers`")
        if not self.headers and not (self._name and self._secret[1]):
            raise ValueError("apikey needs both `key` and `value`")
        if self._location in ("header", "cookie") and not all(map(is_token, self._names)):
            raise ValueError(f"apikey has a name that no {self._location} can have")
        return self

    @property
    def _secret(self) -> tuple[str, str]:
        """The key that the secret stands under, and the secret; beside a `header` it may stand under `key`."""
        given = {"value": self.value, "token": self.token, "key": self.key if self.header else ""}
        return next(((key, text) for key, text in given.items() if text), ("value", ""))

    @property
    def _name(self) -> str:
        return self.header if self._secret[0] == "key" else self.key or self.name or self.header

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.headers) or (self._name,)

    @property
    def _location(self) -> Location:
        return "header" if self.headers else _LOCATIONS[self.placement or self.in_ or "header"]

    def names(self, location: Location) -> frozenset[str]:
        if location != self._location:
            return frozenset()
        return frozenset(name.lower() if location == "header" else name for name in self._names)

    def texts(self) -> Mapping[str, str]:
        return self.headers or dict([self._secret])

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        if self.headers:
            return header_signer(texts)
        (value,) = texts.values()
        match self._location:
            case "query":
                return QuerySigner(((self._name, value),))
            case "cookie":
                return cookie_signer(self._name, value)
            case "member":
                return BodySigner(self._name, value)
            case _:
                return header_signer({self._name: value})

    @property
    def unfit(self) -> str:
        return "" if self._location in _TAKE else "an apikey in the body cannot be checked before the body is read"

    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        expected = zip(self._names, texts.values(), strict=True)
        return KeyCheck(self._location, tuple((name, secret(text).encode()) for name, text in expected))

    def described(self) -> tuple[dict[str, Any], ...]:
        return tuple({"type": "apiKey", "in": self._location, "name": name} for name in self._names)


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Lets through who gives all keys, each once."""

    location: Location
    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    async def __call__(self, scope: Scope) -> Scope:
        rest, is_right, is_given = scope, True, False
        for name, expected in self.keys:
            values, rest = _TAKE[self.location](rest, name)
            is_given |= bool(values)
            is_right &= len(values) == 1 and same(values[0], expected)
        if not is_right:
            # There is no registered scheme for API keys, and a 401 has to have some challenge (RFC 9110, 15.5.2).
            names = ", ".join(name for name, _ in self.keys)
            how = challenge("ApiKey", (("in", self.location), ("name", names)))
            raise Unauthorized(WRONG, headers=[how]) if is_given else NoCredential(WANTED, headers=[how])
        return rest
