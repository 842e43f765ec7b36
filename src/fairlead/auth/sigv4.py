"""`authentication: {type: aws-sig-v4, accessKeyId: ..., secretKey: ..., region: us-east-1, service: s3}`.

Signature version 4 of Amazon Web Services. Where the file gives no keys, they are those of the variables that all
tools for AWS take: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field

from fairlead.arguments import Location
from fairlead.auth.base import Sign, Signing, whole_body
from fairlead.headers import is_legal
from fairlead.model import Text
from fairlead.upstream import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_PORTS = {"http": 80, "https": 443}
_SET = frozenset("authorization x-amz-content-sha256 x-amz-date x-amz-security-token".split())


class SigV4(Signing):
    """Keys of AWS, and the region and service that a signature is good for."""

    is_constant: ClassVar[bool] = False
    access_key_id: Text = Field(default="{{AWS_ACCESS_KEY_ID}}", repr=False)
    secret_key: Text = Field(default="{{AWS_SECRET_ACCESS_KEY}}", repr=False)
    session_token: Text = Field(default="", repr=False)
    region: Text = ""
    service: Text = ""
    key: Text = Field(default="", repr=False)
    value: Text = Field(default="", repr=False)
    placement: Text = ""

    @property
    def refusal(self) -> str:
        if self.key or self.value:
            return "`key` and `value` cannot sign for AWS; it needs `accessKeyId`, `secretKey`, `region`, `service`"
        if not (self.region and self.service):
            return "a signature of AWS needs a `region` and a `service`"
        return ""

    def names(self, location: Location) -> frozenset[str]:
        return _SET if location == "header" else frozenset()

    def texts(self) -> Mapping[str, str]:
        keys = {"accessKeyId": self.access_key_id, "secretKey": self.secret_key}
        scope = {"region": self.region, "service": self.service}
        return {**keys, **scope, **({"sessionToken": self.session_token} if self.session_token else {})}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        stripped = {name: text.strip() for name, text in texts.items()}
        if not all(map(is_legal, stripped.values())):
            raise ValueError("holds line breaks or other characters that no header can")
        key, secret, region, service = (stripped[name] for name in ("accessKeyId", "secretKey", "region", "service"))
        return SigV4Signer(key, secret, region, service, stripped.get("sessionToken", ""))


@dataclass(frozen=True, slots=True)
class SigV4Signer:
    """Adds a signature of method, path, query, body and the headers that matter."""

    access_key_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str
    service: str
    session_token: str = field(default="", repr=False)
    now: Callable[[], float] = time.time

    def __call__(self, request: Request) -> Request:
        digest = sha256(whole_body(request, "aws-sig-v4")).hexdigest()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
        for name, value in self._own(moment, digest):
            request = request.with_header(name, value)
        headers = _signed_headers(request)
        names = ";".join(headers)
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        canonical = self._canonical(request, headers, names, digest)
        text = "\n".join([_ALGORITHM, moment, scope, sha256(canonical.encode()).hexdigest()])
        signature = hmac.new(self._key(scope), text.encode(), "sha256").hexdigest()
        credential = f"{_ALGORITHM} Credential={self.access_key_id}/{scope}"
        return request.with_header("authorization", f"{credential}, SignedHeaders={names}, Signature={signature}")

    def _own(self, moment: str, digest: str) -> Iterator[tuple[str, str]]:
        yield "x-amz-date", moment
        if self.session_token:
            yield "x-amz-security-token", self.session_token
        if self._is_s3:
            yield "x-amz-content-sha256", digest

    @property
    def _is_s3(self) -> bool:
        """S3 alone takes the path as it is, and wants the digest of the body as a header too."""
        return self.service.startswith("s3")

    def _canonical(self, request: Request, headers: Mapping[str, str], names: str, digest: str) -> str:
        parts = urlsplit(request.url)
        segments = (parts.path or "/").split("/")
        path = "/".join(map(_encoded_once, segments)) if self._is_s3 else quote(_normal(parts.path), "/-_.~")
        lines = [f"{name}:{value}" for name, value in headers.items()]
        return "\n".join([request.method, path, _canonical_query(parts.query), *lines, "", names, digest])

    def _key(self, scope: str) -> bytes:
        """The secret key, narrowed to a day, a region and a service."""
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def _signed_headers(request: Request) -> dict[str, str]:
    """The headers that are signed, in order: proxies may change others on the way."""
    values: dict[str, list[str]] = {"host": [_host(request.url)]}
    for name, value in request.headers:
        if name in ("content-md5", "content-type", "range") or name.startswith("x-amz-"):
            values.setdefault(name, []).append(" ".join(value.split()))
    return {name: ",".join(values[name]) for name in sorted(values)}


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{_PORTS.get(parts.scheme)}")


def _encoded_once(text: str) -> str:
    """The text with all but unreserved characters encoded, and what was encoded left so."""
    return quote(unquote(text, errors="surrogateescape"), "-_.~", errors="surrogateescape")


def _normal(path: str) -> str:
    """The path without empty and dot segments (RFC 3986, 6.2.2.3)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    trailing = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{trailing}"


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = ((_encoded_once(name), _encoded_once(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))
