"""Published capability files, where a folder of them is at hand: every call is the one that the file declares.

Set `FAIRLEAD_CORPUS` to a folder of capability files to run this; without one it runs over the files of this
repository, and the small documents of our own under `tests/documents` cover the same shapes. Every route and every tool
is called from outside, against an upstream that takes nothing but what the consumed operation says.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from serving.world import World, world

from fairlead.arguments import Input
from fairlead.consumed import Consumed
from fairlead.document import Document
from fairlead.errors import LoadError, Problem
from fairlead.exposed import Exposed
from fairlead.load import load
from fairlead.model import Type
from fairlead.parameters import InputParameter
from fairlead.sandbox import environ_of
from fairlead.settings import Settings

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("FAIRLEAD_CORPUS") or ROOT.parent / "shared" / "corpus")
PUBLISHED = sorted(CORPUS.glob("*.y*ml"))
FILES = PUBLISHED or sorted((ROOT / "capabilities").glob("*.yaml"))
SAMPLES: dict[Type | None, Any] = {
    "string": "a/b ü",
    "integer": 3,
    "number": 1.5,
    "boolean": True,
    "array": ["a", "b"],
    "object": {"k": "v"},
    None: "x",
}
IN_HEADERS = {"string": "a b", None: "x"}
BASE = "http://upstream.example/base"

pytestmark = pytest.mark.anyio


@dataclass
class Strict:
    """An upstream that answers 204 to the one request that is declared, and tells what is wrong with any other."""

    declared: Consumed | None = None
    faults: list[str] = field(default_factory=list)
    calls: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert self.declared
        self.calls += 1
        self.faults += faults_of(request, self.declared)
        return httpx.Response(204, stream=httpx.ByteStream(b""))


def faults_of(request: httpx.Request, declared: Consumed) -> Iterator[str]:
    url = urlsplit(str(request.url))
    raw = f"{declared.resource.path.rstrip('/')}/{declared.operation.path.lstrip('/')}"
    raw = (raw if declared.operation.path else declared.resource.path).partition("#")[0].replace("/?", "?")
    path, _, fixed = raw.partition("?")
    if request.method != declared.operation.method:
        yield f"method {request.method}"
    if not re.fullmatch(pattern_of(f"/base/{path.lstrip('/')}"), url.path):
        yield f"path {url.path} for {path}"
    given = {name for name, _ in parse_qsl(url.query, keep_blank_values=True)}
    listed = {one.name for one in parameters(declared) if one.in_ in ("query", None)}
    credential = declared.section.authentication
    names = {name for name, _ in parse_qsl(fixed, keep_blank_values=True)} | set(
        credential.names("query") if credential else ()
    )
    spread = any(one.type == "object" and one.in_ in ("query", None) for one in parameters(declared))
    if not spread and not names <= given <= names | listed:
        yield f"query {sorted(given)} for {sorted(names | listed)}"
    yield from body_faults(request, declared)
    if (
        credential
        and credential.type.lower() == "bearer"
        and not request.headers["authorization"].startswith("Bearer ")
    ):
        yield "no credential"
    if "of-the-caller" in str(request.headers):
        yield "a header of the caller"


def parameters(declared: Consumed) -> list[InputParameter]:
    levels = (declared.section, declared.resource, declared.operation)
    return [one for level in levels for one in level.input_parameters]


def pattern_of(path: str) -> str:
    """What a path looks like with its placeholders filled, each with one segment but for `{key+}`."""
    parts = re.split(r"(\{\{[^{}]*\}\}|\{[^{}]*\})", path)
    return "".join(
        (".+" if "+" in part else "[^/]+") if part.startswith("{") else re.escape(quote(part, "%/:?#[]@!$&'()*+,;="))
        for part in parts
    )


def body_faults(request: httpx.Request, declared: Consumed) -> Iterator[str]:
    content = request.content
    bodies = [one for one in parameters(declared) if one.in_ == "body"]
    template = declared.operation.body
    if template is None and not bodies:
        if content:
            yield f"a body {content!r}"
    elif template is None and len(bodies) == 1 and bodies[0].type in ("object", "array"):
        if json.loads(content) != SAMPLES[bodies[0].type]:
            yield f"the body {content!r}"
    elif request.headers.get("content-type") == "application/json" and "{{" in str(json.loads(content)):
        yield f"a hole in the body {content!r}"


def sample(item: Input) -> Any:
    """A value of the input's type; of one that takes a single value, that."""
    return re.sub(r"\\(.)", r"\1", item.pattern[1:-1]) if item.pattern else SAMPLES[item.type]


