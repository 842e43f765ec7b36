"""An operation is a described async function: name, description, inputs, and `run(arguments) -> Result`.

Everything that a document can say about behaviour becomes one of these, composed once when the runtime is built.
Adapters only translate: a request to arguments, a result to a response.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from fairlead.arguments import Inputs
from fairlead.errors import CallError
from fairlead.headers import Headers
from fairlead.response import Arguments, Json, Ready, Result


class Forwarded(NamedTuple):
    """What of a caller's request goes upstream besides arguments: the headers that may, and undeclared query pairs."""

    headers: Headers = ()
    query: tuple[tuple[str, str], ...] = ()


NOTHING = Forwarded()


class Run(Protocol):
    """What an operation does with arguments that are already checked."""

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result: ...


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
