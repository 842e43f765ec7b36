"""The places of a request that a fixed secret can be put in: headers, the query, a cookie, a member of the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fairlead.auth.base import Sign, whole_body
from fairlead.errors import Refused
from fairlead.headers import is_legal
from fairlead.jsontext import dumps, loads
from fairlead.upstream import Request

Pairs = tuple[tuple[str, str], ...]
_FORM = "application/x-www-form-urlencoded"
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class HeaderSigner:
    """Sets headers, each in place of any of its name."""

    headers: Pairs = field(repr=False)

    def __call__(self, request: Request) -> Request:
        for name, value in self.headers:
            request = request.with_header(name, value)
        return request


def header_signer(headers: Mapping[str, str]) -> Sign:
    """The signer for headers, without the line break that files end in; raises `ValueError` for an illegal value."""
    stripped = {name.lower(): value.strip() for name, value in headers.items()}
    if not all(map(is_legal, stripped.values())):
        raise ValueError("holds line breaks or other characters that no header can")
    return HeaderSigner(tuple(stripped.items()))


@dataclass(frozen=True, slots=True)
class QuerySigner:
    """Appends pairs to the query."""

    pairs: Pairs = field(repr=False)

    def __call__(self, request: Request) -> Request:
        joint = "&" if "?" in request.url else "?"
        query = "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in self.pairs)
        return request._replace(url=f"{request.url}{joint}{query}")


@dataclass(frozen=True, slots=True)
class CookieSigner:
    """Sets one cookie beside those of other names."""

    name: str
    value: str = field(repr=False)

    def __call__(self, request: Request) -> Request:
        sent = next((value for name, value in request.headers if name == "cookie"), "")
        others = [pair for pair in sent.split("; ") if pair and pair.partition("=")[0] != self.name]
        return request.with_header("cookie", "; ".join([*others, f"{self.name}={self.value}"]))


def cookie_signer(name: str, value: str) -> Sign:
    """The signer for a cookie; raises `ValueError` for a value that a cookie cannot have (RFC 6265, 4.1.1)."""
    if not _COOKIE_VALUE.fullmatch(value.strip()):
        raise ValueError("holds characters that no cookie can")
    return CookieSigner(name, value.strip())


@dataclass(frozen=True, slots=True)
class BodySigner:
    """Sets one member of a JSON object, or one field of a form; where nothing else is sent, a JSON object of one."""

    name: str
    value: str = field(repr=False)

    def __call__(self, request: Request) -> Request:
        content = whole_body(request, "apikey")
        media = next((value for name, value in request.headers if name == "content-type"), "").partition(";")[0]
        if media.strip().lower() == _FORM:
            return request._replace(content=self._in_form(content))
        signed = request._replace(content=self._in_json(content))
        return signed if content else signed.with_header("content-type", "application/json")

    def _in_form(self, content: bytes) -> bytes:
        pairs = parse_qsl(content.decode(), keep_blank_values=True)
        others = [(name, value) for name, value in pairs if name != self.name]
        return urlencode([*others, (self.name, self.value)]).encode()

    def _in_json(self, content: bytes) -> bytes:
        try:
            return dumps({**_members(content), self.name: self.value})
        except ValueError:
            raise Refused("the credential is a member of a JSON object or a form, and this body is neither") from None


def _members(content: bytes) -> dict[str, Any]:
    sent = loads(content.decode()) if content else {}
    if not isinstance(sent, dict):
        raise ValueError("is no object")  # noqa: TRY004 - like text that is no JSON
    return sent
