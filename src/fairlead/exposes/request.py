"""From an HTTP request to the arguments of an operation, each taken from the place where its input stands."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope

from fairlead.arguments import Encoded, Input, Inputs, Opaque, plain
from fairlead.errors import ArgumentError, TooLarge
from fairlead.exposes.learned import takes_any_text
from fairlead.exposes.upload import ClientGone, Upload
from fairlead.headers import Headers, found_out, to_upstream
from fairlead.jsonpath import compile_path
from fairlead.jsontext import is_plain, loads
from fairlead.operation import Arguments, Forwarded
from fairlead.styles import from_text, from_texts

MAX_QUERY_PAIRS = 1000
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
        return has_body(scope) and not _is_json(_media(headers_of(scope)))

    def arguments(self, path: Mapping[str, str], scope: Scope, body: bytes | Upload) -> tuple[Arguments, Forwarded]:
        """The arguments of a request, and what else of it goes upstream.

        Raises:
            ArgumentError: Names everything that is undeclared or is not of the declared type.
        """
        given = _Given(self.inputs, self._at, self.goes_on)
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


_FIRST_NAME = re.compile(r"\$\.([\w-]+)(?![\w-]*\()")


class _Given:
    """Collects values and faults, so that a caller learns of everything at once."""

    def __init__(self, inputs: Inputs, at: Mapping[str, tuple[Input, ...]], goes_on: bool) -> None:
        self.inputs = inputs
        self.at = at
        self.goes_on = goes_on
        self.values: dict[str, Any] = {}
        self.faults: dict[str, str] = {}

    def take_texts(self, location: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Values of the path, of headers or cookies; a name may repeat in headers, which are then one list."""
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        for item in self.at.get(location, ()):
            found = texts.get(item.given_as.lower() if location == "header" else item.given_as, [])
            if location == "cookie" and len(found) > 1:
                self.faults[item.name] = f"is given {len(found)} times"
            elif found:
                self._convert(item, from_text, ",".join(found))

    def take_query(self, query: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
        """Takes the declared parameters and gives back the others.

        An object is spread over the query as one pair a member, so the pairs that nothing else declares are its own.
        """
        declared = {item.given_as: item for item in self.at.get("query", ())}
        objects = [item for item in declared.values() if item.type == "object"]
        for name, texts in query.items():
            if name in declared and declared[name] not in objects:
                self._convert(declared[name], from_texts, texts)
            elif len(objects) == 1 and len(texts) == 1:
                self.values.setdefault(objects[0].name, {})[name] = texts[0]
            else:
                yield from ((name, text) for text in texts)

    def take_body(self, body: bytes | Upload, headers: Headers) -> None:
        whole = next(iter(self.at.get("body", ())), None)
        listed = self.at.get("member", ())
        inside = [(item.name, item.found_at) for item in listed if item.found_at]
        name = whole.name if whole else "body"
        if whole is None and not listed:
            if self.goes_on:
                self.faults["body"] = "is not declared: the operation takes no body"
            return
        is_encoded = any(key == "content-encoding" and value.lower() != "identity" for key, value in headers)
        if is_encoded and not self._takes_encoding(whole):
            self.faults[name] = "must be sent without a content encoding"
            return
        media = _media(headers)
        if isinstance(body, Upload) or (whole and (is_encoded or not _is_json(media))):
            self.values[name] = Opaque(body, media)
            return
        try:
            value = _encoded(body, headers) if whole else _json(body, headers)
        except ValueError as error:
            self.faults[name] = str(error)
            return
        if inside:
            self._take_inside(plain(value), inside)
        if whole:
            self.values[name] = value
        else:
            members = {item.given_as: item.name for item in listed if not item.found_at}
            self._take_members(value, members, is_open=bool(inside) or not self.goes_on)

    def _take_members(self, value: Any, members: Mapping[str, str], *, is_open: bool) -> None:
        """The members of a body by their names; where it `is_open`, it may hold others."""
        if isinstance(value, dict):
            if not is_open:
                self.faults.update((key, self.inputs.unknown(key)) for key in value if key not in members)
            self.values.update((members[key], member) for key, member in value.items() if key in members)
        elif members:
            self.faults["body"] = f"must be a JSON object with {', '.join(sorted(members))}"

    def _take_inside(self, value: Any, inside: Iterable[tuple[str, str]]) -> None:
        """Values that a path finds in the body; null is as good as not given."""
        for name, path in inside:
            get = compile_path(path)
            found = get(value) if get else value
            if found is not None:
                self.values[name] = found

    def _takes_encoding(self, whole: Input | None) -> bool:
        """Whether the body may be encoded: the operation takes it whole, and declares the header that says so."""
        declared = {item.given_as.lower() for item in self.at.get("header", ())}
        return whole is not None and "content-encoding" in declared

    def _convert(self, item: Input, convert: Any, text: Any) -> None:
        try:
            self.values[item.name] = convert(item.type, text)
        except ValueError as error:
            self.faults[item.name] = str(error)


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


def _media(headers: Headers) -> str:
    """The media type of the body; JSON where the caller does not say, and without parameters, for it has none."""
    media = next((value for name, value in headers if name == "content-type"), "application/json")
    return "application/json" if media.partition(";")[0].strip().lower() == "application/json" else media


def _is_json(media: str) -> bool:
    kind = media.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _encoded(body: bytes, headers: Headers) -> Encoded:
    """The body that goes on as it is; only what may be no JSON is read to learn more."""
    if not is_plain(body):
        _json(body, headers)
    return Encoded(body, _media(headers))


def _json(body: bytes, headers: Headers) -> Any:
    """The value of a body that is JSON, whatever its media type says."""
    try:
        return loads(body.decode())
    except UnicodeDecodeError:
        fault = "is not UTF-8 text"
    except ValueError as error:
        fault = str(error)
    media = _media(headers)
    raise ValueError(fault if _is_json(media) else f"must be sent as application/json, not {media!r}")
