"""`authentication: {type: oauth1, consumerKey: '{{KEY}}', consumerSecret: '{{SECRET}}', token: ..., tokenSecret: ...}`.

OAuth 1.0a (RFC 5849): requests signed with HMAC and the secrets, or with RSA and a `signingKey`, a PEM text or
the path of a PEM or PKCS#12 file. The digest of the body is among the parameters (OAuth Request Body Hash), with RSA
always, as Mastercard's APIs ask for; with HMAC the fields of a form are signed instead.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import new, sha256
from typing import ClassVar, Final, Literal, Protocol, Self
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import Field, model_validator

from fairlead.auth.base import Sign, Signing, whole_body
from fairlead.auth.keys import private_key
from fairlead.headers import is_legal
from fairlead.model import Name, Text
from fairlead.upstream import Request

_HASHES: Final = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
_FORM: Final = "application/x-www-form-urlencoded"
Pairs = tuple[tuple[str, str], ...]


class OAuth1(Signing):
    """A consumer key, what signs for it, and perhaps a token with its secret."""

    is_constant: ClassVar[bool] = False
    consumer_key: Name = Field(repr=False)
    signing_key: Text = Field(default="", repr=False)
    key_password: Text = Field(default="", repr=False)
    consumer_secret: Text = Field(default="", repr=False)
    token: Text = Field(default="", repr=False)
    token_secret: Text = Field(default="", repr=False)
    signature_method: Literal["RSA-SHA256", "HMAC-SHA1", "HMAC-SHA256"] | None = None
    realm: Text = ""

    @model_validator(mode="after")
    def _has_what_signs(self) -> Self:
        if bool(self.signing_key) == bool(self.consumer_secret):
            raise ValueError("oauth1 needs either a `signingKey` or a `consumerSecret`")
        if self.signature_method and (self.signature_method == "RSA-SHA256") != bool(self.signing_key):
            raise ValueError(f"oauth1 cannot sign by {self.signature_method} with what it has")
        return self

    def texts(self) -> Mapping[str, str]:
        texts = {
            "consumerKey": self.consumer_key,
            "signingKey": self.signing_key,
            "keyPassword": self.key_password,
            "consumerSecret": self.consumer_secret,
            "token": self.token,
            "tokenSecret": self.token_secret,
            "realm": self.realm,
        }
        return {key: text for key, text in texts.items() if text}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        given = {name: text.strip() for name, text in texts.items()}
        if not is_legal(realm := given.get("realm", "")):
            raise ValueError("holds line breaks or other characters that no header can")
        return OAuth1Signer(given["consumerKey"], self._method(given), given.get("token", ""), realm)

    def _method(self, given: Mapping[str, str]) -> Method:
        if not self.signing_key:
            pair = f"{_encoded(given['consumerSecret'])}&{_encoded(given.get('tokenSecret', ''))}"
            return Hmac(self.signature_method or "HMAC-SHA1", pair.encode())
        key = private_key(given["signingKey"], given.get("keyPassword", ""))
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("holds a private key that is not of RSA")  # noqa: TRY004 - a text of no use
        return Rsa(key)


class Method(Protocol):
    """How requests are signed."""

    @property
    def name(self) -> str: ...

    def sign(self, text: bytes) -> bytes: ...

    def of_body(self, content: bytes, *, is_form: bool) -> tuple[Mapping[str, str], Pairs]:
        """What of the body is signed: as parameters in the header, and as pairs beside them."""


@dataclass(frozen=True, slots=True)
class Rsa:
    """RSA with SHA-256, over the digest of any body."""

    key: RSAPrivateKey = field(repr=False)
    name: str = "RSA-SHA256"

    def sign(self, text: bytes) -> bytes:
        return self.key.sign(text, PKCS1v15(), SHA256())

    def of_body(self, content: bytes, *, is_form: bool) -> tuple[Mapping[str, str], Pairs]:
        return {"oauth_body_hash": _base64(sha256(content).digest())}, ()


@dataclass(frozen=True, slots=True)
class Hmac:
    """HMAC with the secrets, over the fields of a form or the digest of another body."""

    name: str
    key: bytes = field(repr=False)

    def sign(self, text: bytes) -> bytes:
        return hmac.digest(self.key, text, _HASHES[self.name])

    def of_body(self, content: bytes, *, is_form: bool) -> tuple[Mapping[str, str], Pairs]:
        if is_form:
            return {}, tuple(parse_qsl(content.decode(), keep_blank_values=True))
        digest = new(_HASHES[self.name], content, usedforsecurity=False).digest()
        return {"oauth_body_hash": _base64(digest)} if content else {}, ()


@dataclass(frozen=True, slots=True)
class OAuth1Signer:
    """Adds a signature of method, URL, query and body."""

    consumer_key: str = field(repr=False)
    method: Method
    token: str = field(default="", repr=False)
    realm: str = ""
    now: Callable[[], float] = time.time
    nonce: Callable[[], str] = secrets.token_hex

    def __call__(self, request: Request) -> Request:
        in_header, beside = self.method.of_body(whole_body(request, "oauth1"), is_form=_is_form(request))
        own = {
            **in_header,
            "oauth_consumer_key": self.consumer_key,
            "oauth_nonce": self.nonce(),
            "oauth_signature_method": self.method.name,
            "oauth_timestamp": str(int(self.now())),
            **({"oauth_token": self.token} if self.token else {}),
            "oauth_version": "1.0",
        }
        own["oauth_signature"] = _base64(self.method.sign(base_string(request, (*own.items(), *beside)).encode()))
        # The realm is not signed (RFC 5849, 3.4.1.3.1).
        listed = {**({"realm": self.realm} if self.realm else {}), **own}
        pairs = ",".join(f'{name}="{_encoded(value)}"' for name, value in listed.items())
        return request.with_header("authorization", f"OAuth {pairs}")


def _is_form(request: Request) -> bool:
    media = next((value for name, value in request.headers if name == "content-type"), "")
    return media.partition(";")[0].strip().lower() == _FORM


def base_string(request: Request, own: Iterable[tuple[str, str]]) -> str:
    """The text that is signed (RFC 5849, 3.4.1)."""
    parts = urlsplit(request.url)
    authority = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *own]
    parameters = "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, v in pairs))
    base = f"{parts.scheme}://{authority}{parts.path or '/'}"
    return "&".join(map(_encoded, (request.method, base, parameters)))


def _encoded(text: str) -> str:
    return quote(text, "-._~")


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
