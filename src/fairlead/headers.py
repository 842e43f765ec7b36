"""Which headers cross the gateway, decided here and nowhere else; `docs/headers.md` shows the same tables.

Towards the upstream only what is listed passes, so a caller's credentials, cookies and tracking headers never do.
Towards the caller everything passes but what is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
Headers = tuple[tuple[str, str], ...]
"""Names in lower case and values, in order; a name may repeat."""

HOP_BY_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding
    upgrade""".split()
)
TO_UPSTREAM = frozenset(
    """accept accept-encoding accept-language idempotency-key if-match if-modified-since if-none-match if-range
    if-unmodified-since prefer range traceparent tracestate""".split()
)
_TO_UPSTREAM = {name.encode(): name for name in TO_UPSTREAM}
NOT_TO_CALLER = HOP_BY_HOP | frozenset(
    """access-control-allow-credentials access-control-allow-headers access-control-allow-methods
    access-control-allow-origin access-control-expose-headers access-control-max-age alt-svc clear-site-data date nel
    public-key-pins report-to server set-cookie set-cookie2 strict-transport-security""".split()
)
NEVER_AN_ARGUMENT = HOP_BY_HOP | frozenset({"authorization", "content-length", "content-type", "cookie", "host"})
"""Header parameters that a document may declare and that still never come from a caller."""

NEVER_TRUSTED = HOP_BY_HOP | frozenset({"content-length", "expect", "host"})
"""Headers that no document can let pass from a caller: each connection has its own."""
OF_BODY = frozenset({"content-encoding", "content-type"})
"""Headers without which nobody can read a body that goes on as it is."""


class Fields(list[tuple[bytes, bytes]]):
    """The headers of a caller's request, shared by all of his requests that say the same, byte by byte."""

    __slots__ = ("known",)

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__(fields)
        self.known: dict[Any, Any] = {}
        """What was found out about them, by who found it."""


def found_out(headers: list[tuple[bytes, bytes]], make: Callable[[list[tuple[bytes, bytes]]], T]) -> T:
    """What the function makes of the headers; made once, where they are shared."""
    if not isinstance(headers, Fields):
        return make(headers)
    if make not in headers.known:
        headers.known[make] = make(headers)
    made: T = headers.known[make]
    return made


def is_legal(value: str) -> bool:
    """Whether a text can be a header's value: Latin-1, no control characters, no space around it."""
    return value == value.strip(" \t") and all(
        char == "\t" or (" " <= char <= "\xff" and char != "\x7f") for char in value
    )


def is_token(name: str) -> bool:
    """Whether a text can be a header's name (RFC 9110, 5.6.2)."""
    return _TOKEN.fullmatch(name) is not None


def to_upstream(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Those of a caller's headers that may go upstream; names in lower case, as ASGI has them."""
    return tuple([(_TO_UPSTREAM[name], value.decode("latin-1")) for name, value in headers if name in _TO_UPSTREAM])


def also_to_upstream(headers: Iterable[tuple[bytes, bytes]], names: frozenset[str]) -> Headers:
    """Those of a caller's headers that have one of the names, but for what belongs to his connection."""
    listed = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    own = {word.strip() for name, value in listed if name == "connection" for word in value.lower().split(",")}
    return tuple(pair for pair in listed if pair[0] in names - own)


def to_caller(headers: Headers, said: Mapping[str, str]) -> Headers:
    """Those of an upstream's headers that may go to the caller; `Connection` may name more to hold back.

    A length beside a transfer encoding is not the body's (RFC 9112, 6.3). What each header says is also given by name.
    """
    held_back = NOT_TO_CALLER
    if "connection" in said and (named := _named(said["connection"])):
        held_back |= named
    if "transfer-encoding" in said:
        held_back |= {"content-length"}
    return tuple([pair for pair in headers if pair[0] not in held_back])


@lru_cache(maxsize=64)
def _named(connection: str) -> frozenset[str]:
    """The headers that a `Connection` names, of those that would pass."""
    return frozenset(word.strip() for word in connection.lower().split(",")) - NOT_TO_CALLER
