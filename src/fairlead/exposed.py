"""An exposed operation as planned at load: everything but secrets and connections.

    - name: cancel-batch-job
      description: Cancel a batch job
      call: together-ai-batches.post
      with: {id: tools.id}

The plan is what `fairlead explain` prints; `Exposed.operation` turns it into the function that runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from fairlead.aggregates import Semantics
from fairlead.arguments import Input, Inputs
from fairlead.binary import Declared
from fairlead.binding import Binding
from fairlead.binds import Bindings, Value
from fairlead.calls import Target
from fairlead.consumed import Consumed
from fairlead.direct import directly
from fairlead.encodings import ENCODINGS, Reencoded
from fairlead.errors import CallError, Place, Problem, Refused
from fairlead.flow import Flow
from fairlead.formats import JSON, OPAQUE, Format
from fairlead.http_call import Parameter
from fairlead.mapped import Mocked, Shape, Shaped
from fairlead.operation import Bound, Failing, Operation, Run, Source
from fairlead.parameters import InputParameter, OutputParameter
from fairlead.schema import Schema, is_complete, schema_of
from fairlead.shape import looked_at
from fairlead.sources import revealed
from fairlead.wanted import narrowed
from fairlead.wiring import Wiring, wired


@dataclass(frozen=True, slots=True)
class Mock:
    """The target of what answers by itself."""

    evidence: tuple[str, ...] = ("mock",)


@dataclass(frozen=True)
class Reference:
    """The target of what refers to a function of an aggregate: the function, planned, and how it takes arguments."""

    function: Exposed
    evidence: tuple[str, ...] = ("ref",)
    guarded: tuple[Parameter, ...] = ()
    ignored: tuple[InputParameter, ...] = ()
    fixed: tuple[Input, ...] = ()
    lost: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        """The inputs of the function as parameters."""
        return tuple(
            Parameter(one.name, one.location, one.type, one.description, one.required) for one in self.function.inputs
        )

    def __str__(self) -> str:
        return f"function {self.function.name}"


@dataclass(frozen=True)
class Exposed:
    """The plan of one exposed operation. Refused ones have a problem instead of a target, mocks answer themselves.

    `encoding` is what its answers are written in where that is not JSON, `media_type` what they are said to be, and
    `max_bytes` how large those are that pass through.
    """

    name: str
    description: str
    title: str
    place: Place
    call: str
    bindings: Bindings
    target: Target | Mock | Flow | Reference | None = None
    binding: Binding = Binding(Inputs(), ())
    shape: Shape | None = None
    format: Format = JSON
    outputs: tuple[OutputParameter, ...] = ()
    problems: tuple[Problem, ...] = ()
    path: str = ""
    semantics: Semantics | None = None
    encoding: str = ""
    media_type: str = ""
    max_bytes: int | None = None

    @property
    def inputs(self) -> Inputs:
        return self.binding.inputs

    @property
    def consumed(self) -> Consumed | None:
        """The consumed operation that it calls, if it calls one."""
        return self.target.consumed if isinstance(self.target, Target) else None

    @property
    def is_mock(self) -> bool:
        """Whether it answers by itself, or by a function that does."""
        target = self.target
        return target.function.is_mock if isinstance(target, Reference) else isinstance(target, Mock)

    @cached_property
    def is_binary(self) -> bool:
        """Whether its answers are files, as the consumed operation says."""
        if isinstance(self.target, Reference):
            return self.target.function.is_binary
        return self.consumed is not None and self.consumed.operation.output_raw_format in OPAQUE

    @property
    def sources(self) -> Iterator[Source | Value]:
        """Where all values that it gives come from, those of its steps too."""
        yield from (source for _, source in self.binding.sources)
        if isinstance(self.target, Flow):
            yield from self.target.sources

    @cached_property
    def schema(self) -> Schema:
        """The JSON Schema of its successful answers; of one that is not mapped, what the document says of it."""
        if isinstance(self.target, Reference):
            return self.target.function.schema
        if isinstance(self.target, Flow):
            return self.target.schema
        if self.shape is None:
            return {"type": self.outputs[0].type} if len(self.outputs) == 1 and self.outputs[0].type else {}
        return schema_of(self.outputs, as_members=self.consumed is None and bool(self.outputs[0].name))

    @property
    def answers_by_schema(self) -> bool:
        """Whether every successful answer is an object of which the schema says all."""
        if isinstance(self.target, Reference):
            return self.target.function.answers_by_schema
        is_made = self.target.answer if isinstance(self.target, Flow) else self.shape
        return is_made is not None and not self.encoding and is_complete(self.schema)

    def refused(self, *problems: Problem) -> Exposed:
        """The same as one that answers nothing but why it is refused."""
        return replace(self, target=None, problems=problems)

    def operation(self, wiring: Wiring) -> Operation:
        """The function behind the plan."""
        return Operation(self.name, self.description, self.inputs, self._run(wiring))

    def _run(self, wiring: Wiring) -> Run:
        if self.target is None:
            reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in self.problems)
            return Failing(Refused(f"{self.name!r} was refused when its capability was loaded: {reasons}"))
        run = self._called(wiring)
        if isinstance(run, Failing):
            return run
        try:
            sources = tuple((name, revealed(source, wiring.environ)) for name, source in self.binding.sources)
        except CallError as error:
            return Failing(error)
        bound = run if self.binding.is_identity else Bound(run, sources)
        shaped = self._shaped(bound, self.shape, wiring) if self.shape and self.consumed else bound
        written = Reencoded(shaped, ENCODINGS[self.encoding]) if self.encoding else shaped
        is_said = self.media_type or (self.max_bytes is not None and not self.shape)
        return Declared(written, self.media_type, self.max_bytes) if is_said else written

    def _shaped(self, run: Run, shape: Shape, wiring: Wiring) -> Run:
        """The run, its answers read no further than the mapping looks, and mapped."""
        form = wiring.reading(self.consumed, self.format) if self.consumed else self.format
        return Shaped(run, shape, narrowed(form, looked_at(shape)), directly(shape, form))

    def _called(self, wiring: Wiring) -> Run:
        """What it calls, or what answers in its place."""
        match self.target:
            case Target(consumed):
                return wired(consumed, wiring)
            case Flow():
                return self.target.run(wiring)
            case Reference(function):
                operation = function.operation(wiring)
                return operation.run if isinstance(operation.run, Failing) else operation
            case _:
                assert self.shape is not None
                return Mocked(self.shape)
