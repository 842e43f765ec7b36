"""`authentication: {type: certificate, certPath: client.p12, certPassword: '{{env.PASSWORD}}'}`: mutual TLS.

The file holds the certificate with its private key, in PEM or PKCS#12.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from pydantic import Field

from fairlead.arguments import Location
from fairlead.auth.base import Credential, Send, Signed
from fairlead.auth.keys import file_data, is_pem, key_and_certificates
from fairlead.model import Name, Text
from fairlead.upstream import Request, Upstream


class Certificate(Credential):
    """A client certificate, shown while the connection is made."""

    cert_path: Name
    cert_password: Text = Field(default="", repr=False)

    def names(self, location: Location) -> frozenset[str]:
        return frozenset()

    def texts(self) -> Mapping[str, str]:
        password = {"certPassword": self.cert_password} if self.cert_password else {}
        return {"certPath": self.cert_path, **password}

    def sending(self, texts: Mapping[str, str], upstream: Upstream) -> Send:
        context = upstream.tls_context()
        load_certificate(context, texts["certPath"], texts.get("certPassword", ""))
        return Signed(Presented(context), upstream)


@dataclass(frozen=True, slots=True)
class Presented:
    """Makes a request go over connections that show the certificate."""

    context: ssl.SSLContext = field(repr=False)

    def __call__(self, request: Request) -> Request:
        return request._replace(tls=self.context)


def load_certificate(context: ssl.SSLContext, path: str, password: str) -> None:
    """Has the context show the certificate of a file; raises `ValueError` where it cannot be used."""
    data = file_data(path)
    try:
        if is_pem(data):
            # A callback rather than the text: without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(path.strip(), password=lambda: password)
        else:
            _load_pem(context, *_as_pem(data, password))
    except (ssl.SSLError, OSError):
        raise ValueError("holds no certificate with its private key, or its password is wrong") from None


def _as_pem(data: bytes, password: str) -> tuple[bytes, bytes]:
    """PKCS#12 as PEM, its key under a password of one use, and that password."""
    key, store = key_and_certificates(data, password)
    certificates = [one.certificate for one in (store.cert, *store.additional_certs) if one]
    once = os.urandom(32).hex().encode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(once))
    return pem + b"".join(one.public_bytes(Encoding.PEM) for one in certificates), once


def _load_pem(context: ssl.SSLContext, pem: bytes, password: bytes) -> None:
    """Through a file that only its owner can read, for OpenSSL's Python binding takes nothing else."""
    folder = Path(mkdtemp())
    try:
        chain = folder / "chain.pem"
        chain.write_bytes(pem)
        context.load_cert_chain(chain, password=password)
    finally:
        (folder / "chain.pem").unlink(missing_ok=True)
        folder.rmdir()
