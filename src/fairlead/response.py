"""What a call is answered: a result, its body here or on its way; and requests whose answers nobody waits for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from msgspec import Struct

from fairlead.headers import Headers

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict."""

Arguments = Mapping[str, Json]
Given = Callable[[], Arguments]


class Body(Protocol):
    """The body of a result; read whole or relayed, once."""

    def relay(self) -> AsyncGenerator[bytes]:
        """The bytes as they came, still in their content encoding; closes the body at its end."""

    async def read(self) -> bytes:
        """The whole body, decoded and bounded; raises `CallError` when it is too large or breaks off."""

    async def close(self) -> None:
        """Gives the body up; what was not read is not fetched."""


class Told(Struct, frozen=True):
    """Status and headers, names in lower case, with what can be read in them."""

    status: int
    headers: Headers

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def status_text(self) -> str:
        """The status as text: `HTTP 404 Not Found`."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        return f"HTTP {self.status} {phrase}".rstrip()

    @property
    def media_type(self) -> str:
        """The media type without its parameters, in lower case; empty where there is none."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The charset that the content type names; empty where it names none."""
        said = self.header("content-type")
        return said.partition("charset=")[2].partition(";")[0].strip(" \"'") if ";" in said else ""

    def header(self, name: str) -> str:
        """The first header of that (lower case) name, or nothing."""
        for key, value in self.headers:
            if key == name:
                return value
        return ""


class Result(Told, frozen=True):
    """The answer to a call: an upstream response, or a value of our own in the same form."""

    body: Body

    async def whole(self) -> Whole:
        """The answer with all of its body; raises as that does when it is read."""
        return Whole(self.status, self.headers, await self.body.read())


class Whole(Told, frozen=True):
    """An answer whose body is here."""

    data: bytes

    @property
    def result(self) -> Result:
        return Result(self.status, self.headers, Bytes(self.data))


class Bytes(Struct, frozen=True):
    """A body that is already here."""

    data: bytes

    async def relay(self) -> AsyncGenerator[bytes]:
        yield self.data

    async def read(self) -> bytes:
        return self.data

    async def close(self) -> None:
        return None


class ResponseHead(Protocol):
    """The head of an upstream's response: its status, its headers, names in lower case, and what each of them says."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    @property
    def said(self) -> Mapping[str, str]: ...


class Underway(Protocol):
    """An upstream's response on its way, for whoever is told of it and does not wait."""

    @property
    def head(self) -> ResponseHead | Whole:
        """Its head, once that is there, or an answer that was made of it."""

    @property
    def is_done(self) -> bool:
        """Whether all of the body is here."""

    @property
    def is_stale(self) -> bool:
        """Whether it has failed for no better reason than that its connection was no longer one."""

    def listen(self, told: Callable[[], object]) -> None:
        """Has `told` called, once, as soon as there is something new to `look` at."""

    def look(self) -> bytes | None:
        """What is here of the body; None as long as the head is not. Raises a `CallError` where no more will come."""

    def close(self) -> None:
        """Gives it up; what was not read is not fetched."""


class Finish(Protocol):
    """Makes an answer of an upstream's one and of the arguments of the call, which are read where it asks for them."""

    def __call__(self, answer: Whole, given: Given, /) -> Whole:
        """Raises `CallError`."""


class Ready(Protocol):
    """A request that is ready to be sent, and the way it would take."""

    @property
    def head(self) -> bytes:
        """What is sent of it before its body."""

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""

    def begin(self, head: bytes, given: Given) -> Underway | None:
        """Sends a request of that head the same way; None where somebody has to wait for a connection.

        The arguments that it was made of are read where somebody asks for one.
        """

    def finished(self, finish: Finish, *, always: bool = False) -> Ready:
        """The same, but that what goes on of a successful answer, or `always` of any, is made of all of it."""
