"""`authentication: {type: digest, username: '{{env.USER}}', password: '{{env.PASSWORD}}'}` (RFC 7616)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from fairlead.auth.base import Credential, Send, whole_body
from fairlead.auth.demand import Check, Demand, secret
from fairlead.auth.digest_check import DigestCheck
from fairlead.auth.digests import ALGORITHMS, digests, hashed
from fairlead.model import Text
from fairlead.response import Result
from fairlead.upstream import Request, Upstream


class Digest(Credential, Demand):
    """A user and a password that proves itself without being sent."""

    username: Text = Field(default="", repr=False)
    password: Text = Field(default="", repr=False)

    def texts(self) -> Mapping[str, str]:
        return {"username": self.username, "password": self.password}

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        username = texts["username"].strip()
        if any(ord(char) < 32 or ord(char) == 127 for char in username):
            raise ValueError("holds line breaks or other characters that no header can")
        return Challenged(username, texts["password"].strip(), upstream)

    @property
    def unfit(self) -> str:
        return "" if self.username and self.password else "digest needs a `username` and a `password` to check callers"

    def checking(self, texts: Mapping[str, str], upstream: Upstream) -> Check:
        return DigestCheck(secret(texts["username"]), secret(texts["password"]))

    def described(self) -> tuple[dict[str, Any], ...]:
        return ({"type": "http", "scheme": "digest"},)


@dataclass(slots=True)
class Challenge:
    """What a server wants proven, and how often it was answered."""

    parameters: Mapping[str, str] = field(repr=False)
    count: int = 0

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def rank(self) -> int:
        """Its place among the algorithms known here; -1 where it cannot be answered."""
        names = list(ALGORITHMS)
        name = self.algorithm.removesuffix("-SESS")
        answerable = name in names and {"realm", "nonce"} <= set(self.parameters) and self.qop is not None
        return names.index(name) if answerable else -1

    @property
    def qop(self) -> str | None:
        """The quality of protection to use, empty where the server names none, None where it wants an unknown one."""
        offered = [word.strip().lower() for word in self.parameters.get("qop", "").split(",") if word.strip()]
        return next((word for word in ("auth", "auth-int") if word in offered), None if offered else "")

    def hash(self, *parts: str | bytes) -> str:
        """The hash of the parts, joined by colons."""
        return hashed(self.algorithm.removesuffix("-SESS"), *parts)


@dataclass(slots=True)
class Challenged:
    """Answers the last challenge with every request, and a new one by sending the request once more."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    upstream: Upstream = field(repr=False)
    cnonce: Callable[[], str] = secrets.token_hex
    challenge: Challenge | None = field(default=None, repr=False)

    async def __call__(self, request: Request) -> Result:
        content = whole_body(request, "digest")
        result = await self.upstream.send(self._answered(request, content) if self.challenge else request)
        challenge = best(value for name, value in result.headers if name == "www-authenticate")
        if result.status != 401 or challenge is None:
            return result
        await result.body.close()
        self.challenge = challenge
        return await self.upstream.send(self._answered(request, content))

    def _answered(self, request: Request, content: bytes) -> Request:
        assert self.challenge is not None
        self.challenge.count += 1
        answer = Answer(self.challenge, f"{self.challenge.count:08x}", self.cnonce(), self.username, self.password)
        return request.with_header("authorization", answer.header(request.method, _target(request.url), content))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a challenge (RFC 7616, 3.4)."""

    challenge: Challenge
    nc: str
    cnonce: str
    username: str = field(repr=False)
    password: str = field(repr=False)

    def header(self, method: str, uri: str, content: bytes) -> str:
        """The value of the `Authorization` header."""
        given, hashed = self.challenge.parameters, self.challenge.hash
        is_hashed = given.get("userhash", "").lower() == "true"
        quoted = {
            "username": hashed(self.username, given["realm"]) if is_hashed else self.username,
            "realm": given["realm"],
            "nonce": given["nonce"],
            "uri": uri,
            "response": self._response(method, uri, content),
            **({"opaque": given["opaque"]} if "opaque" in given else {}),
            **({"cnonce": self.cnonce} if self._has_cnonce else {}),
        }
        bare = {
            **({"algorithm": given["algorithm"]} if "algorithm" in given else {}),
            **({"qop": self.challenge.qop, "nc": self.nc} if self.challenge.qop else {}),
            **({"userhash": "true"} if is_hashed else {}),
        }
        pairs = [f"{name}={_quoted(value)}" for name, value in quoted.items()]
        header = f"Digest {', '.join([*pairs, *(f'{name}={value}' for name, value in bare.items())])}"
        return header.encode().decode("latin-1")  # UTF-8, in the characters in which headers are sent

    @property
    def _has_cnonce(self) -> bool:
        return bool(self.challenge.qop) or self.challenge.algorithm.endswith("-SESS")

    def _response(self, method: str, uri: str, content: bytes) -> str:
        given, hashed, qop = self.challenge.parameters, self.challenge.hash, self.challenge.qop
        user = hashed(self.username, given["realm"], self.password)
        if self.challenge.algorithm.endswith("-SESS"):
            user = hashed(user, given["nonce"], self.cnonce)
        asked = hashed(method, uri, hashed(content)) if qop == "auth-int" else hashed(method, uri)
        return hashed(user, given["nonce"], *([self.nc, self.cnonce, qop] if qop else []), asked)


def best(headers: Iterable[str]) -> Challenge | None:
    """The strongest of the digest challenges in `WWW-Authenticate` headers that can be answered."""
    challenges = (Challenge(parameters) for header in headers for parameters in digests(header))
    return min((one for one in challenges if one.rank >= 0), key=lambda one: one.rank, default=None)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
