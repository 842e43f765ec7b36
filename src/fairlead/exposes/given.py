"""The values that a request gives for inputs, and what is wrong with them, from each place where they may stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fairlead.arguments import Encoded, Input, Inputs, Opaque, plain
from fairlead.exposes.upload import Upload
from fairlead.headers import Headers
from fairlead.jsonpath import compile_path
from fairlead.jsontext import is_plain, loads
from fairlead.styles import from_text, from_texts


class Given:
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
        media = media_of(headers)
        if isinstance(body, Upload) or (whole and (is_encoded or not is_json(media))):
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


def media_of(headers: Headers) -> str:
    """The media type of the body; JSON where the caller does not say, and without parameters, for it has none."""
    media = next((value for name, value in headers if name == "content-type"), "application/json")
    return "application/json" if media.partition(";")[0].strip().lower() == "application/json" else media


def is_json(media: str) -> bool:
    kind = media.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _encoded(body: bytes, headers: Headers) -> Encoded:
    """The body that goes on as it is; only what may be no JSON is read to learn more."""
    if not is_plain(body):
        _json(body, headers)
    return Encoded(body, media_of(headers))


def _json(body: bytes, headers: Headers) -> Any:
    """The value of a body that is JSON, whatever its media type says."""
    try:
        return loads(body.decode())
    except UnicodeDecodeError:
        fault = "is not UTF-8 text"
    except ValueError as error:
        fault = str(error)
    media = media_of(headers)
    raise ValueError(fault if is_json(media) else f"must be sent as application/json, not {media!r}")
