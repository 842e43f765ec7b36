"""Requests whose answers nobody waits for: how they are begun, and what is made of what has come."""

from __future__ import annotations

from asyncio import get_running_loop
from typing import NamedTuple

from fairlead.decoding import Decoder
from fairlead.errors import UpstreamFailed
from fairlead.headers import Headers, to_caller
from fairlead.response import Finish, Given, Ready, ResponseHead, Underway, Whole
from fairlead.wire.client import Ready as Sendable
from fairlead.wire.client import Response
from fairlead.wire.limits import Limits


def shown(head: ResponseHead | Whole) -> Headers:
    """The headers that the caller gets to see, all of an answer of ours; raises `UpstreamFailed` for no real status."""
    if isinstance(head, Whole):
        return head.headers
    if not 200 <= head.status <= 599:
        raise UpstreamFailed(f"the upstream answered with {head.status}, which is no status of HTTP")
    return to_caller(head.headers, head.said)


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

    def begin(self, head: bytes, given: Given) -> Response | None:
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

    def begin(self, head: bytes, given: Given) -> Underway | None:
        response = self.sent.begin(head)
        return _Whole(response, self, given) if response else None

    def finished(self, finish: Finish, *, always: bool = False) -> Ready:
        def both(answer: Whole, given: Given) -> Whole:
            return finish(self.finish(answer, given) if self.always or answer.is_success else answer, given)

        return _Finished(self.sent, self.limits, both, always)


class _Whole:
    """A response of which nothing goes on before all of it is here, and finished; one that needs no finish passes."""

    __slots__ = ("_decoder", "_given", "_response", "_way", "close", "head", "is_done", "listen")

    head: ResponseHead | Whole

    def __init__(self, response: Response, way: _Finished, given: Given) -> None:
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
        self.head = made = self._way.finish(Whole(head.status, shown(head), whole), self._given)
        return made.data

    def _whole(self, data: bytes, head: ResponseHead) -> bytes | None:
        """The body, decoded and bounded, of which that came now; None as long as more has to come."""
        if self._decoder is None:
            limits, encoding = self._way.limits, head.said.get("content-encoding", "")
            if self.is_done and not encoding and len(data) <= limits.body:
                return data
            self._decoder = Decoder(encoding, limits.body)
            self._response.be_whole_by(get_running_loop().time() + limits.total)
        self._decoder.feed(data)
        return self._decoder.whole() if self.is_done else None
