"""Answers that are made here, of an upstream's answer or of nothing but arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, TypeVarTuple

from anyio import to_thread

from fairlead.errors import ArgumentError, UpstreamFailed
from fairlead.formats import JSON, Excess, Format
from fairlead.jsontext import dumps
from fairlead.operation import NOTHING, Forwarded, Run, Single
from fairlead.response import Arguments, Given, Json, Ready, Result, Whole

_AT_ONCE: Final = 64 * 1024
_RAW_ONLY: Final = frozenset({"accept-encoding", "if-range", "range"})
_ENTITY: Final = frozenset(
    {"content-type", "content-length", "content-encoding", "etag", "content-range", "accept-ranges"}
)
_MEDIA: Final = "application/json"

Shape = Callable[[Json, Arguments], Json]
"""A function from the upstream's value, and the arguments of the call, to the mapped one."""

Direct = Callable[[bytes], bytes | None]
"""The same from the bytes of one to those of the other; None for a value that needs its shape after all."""


@dataclass(frozen=True, slots=True)
class Shaped(Single):
    """An operation whose successful answers are mapped; all others pass through."""

    run: Run
    shape: Shape
    format: Format = JSON
    direct: Direct | None = None

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        result = await self.run(arguments, to_be_read(forwarded))
        if not result.is_success:
            return result
        whole = await result.whole()
        answer = await _aside(whole, self.format, self._finish, lambda: arguments)
        return answer.result

    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        if not isinstance(self.run, Single) or not self.format.is_quick:
            return None
        ready = self.run.ready(arguments, to_be_read(forwarded))
        return ready.finished(self._finish) if ready else None

    def _finish(self, whole: Whole, given: Given) -> Whole:
        data = self.direct(whole.data) if self.direct else None
        if data is None:
            data = self._mapped(whole, _Later(given)) if whole.data else b""
        return with_body(whole, data, _MEDIA)

    def _mapped(self, whole: Whole, arguments: Arguments) -> bytes:
        value = read(whole, self.format)
        try:
            return dumps(self.shape(value, arguments))
        except ValueError:
            raise UpstreamFailed("the upstream's answer holds text that is not UTF-8") from None
        except RecursionError:
            raise UpstreamFailed("the upstream's answer is nested too deeply for its output mapping") from None


class _Later(Mapping[str, Any]):
    """Arguments that are read when somebody asks for one."""

    __slots__ = ("_arguments", "_given")

    def __init__(self, given: Given) -> None:
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


def read(whole: Whole, form: Format) -> Json:
    """The value of an answer; raises `UpstreamFailed` where it is not of the format."""
    try:
        return form(whole.data, whole.charset if form.takes_charset else "")
    except Excess as error:
        raise UpstreamFailed(f"the upstream's answer {error}") from None
    except ValueError:
        raise UpstreamFailed(f"the upstream's answer is not the {form.title} that its output mapping needs") from None


async def value_of(whole: Whole, form: Format) -> Json:
    """The same; what takes long is read beside the other calls."""
    return await _aside(whole, form, read, form)


_Made = TypeVar("_Made")
_Rest = TypeVarTuple("_Rest")


async def _aside(whole: Whole, form: Format, work: Callable[[Whole, *_Rest], _Made], *rest: *_Rest) -> _Made:
    """What a function makes of an answer, beside the other calls where that takes long."""
    if form.is_quick or len(whole.data) <= _AT_ONCE:
        return work(whole, *rest)
    return await to_thread.run_sync(work, whole, *rest)


@dataclass(frozen=True, slots=True)
class Mocked:
    """An operation that calls nothing: its answer is made of the arguments."""

    shape: Shape

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        try:
            return _json_result(self.shape(None, arguments))
        except ValueError:
            raise ArgumentError("an argument holds half of a surrogate pair, which is no text") from None


def to_be_read(forwarded: Forwarded) -> Forwarded:
    """What goes upstream where the answer is read here, and not by the caller."""
    return forwarded._replace(headers=tuple(pair for pair in forwarded.headers if pair[0] not in _RAW_ONLY))


def with_body(whole: Whole, data: bytes, media_type: str) -> Whole:
    """The answer with another body, and without the headers that told of the one it had."""
    headers = [pair for pair in whole.headers if pair[0] not in _ENTITY]
    if data and media_type:
        headers.append(("content-type", media_type))
    if data:
        headers.append(("content-length", str(len(data))))
    return Whole(whole.status, tuple(headers), data)


def answered(value: Json) -> Result:
    """A result of our own with what was made of upstreams' answers; raises `UpstreamFailed` where that is no JSON."""
    try:
        return _json_result(value)
    except ValueError:
        raise UpstreamFailed("the upstream's answer holds text that is not UTF-8") from None
    except RecursionError:
        raise UpstreamFailed("the upstream's answer is nested too deeply for its output mapping") from None


def _json_result(value: Json) -> Result:
    return with_body(Whole(200, (), b""), dumps(value), _MEDIA).result
