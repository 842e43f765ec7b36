"""An upstream made from the `consumes` sections of documents: for demos and tests, with no key and no network.

Each consumed API answers below its namespace (`/together-ai-batches/batches`). Where a path has items
(`/batches/{id}`), what is POSTed to it can be listed, read, changed, acted on (`/batches/{id}/cancel`) and deleted;
every other operation echoes what it received, beside what its declared outputs look for. The credential is checked,
undeclared requests are refused, and the same requests always give the same answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fairlead.auth import Signing
from fairlead.binds import Environ
from fairlead.consumed import Consumed
from fairlead.document import Document
from fairlead.encodings import ENCODINGS, Encoding
from fairlead.errors import CallError
from fairlead.exposes.routing import Match, RouteTable
from fairlead.outputs import located
from fairlead.parameters import OutputParameter
from fairlead.samples import sample
from fairlead.template import parse
from fairlead.upstream import Request

BASE = "http://sandbox"
_EPOCH = 1_767_225_600
_DONE = {"cancel": "cancelled", "pause": "paused", "stop": "stopped", "archive": "archived"}


def environ_of(documents: Iterable[Document]) -> Environ:
    """A made-up value for every variable that the documents refer to."""
    names = {name for document in documents for value in document.values() for name in value.variables.values()}
    return {name: SecretStr(f"sandbox-{name.lower()}") for name in sorted(names)}


def base_uris(documents: Iterable[Document], base: str = BASE) -> dict[str, str]:
    """Where the sandbox answers for each consumed namespace."""
    sections = (section for document in documents for section in document.sections)
    return {section.namespace: f"{base}/{section.namespace}" for section in sections}


@dataclass(frozen=True, slots=True)
class _Operation:
    """A consumed operation, and the credential that its caller must show."""

    consumed: Consumed
    expected: Request


@dataclass(frozen=True, slots=True)
class _Received:
    """One request: the path below the namespace, its arguments, and the body."""

    path: str
    values: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


@dataclass
class _Fault(Exception):
    status: int
    message: str


@dataclass
class Sandbox:
    """The upstream as an ASGI application. Its only state is what was sent to it."""

    documents: tuple[Document, ...]
    environ: Environ
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._table: RouteTable[list[_Operation]] = RouteTable()
        self._alike: dict[tuple[str, str], list[_Operation]] = {}
        self._shapes: set[str] = set()
        self._creatable: set[str] = set()
        self._mapped: dict[int, list[OutputParameter]] = {}
        for document in self.documents:
            for exposed in document.exposed:
                self._mapped.setdefault(id(exposed.consumed), []).extend(exposed.outputs)
            for one in document.consumed:
                self._add(one, document)

    def _add(self, one: Consumed, document: Document) -> None:
        expected = self._signed(one, document)
        key = (one.operation.method, _path(one))
        if key not in self._alike:
            self._alike[key] = []
            self._table.add(*key, self._alike[key])
        self._alike[key].append(_Operation(one, expected))
        self._shapes.add(_shape(_path(one)))
        if one.operation.method == "POST":
            self._creatable.add(_shape(_path(one)))

    def _signed(self, one: Consumed, document: Document) -> Request:
        """A request with the credential that callers must show; none where it is another each time."""
        credential, unsigned = one.section.authentication, Request("GET", BASE)
        if not isinstance(credential, Signing) or not credential.is_constant:
            return unsigned
        try:
            return credential.signer(document.bindings, self.environ)(unsigned)
        except (CallError, ValueError):
            return unsigned

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        try:
            match = self._match(request)
            one, received = _meant(match, request, await _json(request))
            status, answer, encoding = 200, self._answer(one, received), _encoding(one)
        except _Fault as fault:
            kind = "authentication_error" if fault.status == 401 else "invalid_request_error"
            status, answer = fault.status, {"error": {"message": fault.message, "type": kind}}
            encoding = ENCODINGS["json"]
        headers = {"x-request-id": self._next("request"), "content-type": encoding.media}
        await Response(encoding.write(answer), status, headers)(scope, receive, send)

    def _match(self, request: HttpRequest) -> Match[list[_Operation]]:
        raw_path = request.scope["raw_path"]
        if match := self._table.find(request.method, raw_path):
            return match
        if self._table.methods(raw_path):
            raise _Fault(405, f"{request.method} is not declared for {request.url.path}")
        raise _Fault(404, f"nothing is declared at {request.url.path}")

    def _answer(self, one: Consumed, received: _Received) -> Any:
        return self._by_method(_shape(_path(one))).get(one.operation.method, self._echo)(one, received)

    def _by_method(self, shape: str) -> dict[str, Callable[[Consumed, _Received], Any]]:
        """What the methods do on a path of that shape: on a collection, an item, or something below an item."""
        above = _parent(shape)
        if shape.endswith("{}") and above in self._creatable:
            return {"GET": self._read, "DELETE": self._delete, "PUT": self._change, "PATCH": self._change}
        if f"{shape}/{{}}" in self._shapes:
            return {"GET": self._list, "POST": self._create}
        if above.endswith("{}") and _parent(above) in self._creatable:
            return {"GET": self._of_item, "POST": self._act}
        return {}

    def _create(self, one: Consumed, received: _Received) -> Any:
        kind = _singular(received.path.rpartition("/")[2])
        name = self._next(kind)
        given = received.body if isinstance(received.body, dict) else {}
        created = {"id": name, "object": kind, "status": "pending", "created_at": _EPOCH + self.counts[kind]}
        self.stored.setdefault(received.path, {})[name] = {**created, **given, "id": name}
        return self.stored[received.path][name]

    def _list(self, one: Consumed, received: _Received) -> Any:
        return {"object": "list", "data": list(self.stored.get(received.path, {}).values())}

    def _read(self, one: Consumed, received: _Received) -> Any:
        return self._item(received.path)

    def _change(self, one: Consumed, received: _Received) -> Any:
        item = self._item(received.path)
        item |= {**(received.body if isinstance(received.body, dict) else {}), "id": item["id"]}
        return item

    def _delete(self, one: Consumed, received: _Received) -> Any:
        item = self._item(received.path)
        del self.stored[_parent(received.path)][item["id"]]
        return {"id": item["id"], "object": item["object"], "deleted": True, **_echoed(received)}

    def _act(self, one: Consumed, received: _Received) -> Any:
        item = self._item(_parent(received.path))
        verb = received.path.rpartition("/")[2]
        item["status"] = _DONE.get(verb, verb)
        return item

    def _of_item(self, one: Consumed, received: _Received) -> Any:
        item = self._item(_parent(received.path))
        kind = received.path.rpartition("/")[2]
        return {"object": "list", f"{item['object']}_id": item["id"], kind: [], **_echoed(received)}

    def _echo(self, one: Consumed, received: _Received) -> Any:
        declared = located(one.operation.output_parameters, ())
        wanted = sample([*declared, *self._mapped.get(id(one), ())])
        if isinstance(wanted, list):
            return wanted
        echo = {"object": _singular(one.resource.name), "operation": one.operation.name, **_echoed(received)}
        return echo | (wanted or {})

    def _item(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        item = self.stored.get(_parent(path), {}).get(name)
        if item is None:
            raise _Fault(404, f"there is no {name!r} here")
        assert isinstance(item, dict)
        return item

    def _next(self, kind: str) -> str:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}-{self.counts[kind]:04}"


def _path(one: Consumed) -> str:
    return f"/{one.section.namespace}/{one.path.partition('?')[0].lstrip('/')}"


def _shape(path: str) -> str:
    return "/".join("{}" if parse(segment).holes else segment for segment in path.split("/"))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("ss", "ss")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word.removesuffix("s")


def _check_credential(expected: Request, request: HttpRequest) -> None:
    query = dict(parse_qsl(urlsplit(expected.url).query))
    has_headers = all(request.headers.get(name) == value for name, value in expected.headers)
    if not has_headers or not all(request.query_params.get(name) == value for name, value in query.items()):
        raise _Fault(401, "the credential is missing or wrong")


def _meant(match: Match[list[_Operation]], request: HttpRequest, body: Any) -> tuple[Consumed, _Received]:
    """The first of the operations on the path that the request fits, and what it received."""
    faults: list[_Fault] = []
    for operation in match.found:
        try:
            return operation.consumed, _received(operation, match.values, request, body)
        except _Fault as fault:
            faults.append(fault)
    raise faults[0]


def _received(operation: _Operation, values: Mapping[str, str], request: HttpRequest, body: Any) -> _Received:
    _check_credential(operation.expected, request)
    own = parse_qsl(operation.consumed.path.partition("?")[2], keep_blank_values=True)
    known = {*dict(own), *dict(parse_qsl(urlsplit(operation.expected.url).query))}
    query = {name: value for name, value in request.query_params.items() if name not in known}
    _check_declared(operation.consumed, query, body)
    return _Received(request.scope["raw_path"].decode("ascii"), values, query, body)


def _encoding(one: Consumed) -> Encoding:
    """How an operation answers: as it declares, where that can be written, and else in JSON."""
    return ENCODINGS.get(one.operation.output_raw_format, ENCODINGS["json"])


async def _json(request: HttpRequest) -> Any:
    data = await request.body()
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode(errors="replace")


def _check_declared(one: Consumed, query: Mapping[str, str], body: Any) -> None:
    declared = {parameter.name: parameter for parameter in one.parameters if parameter.location == "query"}
    spread = any(parameter.type == "object" for parameter in declared.values())
    for name in query:
        if name not in declared and not spread:
            raise _Fault(400, f"query parameter {name!r} is not declared")
    for name, parameter in declared.items():
        if parameter.required and name not in query and parameter.type != "object":
            raise _Fault(400, f"query parameter {name!r} is required")
    bodies = [parameter for parameter in one.parameters if parameter.location in ("body", "member")]
    if body is not None and not bodies and one.operation.body is None:
        raise _Fault(400, "a body is not declared")
    if body is None and any(parameter.required for parameter in bodies if parameter.constant is None):
        raise _Fault(400, "a body is required")


def _echoed(received: _Received) -> dict[str, Any]:
    parts = {"path": dict(received.values), "query": dict(received.query), "body": received.body}
    return {"received": {name: part for name, part in parts.items() if part}}
