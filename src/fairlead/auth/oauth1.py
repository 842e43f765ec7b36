"""`authentication: {type: oauth1, consumerKey: '{{CONSUMER_KEY}}', signingKey: '{{SIGNING_KEY}}'}`.

OAuth 1.0a without tokens (RFC 5849), signed with RSA and SHA-256, the body's digest among the parameters: what
Mastercard's APIs ask for. The signing key is a PEM text, or the path of a PEM or PKCS#12 file.
"""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import Field

from fairlead.auth.base import Sign, Signing, whole_body
from fairlead.auth.keys import private_key
from fairlead.model import Name, Text
from fairlead.upstream import Request


class OAuth1(Signing):
    """A consumer key, and the private key that signs for it."""

    is_constant: ClassVar[bool] = False
    consumer_key: Name = Field(repr=False)
    signing_key: Name = Field(repr=False)
    key_password: Text = Field(default="", repr=False)

    def texts(self) -> Mapping[str, str]:
        password = {"keyPassword": self.key_password} if self.key_password else {}
        return {"consumerKey": self.consumer_key, "signingKey": self.signing_key, **password}

    def sign_with(self, texts: Mapping[str, str]) -> Sign:
        key = private_key(texts["signingKey"], texts.get("keyPassword", ""))
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("holds a private key that is not of RSA")  # noqa: TRY004 - a text of no use
        return OAuth1Signer(texts["consumerKey"].strip(), key)


@dataclass(frozen=True, slots=True)
class OAuth1Signer:
    """Adds a signature of method, URL, query and the body's digest."""

    consumer_key: str = field(repr=False)
    key: RSAPrivateKey = field(repr=False)
    now: Callable[[], float] = time.time
    nonce: Callable[[], str] = secrets.token_hex

    def __call__(self, request: Request) -> Request:
        own = {
            "oauth_body_hash": _base64(sha256(whole_body(request, "oauth1")).digest()),
            "oauth_consumer_key": self.consumer_key,
            "oauth_nonce": self.nonce(),
            "oauth_signature_method": "RSA-SHA256",
            "oauth_timestamp": str(int(self.now())),
            "oauth_version": "1.0",
        }
        signature = self.key.sign(base_string(request, own.items()).encode(), PKCS1v15(), SHA256())
        own["oauth_signature"] = _base64(signature)
        pairs = ",".join(f'{name}="{_encoded(value)}"' for name, value in own.items())
        return request.with_header("authorization", f"OAuth {pairs}")


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
