"""An exposed operation as planned at load: everything but secrets and connections.

    - name: cancel-batch-job
      description: Cancel a batch job
      call: together-ai-batches.post
      with: {id: tools.id}

The plan is what `fairlead explain` prints; `Exposed.operation` turns it into the function that runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from fairlead.arguments import Inputs
from fairlead.binary import Declared
from fairlead.binding import Binding, bind
from fairlead.binds import Bindings, Environ, Value
from fairlead.calls import Call, Target, resolve
from fairlead.consumed import Consumed
from fairlead.errors import CallError, Place, Problem, Refused
from fairlead.formats import FORMATS, JSON, Format
from fairlead.jsonpath.base import PathError
from fairlead.mocks import is_mock, mocked
from fairlead.model import InputParameter, Model, OutputParameter, Outputs, Text
from fairlead.operation import Bound, Failing, Hidden, Mocked, Operation, Run, Shape, Shaped
from fairlead.outputs import located
from fairlead.schema import Schema, is_complete, schema_of
from fairlead.scope import Scope
from fairlead.shape import Context, InputNames, shape
from fairlead.wiring import Wiring, wired

_PATHS = "paths are JSONPath, RFC 9535, as $.data[*].id; $. is the whole answer"


class Caller(Model):
    """What REST operations and MCP tools have in common."""

    name: Text = ""
    label: Text = ""
    display: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    call: Text = ""
    with_: dict[str, Any] | None = Field(default=None, alias="with")
    output_parameters: Outputs = ()
    steps: Any = None
    mappings: Any = None
    ref: Any = None

    def as_call(self, method: str | None = None, path: str | None = None, resource: str | None = None) -> Call:
        """What it says about the operation it calls."""
        given = None if self.with_ is None else frozenset(self.with_)
        return Call(self.call, self.at("call"), tuple(self.description.split()), method, path, resource, given)


@dataclass(frozen=True, slots=True)
class Mock:
    """The target of what answers by itself."""

    evidence: tuple[str, ...] = ("mock",)


@dataclass(frozen=True)
class Exposed:
    """The plan of one exposed operation. Refused ones have a problem instead of a target, mocks answer themselves."""

    name: str
    description: str
    title: str
    place: Place
    call: str
    bindings: Bindings
    target: Target | Mock | None = None
    binding: Binding = Binding(Inputs(), ())
    shape: Shape | None = None
    format: Format = JSON
    outputs: tuple[OutputParameter, ...] = ()
    problems: tuple[Problem, ...] = ()
    path: str = ""

    @property
    def inputs(self) -> Inputs:
        return self.binding.inputs

    @property
    def consumed(self) -> Consumed | None:
        """The consumed operation that it calls, if it calls one."""
        return self.target.consumed if isinstance(self.target, Target) else None

    @cached_property
    def schema(self) -> Schema:
        """The JSON Schema of its successful answers; of one that is not mapped, what the document says of it."""
        if self.shape is None:
            return {"type": self.outputs[0].type} if len(self.outputs) == 1 and self.outputs[0].type else {}
        return schema_of(self.outputs, as_members=self.consumed is None and bool(self.outputs[0].name))

    @property
    def answers_by_schema(self) -> bool:
        """Whether every successful answer is an object of which the schema says all."""
        return self.shape is not None and is_complete(self.schema)

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
        if self.consumed is None:
            assert self.shape is not None
            return Mocked(self.shape)
        try:
            sources = tuple((name, _revealed(source, wiring.environ)) for name, source in self.binding.sources)
        except CallError as error:
            return Failing(error)
        call = wired(self.consumed, wiring)
        if isinstance(call, Failing):
            return call
        bound = call if self.binding.is_identity else Bound(call, sources)
        if self.shape:
            return Shaped(bound, self.shape, self.format)
        said = self.consumed.operation
        is_said = said.output_media_type or said.max_binary_size is not None
        return Declared(bound, said.output_media_type, said.max_binary_size) if is_said else bound


def _revealed(source: Any, environ: Environ) -> Any:
    return Hidden(source.reveal(environ)) if isinstance(source, Value) else source


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation or tool as an adapter lists it: the model, how it calls, and what its `with` may use.

    `faults` are the errors of form around it.
    """

    caller: Caller
    call: Call
    scope: Scope
    faults: tuple[Problem, ...] = ()


