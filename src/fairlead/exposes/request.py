"""From an HTTP request to the arguments of an operation, each taken from the place where its input stands."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope

from fairlead.arguments import Input, Inputs
from fairlead.errors import ArgumentError, TooLarge
from fairlead.exposes.given import Given, is_json, media_of
from fairlead.exposes.learned import takes_any_text
from fairlead.exposes.upload import ClientGone, Upload
from fairlead.headers import Headers, found_out, to_upstream
from fairlead.operation import Forwarded
from fairlead.response import Arguments

MAX_QUERY_PAIRS = 1000
_FIRST_NAME = re.compile(r"\$\.([\w-]+)(?![\w-]*\()")
_SELDOM = frozenset({"GET", "HEAD", "DELETE"})
"""Methods whose requests say so when they have a body, as all do that come over a network."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How requests are read: the largest body in bytes, and whether undeclared query parameters go upstream."""

    body: int = 10 * 1024 * 1024
    forward_query: bool = False


def has_body(scope: Scope) -> bool:
    """Whether the request says that it has a body."""
    names = [name for name, _ in scope["headers"]]
    return b"content-length" in names or b"transfer-encoding" in names


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body; raises `TooLarge` as soon as its declared or real length passes the limit."""
    if scope["method"] in _SELDOM and not has_body(scope):
        return b""
    declared = dict(scope["headers"]).get(b"content-length", b"")
    data = BytesIO()
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"the request's body is larger than {limit} bytes")
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        data.write(message.get("body", b""))
        if data.tell() > limit:
            raise TooLarge(f"the request's body is larger than {limit} bytes")
        more = message.get("more_body", False)
    return data.getvalue()


@dataclass(frozen=True)
class Reader:
    """Takes the arguments of one operation from requests.

    Where nothing `goes_on`, what else is in a body is nobody's concern.
    """

    inputs: Inputs
    reading: Reading
    goes_on: bool = True

    @cached_property
    def _at(self) -> Mapping[str, tuple[Input, ...]]:
        """The inputs by their location."""
        places: dict[str, tuple[Input, ...]] = {}
        for item in self.inputs:
            places[item.location] = (*places.get(item.location, ()), item)
        return places

    @cached_property
    def is_of_path(self) -> bool:
        """Whether requests without query and body give nothing but the texts of their paths."""
        is_text = all(map(takes_any_text, self._at.get("path", ())))
        return is_text and self._at.keys().isdisjoint(("header", "cookie"))

    def streams(self, scope: Scope) -> bool:
        """Whether the body goes on while it comes in: the operation takes it whole, and nothing here can read it."""
        if "body" not in self._at:
            return False
        return has_body(scope) and not is_json(media_of(headers_of(scope)))

    def arguments(self, path: Mapping[str, str], scope: Scope, body: bytes | Upload) -> tuple[Arguments, Forwarded]:
        """The arguments of a request, and what else of it goes upstream.

        Raises:
            ArgumentError: Names everything that is undeclared or is not of the declared type.
        """
        given = Given(self.inputs, self._at, self.goes_on)
        if path:
            given.take_texts("path", path.items())
        extra = tuple(given.take_query(query_of(scope))) if scope["query_string"] else ()
        if "header" in self._at or "cookie" in self._at:
            headers = headers_of(scope)
            given.take_texts("header", headers)
            given.take_texts("cookie", _cookies(headers))
        if body:
            given.take_body(body, headers_of(scope))
        if extra and not self.reading.forward_query:
            given.faults.update((name, self.inputs.unknown(name)) for name, _ in extra)
        if given.faults:
            self.inputs.refuse(given.faults)
        return given.values, Forwarded(passed(scope), extra if self.reading.forward_query else ())


def first_name(path: str) -> str:
    """The member of the body that a path begins with; empty where it may be any."""
    match = _FIRST_NAME.match(path)
    return match[1] if match else ""


def headers_of(scope: Scope) -> Headers:
    """The request's headers, names in lower case."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def passed(scope: Scope) -> Headers:
    """What goes upstream; a caller that accepts no content encoding must not get one."""
    return found_out(scope["headers"], _passed)


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    kept = to_upstream(headers)
    return kept if any(name == "accept-encoding" for name, _ in kept) else (*kept, ("accept-encoding", "identity"))


def query_of(scope: Scope) -> dict[str, list[str]]:
    """The values of each name in the query; raises `ArgumentError` for one that is no query."""
    texts = defaultdict(list)
    try:
        pairs = parse_qsl(scope["query_string"].decode("ascii"), True, errors="strict", max_num_fields=MAX_QUERY_PAIRS)
    except ValueError:
        detail = f"the query is not percent-encoded UTF-8 text of at most {MAX_QUERY_PAIRS} pairs"
        raise ArgumentError(detail) from None
    for name, text in pairs:
        texts[name].append(text)
    return texts


def _cookies(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name == "cookie":
            pairs = (pair.partition("=") for pair in value.split(";"))
            yield from ((key.strip(), unquote(text.strip().strip('"'))) for key, _, text in pairs)
