"""From a consumed operation to the function that calls it: the client, the environment and the base URIs come in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from fairlead.arguments import plain
from fairlead.auth import Credential, Send
from fairlead.auth.base import Unsigned
from fairlead.binds import Bindings, Environ
from fairlead.bodies import Encoder, MemberBody, NoBody, TemplateBody, WholeBody, compiled, filled, holes
from fairlead.consumed import Api, Consumed
from fairlead.declared import below
from fairlead.encodings import ENCODINGS
from fairlead.errors import CallError, Unconfigured
from fairlead.formats import FORMATS, JSON, Format
from fairlead.headers import is_legal
from fairlead.http_call import HttpCall, Parameter
from fairlead.names import find
from fairlead.operation import UNSET, Failing, Run, Source
from fairlead.response import Arguments
from fairlead.script_runs import ScriptRuns
from fairlead.styles import to_simple
from fairlead.template import Template, parse
from fairlead.upstream import Upstream

if TYPE_CHECKING:
    from fairlead.tracing import Tracing

_IN_URLS = "%/:?#[]@!$&'()*+,;="
_BASE_URI = re.compile(r"https?://[^/?#\s@]+(/[^?#\s]*)?")


@dataclass(frozen=True)
class Wiring:
    """What a plan needs to become a function: the client, the environment, and base URIs given by namespace."""

    upstream: Upstream
    environ: Environ
    base_uris: Mapping[str, str] = field(default_factory=dict)
    in_sandbox: bool = False
    """Whether the upstream is the sandbox, which has no private keys, tokens or challenges, and asks for none."""
    scripts: ScriptRuns = field(default_factory=ScriptRuns)
    tracing: Tracing | None = None
    senders: dict[int, tuple[Credential, Send]] = field(default_factory=dict, repr=False)

    def reading(self, consumed: Consumed, form: Format) -> Format:
        """What reads the answers of an operation; the sandbox answers in JSON what it cannot write."""
        return JSON if self.in_sandbox and consumed.operation.output_raw_format not in ENCODINGS else form

    def sender(self, credential: Credential | None, bindings: Bindings) -> Send:
        """What sends with the credential: the same for all its operations, so that they share tokens and nonces."""
        if credential is None or (self.in_sandbox and not credential.is_constant and not credential.refusal):
            return Unsigned(self.upstream)
        if id(credential) not in self.senders:
            self.senders[id(credential)] = (credential, credential.sender(bindings, self.environ, self.upstream))
        return self.senders[id(credential)][1]


def wired(consumed: Consumed, wiring: Wiring) -> Run:
    """The call of a consumed operation."""
    try:
        base = _base(consumed, wiring)
        constants = tuple((one, _revealed(one, consumed, wiring)) for one in consumed.parameters if one.constant)
        known = {one.name: value for one, value in constants} | {
            variable: value.reveal(wiring.environ)
            for value in consumed.template_variables
            for variable in value.template.holes
        }
        templates = tuple((one, _filled(one, consumed, known)) for one in consumed.parameters if one.template)
    except CallError as error:
        return Failing(error)
    return HttpCall(
        method=consumed.operation.method,
        base=base,
        path=_encoded(parse(below(consumed.path))),
        parameters=(*consumed.arguments, *consumed.guarded),
        constants=constants,
        filled=templates,
        body=_body(consumed),
        send=wiring.sender(consumed.section.authentication, consumed.bindings),
        reserved=consumed.reserved,
        query=_order_of_query(consumed),
    )


def _order_of_query(consumed: Consumed) -> tuple[str, ...]:
    """The names in the query as they are declared; nothing where the parameters of calls are all that there is."""
    listed = [one for one in consumed.parameters if one.location == "query"]
    return tuple(one.name for one in listed) if any(one.said for one in listed) else ()


def decoder(consumed: Consumed) -> Format:
    """What reads the answers of an operation as JSON values; raises `ValueError` where nothing can."""
    raw = consumed.operation.output_raw_format
    if raw not in FORMATS:
        raise ValueError(f"{raw!r} answers cannot be mapped, only passed through")
    try:
        return FORMATS[raw](consumed.operation.output_schema, Path(consumed.place.file).parent)
    except ValueError as error:
        raise ValueError(f"{raw!r} answers cannot be mapped: {error}") from None


def _revealed(parameter: Parameter, consumed: Consumed, wiring: Wiring) -> Any:
    assert parameter.constant is not None
    value, place = parameter.constant
    text = consumed.bindings.value(value, place).reveal(wiring.environ) if isinstance(value, str) else value
    if parameter.location == "header" and not is_legal(to_simple(text)):
        raise Unconfigured(f"the header {parameter.name!r} would hold line breaks or other illegal characters")
    return text


@dataclass(frozen=True, slots=True)
class _Filled:
    """A value of the document with arguments of the call in it; a text is not given as long as one of them is not."""

    data: Any
    names: frozenset[str]
    known: Mapping[str, Any] = field(repr=False)

    def __call__(self, arguments: Arguments) -> Any:
        if isinstance(self.data, Template) and not self.names <= arguments.keys():
            return UNSET
        given = {name: plain(arguments[name]) for name in self.names if name in arguments}
        return filled(self.data, {**self.known, **given})


def _filled(parameter: Parameter, consumed: Consumed, known: Mapping[str, Any]) -> Source:
    """What makes the value of a parameter that has a template; `known` are constants and variables by their names."""
    assert parameter.template is not None
    data, _ = parameter.template
    inputs = [one.argument for one in consumed.inputs]
    names = {hole: find(hole, known) or find(hole, inputs) or hole for hole, _ in holes(data)}
    return _Filled(compiled(data, lambda hole: names[hole]), frozenset(names.values()) - known.keys(), known)


def _body(consumed: Consumed) -> Encoder:
    declared = consumed.operation.body
    kind = declared.type if declared else "json"
    if consumed.body_data is not None:
        names = [parameter.name for parameter in consumed.parameters]
        return TemplateBody(compiled(consumed.body_data, lambda hole: find(hole, names) or hole), kind)
    whole = next((parameter for parameter in consumed.parameters if parameter.location == "body"), None)
    if whole:
        return WholeBody(whole.name, kind if declared else None)
    members = tuple(parameter.name for parameter in consumed.parameters if parameter.location == "member")
    return MemberBody(members, kind) if members else NoBody()


def _base(consumed: Consumed, wiring: Wiring) -> str:
    section, namespace = consumed.section, consumed.section.namespace
    if namespace in wiring.base_uris:
        return wiring.base_uris[namespace].rstrip("/")
    if not section.base_uri:
        raise Unconfigured(f"{namespace!r} has no base URI", {"namespace": namespace})
    base = Api(section, consumed.bindings).base_uri.reveal(wiring.environ)
    if not is_base_uri(base):
        raise Unconfigured(f"the base URI of {namespace!r} is no http(s) URL", {"namespace": namespace})
    return base.rstrip("/")


def is_base_uri(text: str) -> bool:
    """Whether a text is an absolute http(s) URL without credentials, query or fragment."""
    try:
        parts = urlsplit(text)
        return _BASE_URI.fullmatch(text) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _encoded(path: Template) -> Template:
    """The path with all that cannot stand in a URL percent-encoded, but for its holes."""
    return Template(tuple(quote(part, safe=_IN_URLS) if isinstance(part, str) else part for part in path.parts))