def plan(entries: Iterable[Entry], consumed: tuple[Consumed, ...]) -> list[Exposed]:
    """The plans of all operations of one adapter; what cannot be meant becomes a plan with problems."""
    listed = list(entries)
    calling = [one for one in listed if not _without_call(one.caller)]
    targets = resolve([one.call for one in calling], consumed)
    meant = {id(one): target for one, target in zip(calling, targets, strict=True)}
    return [_planned(one, meant.get(id(one)) or _uncallable(one.caller)) for one in listed]


def _without_call(caller: Caller) -> str:
    """The key by which the caller works instead of `call`, or what it lacks."""
    has = (key for key in ("steps", "mappings", "ref") if getattr(caller, key) is not None)
    return next(has, "" if caller.call else "call")


def _uncallable(caller: Caller) -> Mock | Problem:
    """What an operation without a call is: a mock, or a mistake."""
    key = _without_call(caller)
    if key == "call" and is_mock(caller.output_parameters):
        return Mock()
    if key == "call":
        return Problem(caller.at(), f"{caller.name!r} has no `call`")
    return Problem(caller.at(key), f"{key!r} is not supported by this version")


def _planned(one: Entry, target: Target | Mock | Problem) -> Exposed:
    bare = _bare(one.caller, one.scope)
    if refusals := (*one.faults, *one.caller.faults(), *([target] if isinstance(target, Problem) else ())):
        return replace(bare, problems=refusals)
    if isinstance(target, Mock):
        return _mocked(bare, one)
    assert isinstance(target, Target)
    if target.consumed.faults:
        return replace(bare, problems=target.consumed.faults)
    target = replace(target, consumed=target.consumed.taking(one.caller.with_ or ()))
    scope = one.scope.taken_apart(target.consumed)
    binding, problems = bind(target.consumed, one.caller.with_, scope)
    outputs = located(one.caller.output_parameters, target.consumed.operation.output_parameters)
    shaped, form, faults = _shaped(one.caller, outputs, binding.inputs.meant if binding else str, target.consumed)
    if binding is None or problems or faults:
        return replace(bare, problems=(*problems, *faults))
    planned = replace(_bare(one.caller, scope), target=target, binding=binding)
    return replace(planned, shape=shaped, format=form, outputs=outputs)


def _mocked(bare: Exposed, one: Entry) -> Exposed:
    outputs = one.caller.output_parameters
    try:
        binding, shaped = mocked(outputs, one.scope)
    except ValueError as error:
        return replace(bare, problems=(Problem(one.caller.at("outputParameters"), f"an output {error}"),))
    return replace(bare, target=Mock(), binding=binding, shape=shaped, outputs=outputs)


def _bare(caller: Caller, scope: Scope) -> Exposed:
    """What an operation says of itself, without what it does."""
    path = scope.path.text.partition("?")[0] if scope.path else ""
    return Exposed(
        name=caller.name or caller.call,
        description=caller.description,
        title=caller.label or caller.display,
        place=caller.at(),
        call=caller.call,
        bindings=scope.bindings,
        path=path,
    )


def _shaped(
    caller: Caller, outputs: tuple[OutputParameter, ...], input_name: InputNames, target: Consumed
) -> tuple[Shape | None, Format, list[Problem]]:
    """What maps the answers, and the format that they are read in; nothing is read where nothing changes."""
    form, faults = _format(caller, target)
    try:
        shaped = shape(outputs, Context(input_name, lists_one=not form.has_lists))
    except ValueError as error:
        hint = _PATHS if isinstance(error, PathError) else ""
        return None, JSON, [Problem(caller.at("outputParameters"), f"an output mapping {error}", hint)]
    return (shaped, form, faults) if shaped else (None, JSON, [])


def _format(caller: Caller, target: Consumed) -> tuple[Format, list[Problem]]:
    raw, schema = target.operation.output_raw_format, target.operation.output_schema
    if raw not in FORMATS:
        message = f"{raw!r} answers cannot be mapped, only passed through"
        return JSON, [Problem(caller.at("outputParameters"), message)]
    try:
        return FORMATS[raw](schema, Path(target.place.file).parent), []
    except ValueError as error:
        return JSON, [Problem(target.operation.at("outputSchema"), f"{raw!r} answers cannot be mapped: {error}")]
