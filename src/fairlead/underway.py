"""Requests whose answers nobody waits for: how they are begun, and what is made of what has come."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fairlead.decoding import Decoder
from fairlead.errors import UpstreamFailed
from fairlead.headers import Headers, to_caller
from fairlead.operation import Arguments, Bytes, Finish, Ready, ResponseHead, Result, Underway
from fairlead.wire.client import Ready as Sendable
from fairlead.wire.client import Response
from fairlead.wire.limits import Limits


def shown(head: ResponseHead) -> Headers:
    """The headers that the caller gets to see, all of those of a result; raises `UpstreamFailed` for no real status."""
    if isinstance(head, Result):
        return head.headers
    if not 200 <= head.status <= 599:
        raise UpstreamFailed(f"the upstream answered with {head.status}, which is no status of HTTP")
    return to_caller(head.headers)


def encoding_of(head: ResponseHead) -> str:
    """The content encodings of the body, in their order."""
    encoding = ""
    for name, value in head.headers:
        if name == "content-encoding":
            encoding = f"{encoding}, {value}" if encoding else value
    return encoding


class Passing(NamedTuple):
    """A request whose answer goes on as it comes."""

    sent: Sendable
    limits: Limits

    @property
    def head(self) -> bytes:
        return self.sent.head

    @property
    def has_body(self) -> bool:
        return bool(self.sent.body)

    def begin(self, head: bytes, given: Callable[[], Arguments]) -> Response | None:
        return self.sent.begin(head)

    def finished(self, finish: Finish, *, always: bool = False) -> Ready:
        return _Finished(self.sent, self.limits, finish, always)


class _Finished(NamedTuple):
    """A request whose answers, the successful ones or `always` all, are finished before they go on."""

    sent: Sendable
    limits: Limits
    finish: Finish
    always: bool

    @property
    def head(self) -> bytes:
        return self.sent.head

    @property
    def has_body(self) -> bool:
        return bool(self.sent.body)

    def begin(self, head: bytes, given: Callable[[], Arguments]) -> Underway | None:
        response = self.sent.begin(head)
        return _Whole(response, self, given) if response else None

    def finished(self, finish: Finish, *, always: bool = False) -> Ready:
        def both(result: Result, data: bytes, arguments: Arguments) -> Result:
            if self.always or result.is_success:
                result = self.finish(result, data, arguments)
                data = _here(result)
            return finish(result, data, arguments)

        return _Finished(self.sent, self.limits, both, always)


class _Whole:
    """A response of which nothing goes on before all of it is here, and finished; one that needs no finish passes."""

    __slots__ = ("_decoder", "_given", "_response", "_way", "close", "head", "is_done", "listen")

    head: ResponseHead

    def __init__(self, response: Response, way: _Finished, given: Callable[[], Arguments]) -> None:
        self._response = response
        self._way = way
        self._given = given
        self._decoder: Decoder | None = None
        self.is_done = False
        self.listen = response.listen
        self.close = response.close

    @property
    def is_stale(self) -> bool:
        return self._response.is_stale

    def look(self) -> bytes | None:
        response = self._response
        data = response.look()
        if data is None:
            return None
        self.is_done = response.is_done
        self.head = head = response.head
        if not (self._way.always or 200 <= head.status < 300):
            return data
        whole = self._whole(data, head)
        if whole is None:
            return None
        result = Result(head.status, shown(head), Bytes(whole))
        self.head = made = self._way.finish(result, whole, _Later(self._given))
        return _here(made)

    def _whole(self, data: bytes, head: ResponseHead) -> bytes | None:
        """The body, decoded and bounded, of which that came now; None as long as more has to come."""
        if self._decoder is None:
            limits, encoding = self._way.limits, encoding_of(head)
            if self.is_done and not encoding and len(data) <= limits.body:
                return data
            self._decoder = Decoder(encoding, limits.body)
            self._response.be_whole_by(get_running_loop().time() + limits.total)
        self._decoder.feed(data)
        return self._decoder.whole() if self.is_done else None


def _here(result: Result) -> bytes:
    assert isinstance(result.body, Bytes)
    return result.body.data


class _Later(Mapping[str, Any]):
    """Arguments that are read when somebody asks for one."""

    __slots__ = ("_arguments", "_given")

    def __init__(self, given: Callable[[], Arguments]) -> None:
        self._given = given
        self._arguments: Arguments | None = None

    @property
    def _read(self) -> Arguments:
        if self._arguments is None:
            self._arguments = self._given()
        return self._arguments

    def __getitem__(self, name: str) -> Any:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
