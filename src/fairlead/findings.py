"""What is wrong with parts of a document that has the right form, and what its writer may not expect."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.consumed import Consumed
from fairlead.consumes import HttpConsumes
from fairlead.document import Document
from fairlead.errors import Place, Problem, did_you_mean
from fairlead.exposed import Exposed, Mock
from fairlead.exposes import KINDS, ControlExposes, McpExposes, OtherExposes
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.rest import Route
from fairlead.formats import FORMATS, OPAQUE
from fairlead.headers import is_token
from fairlead.imported import Imported
from fairlead.mocks import is_mock
from fairlead.parameters import InputParameter
from fairlead.template import parse
from fairlead.wiring import is_base_uri


def findings(document: Document) -> Iterator[Problem]:
    """What is wrong with parts of a document that has the right form."""
    for exposed in (*document.functions, *document.exposed):
        yield from exposed.problems
        yield from _empty_mock(exposed)
    yield from _parts(document)
    for value in document.values():
        yield from value.undeclared()
    for section in document.sections:
        yield from _base_uri_problems(section)
        if (credential := section.authentication) and credential.refusal:
            yield Problem(credential.at("type"), credential.refusal)
    for one in document.consumed:
        yield from (_never_sent(parameter, one) for parameter in one.ignored)
        yield from _path_problems(one.path, one.place)
        yield from _format_problems(one)
    for route in document.routes:
        yield from _path_problems(route.path, route.place)
        yield from _credential_inputs(route)
    yield from _adapter_problems(document)


def _parts(document: Document) -> Iterator[Problem]:
    """What is wrong with what is exposed besides operations."""
    for prompt in document.prompts:
        yield from prompt.problems
    for resource in document.resources:
        yield from resource.exposed.problems
    for proxy in document.forwards:
        yield from (*proxy.problems, *proxy.warnings())
    for skill in document.skills:
        yield from skill.findings


def _empty_mock(exposed: Exposed) -> Iterator[Problem]:
    """A mock none of whose outputs has a value may as well be an operation whose call was forgotten."""
    if isinstance(exposed.target, Mock) and not is_mock(exposed.outputs):
        message = f"{exposed.name!r} has no `call`, and none of its outputs has a `value`"
        yield Problem(exposed.place, message, "it answers nothing for them", "warning")


def _never_sent(parameter: InputParameter, one: Consumed) -> Problem:
    named = repr(parameter.name) if parameter.name else "without a name"
    hint = f"{one.path!r} has no place for it"
    if not parameter.name:
        hint = "give it a name"
    elif parameter.in_ in ("header", "cookie") and not is_token(parameter.name):
        hint = f"no {parameter.in_} can have this name"
    elif parameter.in_ == "header":
        hint = "only the document may set this header, in `with`"
    elif parameter.name in {fixed.name for fixed in one.fixed}:
        hint = f"its value stands in the path {one.path!r} itself"
    elif parameter.in_ == "body":
        hint = "the data of the body has no hole for it"
    is_guarded = parameter.in_ == "header" and is_token(parameter.name)
    fate = "is never taken from a caller" if is_guarded else "is never sent"
    return Problem(parameter.at(), f"the {parameter.in_} parameter {named} {fate}", hint, "warning")


def _format_problems(one: Consumed) -> Iterator[Problem]:
    raw = one.operation.output_raw_format
    if raw not in FORMATS and raw not in OPAQUE:
        place = one.operation.at("outputRawFormat")
        yield Problem(place, f"answers in {raw!r} are only passed through", did_you_mean(raw, FORMATS), "warning")


def _path_problems(path: str, place: Place) -> Iterator[Problem]:
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parse(path).parts):
        yield Problem(place, f"path {path!r} has a brace without its partner")


def _base_uri_problems(section: HttpConsumes) -> Iterator[Problem]:
    uri = section.base_uri
    if not uri:
        hint = f"give one with --base-uri {section.namespace}=https://..."
        yield Problem(section.at("baseUri"), f"{section.namespace!r} has no base URI", hint, "warning")
    elif not parse(uri).holes and not is_base_uri(uri):
        yield Problem(section.at("baseUri"), f"'baseUri' {uri.rpartition('@')[2]!r} is no plain http(s) URL")


def _unsupported(adapter: OtherExposes) -> Problem:
    if adapter.type:
        near = did_you_mean(adapter.type, KINDS)
        message = f"adapters of type {adapter.type!r} are not supported by this version"
        return Problem(adapter.at("type"), message, near if near.startswith("did") else "")
    if adapter.misspelt:
        return Problem(adapter.at(), f"unknown key {adapter.misspelt!r}", "did you mean 'type'?")
    return Problem(adapter.at(), "key 'type' is missing")


def _mcp_problems(adapter: McpExposes) -> Iterator[Problem]:
    if adapter.transport != "http":
        message = f"transport {adapter.transport!r} is served over http instead"
        hint = "`fairlead stdio` speaks it" if adapter.transport == "stdio" else ""
        yield Problem(adapter.at("transport"), message, hint, "warning")


def _authentication_problems(adapter: Adapter) -> Iterator[Problem]:
    """What keeps all callers out; an adapter without authentication lets all of them in."""
    demand = adapter.authentication
    yield from adapter.authentication_faults
    if demand and demand.unfit and not adapter.authentication_faults:
        yield Problem(demand.at("type"), demand.unfit)


def _credential_inputs(route: Route) -> Iterator[Problem]:
    """Inputs that stand where the credential of callers does, which is for the gateway alone."""
    demand = route.adapter.authentication
    for item in route.exposed.inputs if demand else ():
        name = item.given_as.lower() if item.location == "header" else item.given_as
        if demand and item.location != "member" and name in demand.names(item.location):
            message = f"the {item.location} parameter {item.given_as!r} is the credential of callers"
            yield Problem(route.place, message, "it is never sent on", "warning")


def _adapter_problems(document: Document) -> Iterator[Problem]:
    for adapter in document.model.exposes:
        if isinstance(adapter, OtherExposes):
            yield _unsupported(adapter)
        if isinstance(adapter, McpExposes):
            yield from _mcp_problems(adapter)
        if isinstance(adapter, ControlExposes):
            yield from adapter.warnings()
        if isinstance(adapter, Adapter):
            yield from _authentication_problems(adapter)
        if not isinstance(adapter, Imported) and adapter.address:
            message = f"address {adapter.address!r} is not used"
            yield Problem(adapter.at("address"), message, "--host decides where to listen", "warning")
