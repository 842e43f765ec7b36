"""What every exposed operation and tool does, as text and as JSON: the plan, printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fairlead.arguments import Location
from fairlead.auth import Credential
from fairlead.auth.scheme import Scheme
from fairlead.binds import Value
from fairlead.calls import Target
from fairlead.document import Document
from fairlead.errors import Place
from fairlead.exposed import Exposed, Reference
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.forward import Proxy
from fairlead.exposes.mcp import Tool
from fairlead.exposes.resources import Resource
from fairlead.exposes.rest import Route
from fairlead.exposes.skill import PlannedSkill, PlannedTool
from fairlead.flow import Flow, PlannedCall, PlannedLookup, PlannedScript, PlannedStep
from fairlead.formats import JSON
from fairlead.operation import Argument, Literal, Source
from fairlead.parameters import OutputParameter
from fairlead.scope import RESULT
from fairlead.sources import Built, Filled


def lines(documents: Iterable[Document]) -> Iterator[str]:
    """One block per document, two or three lines per operation."""
    for document in documents:
        yield f"{document.label} ({document.file})"
        for route in document.routes:
            yield from _block(str(route), route)
        for proxy in document.forwards:
            yield f"  {proxy}"
            yield from (f"    {line}" for line in _forward(proxy))
        for tool in document.tools:
            yield from _block(f"tool {tool.name}", tool)
        for resource in document.resources:
            yield from _block(f"resource {resource.uri}", resource)
        for prompt in document.prompts:
            yield f"  prompt {prompt.name}"
            yield from (f"    refused: {problem}" for problem in prompt.problems)
        for skill in document.skills:
            yield f"  skill {skill.name}"
            yield from (f"    {line}" for line in _skill(skill))
        yield ""


def _block(title: str, one: Route | Tool | Resource) -> Iterator[str]:
    yield f"  {title}"
    exposed = one.exposed
    yield from (f"    {line}" for line in _callers(one.adapter))
    if isinstance(one, Resource) and one.folder:
        yield f"    files at {one.written.location}"
    elif exposed.target is None:
        yield from (f"    refused: {problem}" for problem in exposed.problems)
    else:
        yield from (f"    {line}" for line in _target(exposed))


def _callers(adapter: Adapter) -> Iterator[str]:
    if demand := adapter.authentication:
        yield f"callers authenticate by {demand.type} in {', '.join(_set_by(demand))}"


def _forward(proxy: Proxy) -> Iterator[str]:
    yield from _callers(proxy.adapter)
    yield from (f"refused: {problem}" for problem in proxy.problems)
    if proxy.target:
        section = proxy.target.section
        yield f"-> any method of {section.base_uri} and below ({_where(section.at(), proxy.place.file)})"
        if proxy.trusted:
            yield f"also takes header {', '.join(sorted(proxy.trusted))}"
        if credential := section.authentication:
            yield f"{credential.type} credential {_effect(credential)}"


def _target(exposed: Exposed) -> Iterator[str]:
    """What it does: the request, the steps, the function, or its own answer."""
    match exposed.target:
        case Target() as target:
            yield from _request(target, dict(exposed.binding.sources), exposed.place.file)
            yield from _answer(exposed)
        case Flow() as flow:
            yield from (f"{one.name} = {_shown(source)}" for one, source in flow.assigned)
            for step in flow.steps:
                yield from _step(step, exposed.place.file)
            yield f"answers with {', '.join(_mapped(exposed)) if flow.answer else 'what the last step answers'}"
        case Reference(function):
            yield f"-> {exposed.target} ({_where(function.place, exposed.place.file)})"
            yield from (f"{name} = {_shown(source)}" for name, source in exposed.binding.sources)
            yield from _target(function)
        case _:
            yield f"answers by itself: {', '.join(_mapped(exposed))}"


def _where(place: Place, file: str) -> str:
    return f"line {place.line}" if place.file == file else f"{place.file}:{place.line}"


def _request(target: Target, sources: Mapping[str, Source | Value], file: str) -> Iterator[str]:
    consumed = target.consumed
    yield f"-> {consumed}"
    yield f"by {', '.join(target.evidence)} ({_where(consumed.place, file)})"
    for parameter in consumed.parameters:
        place = parameter.name if parameter.location == parameter.name else f"{parameter.location} {parameter.name}"
        if parameter.said:
            yield f"{place} = {parameter.said[0]!r}"
        elif parameter.argument in sources:
            yield f"{place} = {_shown(sources[parameter.argument])}"
    if consumed.operation.body and consumed.operation.body.data is not None:
        yield f"{consumed.operation.body.type} body from a template"
    if credential := consumed.section.authentication:
        yield f"{credential.type} credential {_effect(credential)}"


def _answer(exposed: Exposed) -> Iterator[str]:
    if exposed.shape:
        kind = "answer" if exposed.format is JSON else f"{exposed.format.title} answer"
        yield f"{kind} mapped: {', '.join(_mapped(exposed))}"


def _step(step: PlannedStep, file: str) -> Iterator[str]:
    yield f"step {step.name}"
    match step:
        case PlannedCall():
            sources = {parameter.argument: source for parameter, source in step.sources}
            yield from (f"  {line}" for line in _request(step.target, sources, file))
        case PlannedScript():
            yield f"  runs a script in {step.language}"
            yield from (f"  {parameter.name} = {_shown(source)}" for parameter, source in step.sources)
        case PlannedLookup():
            yield f"  looks up {step.match} = {_shown(step.sources[0][1])} in {step.index}"


def _effect(credential: Credential) -> str:
    if credential.refusal:
        return f"refused: {credential.refusal}"
    return f"in {', '.join(_set_by(credential)) or 'the TLS handshake'}"


def _set_by(credential: Scheme) -> Iterator[str]:
    locations: tuple[Location, ...] = ("header", "query", "cookie", "member")
    for location in locations:
        yield from (f"{location} {name}" for name in sorted(credential.names(location)))


def _mapped(exposed: Exposed) -> list[str]:
    """What each output is; a single one of a call is the answer itself, whatever it is called."""
    outputs = exposed.outputs
    if len(outputs) == 1 and (exposed.consumed or not outputs[0].name):
        return [_found(outputs[0])]
    return [f"{output.name} = {_found(output)}" for output in outputs]


def _found(output: OutputParameter) -> str:
    if output.value is not None:
        return repr(output.value)
    names = ", ".join(output.properties)
    return output.mapping or (f"{{{names}}}" if names else str(output.type))


def _shown(source: Source | Value) -> str:
    match source:
        case Argument(name):
            return name if name.startswith(RESULT) else f"argument {name}"
        case Literal(value):
            return repr(value)
        case Value():
            return f"variable {', '.join(source.variables.values())}"
        case Built(data):
            return f"{data!r} filled from arguments"
        case Filled(template):
            return repr(template.fill(lambda hole: f"{{{hole}}}"))
        case _:
            return str(source)


def as_json(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """The same for scripts."""
    return [
        {
            "file": document.file,
            "capability": document.label,
            "operations": [
                {"kind": "rest", "method": route.method, "path": route.path, **_entry(route)}
                for route in document.routes
            ]
            + [{"kind": "rest", "forward": one.path.text, **_forward_entry(one)} for one in document.forwards]
            + [{"kind": "mcp", "tool": tool.name, **_entry(tool)} for tool in document.tools]
            + [{"kind": "mcp", "resource": one.uri, **_entry(one)} for one in document.resources]
            + [{"kind": "skill", "skill": one.name, **_skill_entry(one)} for one in document.skills]
            + [{"kind": "mcp", "prompt": one.name, "line": one.place.line} for one in document.prompts],
        }
        for document in documents
    ]


def _entry(one: Route | Tool | Resource) -> dict[str, Any]:
    exposed, demand = one.exposed, one.adapter.authentication
    where = {"line": exposed.place.line, "call": exposed.call, "callers": demand.type if demand else None}
    if exposed.target is None:
        return {**where, "refused": [problem.as_dict() for problem in exposed.problems]}
    consumed = exposed.consumed
    credential = consumed.section.authentication if consumed else None
    steps = [{"name": step.name, "does": list(_step(step, exposed.place.file))[1:]} for step in _steps(exposed)]
    return {
        **where,
        "request": str(consumed) if consumed else None,
        "evidence": list(exposed.target.evidence),
        "target_line": consumed.place.line if consumed else None,
        "inputs": exposed.inputs.schema,
        "credential": credential.type if credential else None,
        "with": {name: _shown(source) for name, source in exposed.binding.sources},
        "mapped": exposed.shape is not None,
        "function": str(exposed.target) if isinstance(exposed.target, Reference) else None,
        "steps": steps,
    }


def _skill(skill: PlannedSkill) -> Iterator[str]:
    yield from _callers(skill.adapter)
    yield from (f"refused: {problem}" for problem in skill.problems)
    if skill.folder:
        yield f"files at {skill.written.location}"
    for tool in skill.tools:
        yield f"tool {tool.written.name} {f'-> {tool.calls}' if tool.calls else _instruction(tool)}"


def _instruction(tool: PlannedTool) -> str:
    refusal = "; ".join(map(str, tool.problems))
    return f"refused: {refusal}" if refusal else f"by {tool.written.instruction}"


def _skill_entry(skill: PlannedSkill) -> dict[str, Any]:
    demand = skill.adapter.authentication
    problems = (*skill.problems, *(problem for tool in skill.tools for problem in tool.problems))
    return {
        "line": skill.place.line,
        "callers": demand.type if demand else None,
        "tools": {tool.written.name: str(tool.calls) for tool in skill.tools if tool.calls},
        **({"refused": [problem.as_dict() for problem in problems]} if problems else {}),
    }


def _forward_entry(proxy: Proxy) -> dict[str, Any]:
    demand = proxy.adapter.authentication
    where = {"line": proxy.place.line, "callers": demand.type if demand else None}
    if proxy.target is None:
        return {**where, "refused": [problem.as_dict() for problem in proxy.problems]}
    credential = proxy.target.section.authentication
    return {
        **where,
        "namespace": proxy.target.section.namespace,
        "headers": sorted(proxy.trusted),
        "credential": credential.type if credential else None,
    }


def _steps(exposed: Exposed) -> tuple[PlannedStep, ...]:
    match exposed.target:
        case Flow(steps):
            return steps
        case Reference(function):
            return _steps(function)
        case _:
            return ()