def rest_request(exposed: Exposed, path: str) -> tuple[str, dict[str, str], Any]:
    """The URL, headers and body by which a route is called with a sample of everything that it takes."""
    query, headers, body = [], {"x-of": "of-the-caller", "cookie": "c=of-the-caller"}, None
    for item in exposed.inputs:
        value = sample(item)
        match item.location:
            case "path":
                path = re.sub(rf"\{{{re.escape(item.name)}\+?\}}", quote(str(value), safe=""), path)
            case "query" if isinstance(value, Mapping):
                query += list(value.items())
            case "query":
                values = value if isinstance(value, list) else [value]
                query += [(item.given_as, one if isinstance(one, str) else json.dumps(one)) for one in values]
            case "header":
                headers[item.given_as] = IN_HEADERS.get(item.type, "1") if item.type != "boolean" else "true"
            case "body":
                body = value
            case "member":
                body = {**(body or {}), item.given_as: value}
            case _:
                pass
    return f"{path}?{httpx.QueryParams(query)}" if query else path, headers, body


async def call_all(document: Document, one: World, upstream: Strict) -> list[str]:
    """Calls every route and tool; what was wrong, and which operation it was."""
    told: list[str] = []

    async def called(name: str, exposed: Exposed, call: Any) -> None:
        if exposed.consumed is None or not is_constant(exposed.consumed):
            return
        upstream.declared, upstream.faults, before = exposed.consumed, [], upstream.calls
        answer = await call()
        if upstream.calls != before + 1:
            told.append(f"{document.file}: {name}: {answer}")
        told.extend(f"{document.file}: {name}: {fault}" for fault in upstream.faults)

    clashing = {(route.method, route.shape) for route in document.routes}
    for route in document.routes:
        key = (route.method, route.shape)
        if key in clashing and sum((other.method, other.shape) == key for other in document.routes) == 1:
            url, headers, body = rest_request(route.exposed, route.path.replace("#", "%23"))

            async def over_rest(
                method: str = route.method, url: str = url, headers: dict[str, str] = headers, body: Any = body
            ) -> str:
                response = await one.rest.request(method, url, headers=headers, json=body)
                return response.text

            await called(str(route), route.exposed, over_rest)
    for tool in document.tools:
        given = {item.name: sample(item) for item in tool.exposed.inputs if item.location != "header"}
        given |= {
            item.name: "a" if item.type in ("string", None) else SAMPLES[item.type]
            for item in tool.exposed.inputs
            if item.location == "header"
        }

        async def over_mcp(tool_name: str = tool.name, at: str = tool.namespace, given: dict[str, Any] = given) -> str:
            return str(await one.rpc("tools/call", {"name": tool_name, "arguments": given}, at=f"/{at}/mcp"))

        await called(f"tool {tool.name}", tool.exposed, over_mcp)
    return told


def is_constant(declared: Consumed) -> bool:
    """Whether made-up variables will do: they are no private keys, and no tokens are to be had for them."""
    credential = declared.section.authentication
    return credential is None or (credential.is_constant and not credential.refusal)


def loaded() -> list[Document]:
    documents = []
    for path in FILES:
        with suppress(LoadError):
            documents.append(load(path))
    return documents


@pytest.mark.skipif(
    not PUBLISHED, reason="no folder of published capability files is at hand; set FAIRLEAD_CORPUS to one"
)
async def test_every_published_file_that_is_yaml_loads() -> None:
    problems: list[Problem] = []
    for path in FILES:
        try:
            load(path)
        except LoadError as error:
            problems += error.problems

    assert all("is not valid YAML" in problem.message for problem in problems)


async def test_every_route_and_tool_makes_the_request_that_its_consumed_operation_declares() -> None:
    told: list[str] = []
    calls = 0
    for document in (one for one in loaded() if one.routes or one.tools):
        upstream = Strict()
        bases = {section.namespace: BASE for section in document.sections}
        settings = Settings(rest_port=8080, mcp_port=9090, base_uris=bases)
        async with world(
            Path(document.file), upstream=upstream, environ=environ_of([document]), settings=settings
        ) as one:
            told += await call_all(document, one, upstream)
        calls += upstream.calls

    assert told == []
    assert calls > 20
