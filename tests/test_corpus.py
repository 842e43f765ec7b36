"""Published capability files, where a folder of them is at hand: every call is the one that the file declares.

Set `FAIRLEAD_CORPUS` to a folder of capability files to run this; without one, the small documents of our own under
`tests/documents` cover the same shapes.
"""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from fairlead.auth import Credential
from fairlead.document import Document
from fairlead.errors import LoadError
from fairlead.exposed import Exposed
from fairlead.load import load
from fairlead.model import Type
from fairlead.sandbox import environ_of
from fairlead.template import Hole, parse
from fairlead.upstream import connect
from fairlead.wiring import Wiring

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("FAIRLEAD_CORPUS") or ROOT.parent / "shared" / "corpus")
FILES = sorted(CORPUS.glob("*.y*ml"))
SAMPLES: dict[Type | None, Any] = {
    "string": "a/b ü",
    "integer": 3,
    "number": 1.5,
    "boolean": True,
    "array": ["a", "b"],
    "object": {"k": "v"},
    None: "x",
}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def loaded() -> list[Document]:
    """The files that can be used; with no corpus at hand, those of this repository."""
    documents = []
    for path in FILES or sorted((ROOT / "capabilities").glob("*.yaml")):
        with suppress(LoadError):
            documents.append(load(path))
    return documents


def is_constant(credential: Credential | None) -> bool:
    """Whether made-up variables will do: they are no private keys, and no tokens are to be had for them."""
    return credential is None or credential.is_constant


async def calls(document: Document) -> AsyncIterator[tuple[Exposed, httpx.Request]]:
    """Every operation and tool of the document, called once, and the request that its upstream got."""
    sent: list[httpx.Request] = []

    async def nothing() -> AsyncIterator[bytes]:
        for _ in ():
            yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204, content=nothing())

    bases = {section.namespace: "http://upstream/base" for section in document.sections}
    async with connect(transport=httpx.MockTransport(answer)) as upstream:
        wiring = Wiring(upstream, environ_of([document]), bases)
        for exposed in document.exposed:
            if exposed.target and is_constant(exposed.target.consumed.section.authentication):
                await exposed.operation(wiring)({item.name: SAMPLES[item.type] for item in exposed.inputs})
                yield exposed, sent[-1]


@pytest.mark.skipif(not FILES, reason="no folder of published capability files is at hand; set FAIRLEAD_CORPUS to one")
async def test_most_published_files_load() -> None:
    assert len(loaded()) >= 0.8 * len(FILES)


async def test_every_call_has_the_method_the_path_and_the_query_of_its_consumed_operation() -> None:
    for document in loaded():
        async for exposed, request in calls(document):
            assert exposed.target
            consumed = exposed.target.consumed
            fixed, _, query = consumed.path.partition("?")
            declared = {parameter.name for parameter in consumed.parameters if parameter.location == "query"}
            path = urlsplit(str(request.url)).path

            assert request.method == consumed.operation.method
            slashes = f"/base/{fixed.lstrip('/')}".count("/") + fixed.count("+}")
            assert path.count("/") == slashes
            for part in (one for one in parse(fixed).parts if isinstance(one, str)):
                assert part.strip("/") in unquote(path)
            if not any(parameter.type == "object" for parameter in consumed.parameters):
                assert declared <= set(request.url.params)
            assert query in str(request.url.query, "ascii")


async def test_every_path_argument_stays_one_segment() -> None:
    for document in loaded():
        async for exposed, request in calls(document):
            assert exposed.target
            holes = [part for part in parse(exposed.target.consumed.path).parts if isinstance(part, Hole)]
            if any(hole.spans for hole in holes):
                continue
            assert "a/b" not in urlsplit(str(request.url)).path
