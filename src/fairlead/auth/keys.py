"""Private keys and certificates as operators have them: a PEM text, or a file in PEM or PKCS#12."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12

_PEM = b"-----BEGIN "


def private_key(text: str, password: str) -> PrivateKeyTypes:
    """The key in a PEM text or a file; raises `ValueError` that tells nothing of either."""
    data = _data(text)
    if _PEM not in data:
        return key_and_certificates(data, password)[0]
    try:
        return load_pem_private_key(data, password.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("holds no private key that could be read, or its password is wrong") from None


def key_and_certificates(data: bytes, password: str) -> tuple[PrivateKeyTypes, PKCS12KeyAndCertificates]:
    """The key in PKCS#12 data, and all that came with it."""
    try:
        store = load_pkcs12(data, password.encode() or None)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("holds neither PEM nor PKCS#12 that could be read, or its password is wrong") from None
    if store.key is None:
        raise ValueError("holds no private key")
    return store.key, store


def file_data(path: str) -> bytes:
    """What is in the file; raises `ValueError` without its name, which a mistaken variable may have made a secret."""
    try:
        return Path(path.strip()).read_bytes()
    except (OSError, ValueError):
        raise ValueError("names no file that could be read") from None


def _data(text: str) -> bytes:
    """A PEM text, its line breaks perhaps written as `\\n` as variables often have them, or what is in a file."""
    return text.replace("\\n", "\n").encode() if _PEM.decode() in text else file_data(text)


def is_pem(data: bytes) -> bool:
    return _PEM in data
