"""Answers that are made here, of an upstream's answer or of nothing but arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from anyio import to_thread

from fairlead.errors import ArgumentError, UpstreamFailed
from fairlead.formats import JSON, Excess, Format
from fairlead.headers import Headers
from fairlead.jsontext import dumps
from fairlead.operation import NOTHING, Arguments, Bytes, Forwarded, Json, Ready, Result, Run, Single

_AT_ONCE: Final = 64 * 1024
_RAW_ONLY: Final = frozenset({"accept-encoding", "if-range", "range"})
_ENTITY: Final = frozenset(
    {"content-type", "content-length", "content-encoding", "etag", "content-range", "accept-ranges"}
)

Shape = Callable[[Json, Arguments], Json]
"""A function from the upstream's value, and the arguments of the call, to the mapped one."""


@dataclass(frozen=True, slots=True)
class Shaped(Single):
    """An operation whose successful answers are mapped; all others pass through."""

    run: Run
    shape: Shape
    format: Format = JSON

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        result = await self.run(arguments, to_be_read(forwarded))
        if not result.is_success:
            return result
        data = await result.body.read()
        return self._mapped(await value_of(data, result, self.format), result, arguments) if data else _empty(result)

    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        if not isinstance(self.run, Single) or not self.format.is_quick:
            return None
        ready = self.run.ready(arguments, to_be_read(forwarded))
        return ready.finished(self._finish) if ready else None

    def _finish(self, result: Result, data: bytes, arguments: Arguments) -> Result:
        return self._mapped(read(data, result, self.format), result, arguments) if data else _empty(result)

    def _mapped(self, value: Json, result: Result, arguments: Arguments) -> Result:
        try:
            return json_result(self.shape(value, arguments), result.status, _without_entity(result.headers))
        except ValueError:
            raise UpstreamFailed("the upstream's answer holds text that is not UTF-8") from None
        except RecursionError:
            raise UpstreamFailed("the upstream's answer is nested too deeply for its output mapping") from None


def _empty(result: Result) -> Result:
    return Result(result.status, _without_entity(result.headers), Bytes(b""))


def read(data: bytes, result: Result, form: Format) -> Json:
    """The value of an answer with that body; raises `UpstreamFailed` where it is not of the format."""
    try:
        return form(data, result.charset if form.takes_charset else "")
    except Excess as error:
        raise UpstreamFailed(f"the upstream's answer {error}") from None
    except ValueError:
        raise UpstreamFailed(f"the upstream's answer is not the {form.title} that its output mapping needs") from None


async def value_of(data: bytes, result: Result, form: Format) -> Json:
    """The same; what takes long is read beside the other calls."""
    if form.is_quick or len(data) <= _AT_ONCE:
        return read(data, result, form)
    return await to_thread.run_sync(read, data, result, form)


@dataclass(frozen=True, slots=True)
class Mocked:
    """An operation that calls nothing: its answer is made of the arguments."""

    shape: Shape

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        try:
            return json_result(self.shape(None, arguments))
        except ValueError:
            raise ArgumentError("an argument holds half of a surrogate pair, which is no text") from None


def to_be_read(forwarded: Forwarded) -> Forwarded:
    """What goes upstream where the answer is read here, and not by the caller."""
    return forwarded._replace(headers=tuple(pair for pair in forwarded.headers if pair[0] not in _RAW_ONLY))


def with_body(result: Result, data: bytes, media_type: str) -> Result:
    """The result with another body, and without the headers that told of the one it had."""
    own = (("content-type", media_type),) if data and media_type else ()
    length = (("content-length", str(len(data))),) if data else ()
    return Result(result.status, (*_without_entity(result.headers), *own, *length), Bytes(data))


def answered(value: Json) -> Result:
    """A result of our own with what was made of upstreams' answers; raises `UpstreamFailed` where that is no JSON."""
    try:
        return json_result(value)
    except ValueError:
        raise UpstreamFailed("the upstream's answer holds text that is not UTF-8") from None
    except RecursionError:
        raise UpstreamFailed("the upstream's answer is nested too deeply for its output mapping") from None


def _without_entity(headers: Headers) -> Headers:
    return tuple([pair for pair in headers if pair[0] not in _ENTITY])


def json_result(value: Json, status: int = 200, headers: Headers = ()) -> Result:
    """A result of our own with a JSON body."""
    data = dumps(value)
    own = (("content-type", "application/json"), ("content-length", str(len(data))))
    return Result(status, (*headers, *own), Bytes(data))
