"""What a caller presents, in each place of a request, and the request without it.

A credential is for us alone: whoever handles the request after its check does not see it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

Taken = tuple[list[bytes], Scope]
"""All values of a name, and the request without them."""
Take = Callable[[Scope, str], Taken]


def same(given: bytes, expected: bytes) -> bool:
    """Whether both are equal, in a time that tells nothing of either, nor how long it is."""
    return compare_digest(sha256(given).digest(), sha256(expected).digest())


def authorization(scope: Scope, scheme: str) -> tuple[bytes, Scope]:
    """What stands behind the name of the scheme; nothing where that is not what the caller says, or not all."""
    values, rest = from_header(scope, "authorization")
    if len(values) != 1:
        return b"", rest
    name, _, credential = values[0].partition(b" ")
    return (credential.strip(b" ") if name.lower() == scheme.lower().encode() else b""), rest


def from_header(scope: Scope, name: str) -> Taken:
    """The values of a header."""
    wanted = name.lower().encode("latin-1")
    values = [value for key, value in scope["headers"] if key == wanted]
    return values, {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != wanted]}


def from_query(scope: Scope, name: str) -> Taken:
    """The values of a query parameter."""
    wanted, pairs = name.encode(), scope["query_string"].split(b"&")
    values = [_decoded(pair.partition(b"=")[2]) for pair in pairs if _key(pair) == wanted]
    return values, {**scope, "query_string": b"&".join(pair for pair in pairs if _key(pair) != wanted)}


def from_cookie(scope: Scope, name: str) -> Taken:
    """The values of a cookie."""
    wanted, values, headers = name.encode(), list[bytes](), list[tuple[bytes, bytes]]()
    for key, value in scope["headers"]:
        if key != b"cookie":
            headers.append((key, value))
            continue
        pairs = [pair.strip() for pair in value.split(b";")]
        values += [pair.partition(b"=")[2].strip(b' "') for pair in pairs if _cookie(pair) == wanted]
        if others := [pair for pair in pairs if _cookie(pair) != wanted]:
            headers.append((key, b"; ".join(others)))
    return values, {**scope, "headers": headers}


def _key(pair: bytes) -> bytes:
    return _decoded(pair.partition(b"=")[0])


def _cookie(pair: bytes) -> bytes:
    return pair.partition(b"=")[0].strip()


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
