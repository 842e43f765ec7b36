"""An operation is a described async function: name, description, inputs, and `run(arguments) -> Result`.

Everything that a document can say about behaviour becomes one of these, composed once when the runtime is built.
Adapters only translate: a request to arguments, a result to a response.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from fairlead.arguments import Inputs
from fairlead.errors import CallError
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


class Forwarded(NamedTuple):
    """What of a caller's request goes upstream besides arguments: the headers that may, and undeclared query pairs."""

    headers: Headers = ()
    query: tuple[tuple[str, str], ...] = ()


NOTHING = Forwarded()


class Run(Protocol):
    """What an operation does with arguments that are already checked."""

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result: ...


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


class Single(ABC):
    """A run that is one request, whose answer goes on as it comes, or is finished without another one."""

    __slots__ = ()

    @abstractmethod
    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        """The request, signed; None where it takes more than to send it. Raises `CallError`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A named function with checked inputs.

    Calling it raises `ArgumentError` before anything is sent when the arguments are not what `inputs` declares.
    """

    name: str
    description: str
    inputs: Inputs
    run: Run

    def ensure_it_can_run(self) -> None:
        """Raises why it never can, which comes before all that may be wrong with arguments."""
        if isinstance(self.run, Failing):
            raise self.run.error.again()

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        self.ensure_it_can_run()
        return await self.run(self._checked(arguments), forwarded)

    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        """As `Single.ready`, for arguments that are checked first."""
        return self.run.ready(self._checked(arguments), forwarded) if isinstance(self.run, Single) else None

    def _checked(self, arguments: Arguments) -> Arguments:
        given = self.inputs.by_name(arguments)
        self.inputs.check(given)
        return given


class Source(Protocol):
    """Where the value of one parameter comes from; answers `UNSET` for a value that was not given."""

    def __call__(self, arguments: Arguments) -> Json: ...


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()
"""The value of an optional argument that was not given: absent upstream, not empty."""


@dataclass(frozen=True, slots=True)
class Argument:
    """The caller's argument of that name."""

    name: str

    def __call__(self, arguments: Arguments) -> Json:
        return arguments.get(self.name, UNSET)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the document."""

    value: Json

    def __call__(self, arguments: Arguments) -> Json:
        return self.value


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value from the environment; never printed."""

    value: str = field(repr=False)

    def __call__(self, arguments: Arguments) -> Json:
        return self.value


@dataclass(frozen=True, slots=True)
class Bound(Single):
    """An operation whose parameters take their values from the caller's arguments under other names, or constants."""

    run: Run
    sources: tuple[tuple[str, Source], ...]

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        return await self.run(self._given(arguments), forwarded)

    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        return self.run.ready(self._given(arguments), forwarded) if isinstance(self.run, Single) else None

    def _given(self, arguments: Arguments) -> Arguments:
        values = ((name, source(arguments)) for name, source in self.sources)
        return {name: value for name, value in values if value is not UNSET}


@dataclass(frozen=True, slots=True)
class Failing:
    """Stands in for an operation that cannot run: every call answers why."""

    error: CallError

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        raise self.error.again()
