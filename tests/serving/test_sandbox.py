"""The sandbox: an upstream that keeps what it is sent, checks the credential, and always answers the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from fairlead.errors import CallError
from fairlead.in_process import in_process
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.sandbox import Sandbox, base_uris, environ_of
from fairlead.settings import Settings
from fairlead.upstream import connect
from fairlead.wiring import Wiring
from serving.world import BATCHES, FINE_TUNING, THREE_FILES, World, document, world

pytestmark = pytest.mark.anyio

DOCUMENTS = tuple(document(path) for path in THREE_FILES)
KEY = {"authorization": "Bearer sandbox-together_ai_api_key"}


@asynccontextmanager
async def gateway() -> AsyncIterator[World]:
    environ = environ_of(DOCUMENTS)
    settings = Settings(base_uris=base_uris(DOCUMENTS))
    transport = in_process(Sandbox(DOCUMENTS, environ))
    async with world(*THREE_FILES, upstream=transport, environ=environ, settings=settings) as one:
        yield one


@asynccontextmanager
async def sandbox() -> AsyncIterator[httpx.AsyncClient]:
    """The sandbox itself, as an upstream's client sees it."""
    transport = httpx.ASGITransport(Sandbox(DOCUMENTS, environ_of(DOCUMENTS)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=KEY) as client:
        yield client


async def test_a_batch_is_created_listed_read_and_cancelled() -> None:
    async with gateway() as one:
        created = (await one.rest.post("/v1/batches", json={"input_file_id": "file-1"})).json()
        listed = (await one.rest.get("/v1/batches")).json()
        cancelled = (await one.rest.post("/v1/batches/batch-0001/cancel")).json()
        read = (await one.call("get-batch-job", {"id": "batch-0001"}))["structuredContent"]
        elsewhere = (await one.rest.get("/v1/openai/v1/batches")).json()

    batch = {"id": "batch-0001", "object": "batch", "status": "pending", "created_at": 1767225601}
    assert created == {**batch, "input_file_id": "file-1"}
    assert listed == {"object": "list", "data": [created]}
    assert cancelled == read == {**created, "status": "cancelled"}
    assert elsewhere == {"object": "list", "data": []}


async def test_a_job_is_deleted_and_then_not_there() -> None:
    async with gateway() as one:
        job = (await one.call("create-job", {"body": {"model": "m"}}))["structuredContent"]
        deleted = await one.rest.delete(f"/v1/fine-tunes/{job['id']}?force=true")
        gone = await one.rest.get(f"/v1/fine-tunes/{job['id']}")

    assert deleted.json() == {
        "id": "fine-tune-0001",
        "object": "fine-tune",
        "deleted": True,
        "received": {"path": {"id": "fine-tune-0001"}, "query": {"force": "true"}},
    }
    error = {"message": "there is no 'fine-tune-0001' here", "type": "invalid_request_error"}
    assert (gone.status_code, gone.json()) == (404, {"error": error})


@pytest.mark.parametrize(
    "tool", ["get-batch-job", "cancel-batch-job", "list-job", "delete-fine-tune-job", "get-metrics"]
)
async def test_what_was_never_created_is_not_found(tool: str) -> None:
    async with gateway() as one:
        result = await one.call(tool, {"id": "nothing"})

    assert result["isError"]
    assert result["content"][0]["text"].startswith("HTTP 404 Not Found")


async def test_other_operations_echo_what_they_received() -> None:
    async with gateway() as one:
        await one.call("create-job", {"body": {"model": "m"}})
        limits = (await one.rest.get("/v1/fine-tunes/models/limits?model_name=a%2Fb")).json()
        price = (await one.call("estimate-price", {"body": {"n": 1}}))["structuredContent"]
        metrics = (await one.call("get-metrics", {"id": "fine-tune-0001", "body": {"k": 1}}))["structuredContent"]

    assert limits == {
        "object": "fine-tunes-models-limit",
        "operation": "get",
        "received": {"query": {"model_name": "a/b"}},
    }
    assert price["received"] == {"body": {"n": 1}}
    assert metrics == {
        "object": "list",
        "fine-tune_id": "fine-tune-0001",
        "metrics": [],
        "received": {"path": {"id": "fine-tune-0001"}, "body": {"k": 1}},
    }


@pytest.mark.parametrize("authorization", ["", "Bearer other", "sandbox-together_ai_api_key"])
async def test_a_wrong_credential_is_refused(authorization: str) -> None:
    async with sandbox() as client:
        response = await client.get("/together-ai-batches/batches", headers={"authorization": authorization})

    error = {"message": "the credential is missing or wrong", "type": "authentication_error"}
    assert (response.status_code, response.json()) == (401, {"error": error})


@pytest.mark.parametrize(
    ("request_line", "body", "status", "message"),
    [
        ("GET /together-ai-batches/batches?limit=1", None, 400, "query parameter 'limit' is not declared"),
        ("GET /together-ai-fine-tuning/finetune/download", None, 400, "query parameter 'ft_id' is required"),
        ("POST /together-ai-batches/batches", None, 400, "a body is required"),
        ("POST /together-ai-batches/batches/b/cancel", b"{}", 400, "a body is not declared"),
        ("PUT /together-ai-batches/batches", None, 405, "PUT is not declared for /together-ai-batches/batches"),
        ("GET /together-ai-batches/nothing", None, 404, "nothing is declared at /together-ai-batches/nothing"),
        ("GET /batches", None, 404, "nothing is declared at /batches"),
    ],
)
async def test_a_request_that_no_file_declares_is_refused(
    request_line: str, body: bytes | None, status: int, message: str
) -> None:
    method, target = request_line.split(" ")
    async with sandbox() as client:
        response = await client.request(method, target, content=body)

    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


async def test_the_same_requests_always_get_the_same_answers() -> None:
    async def life() -> list[Any]:
        async with gateway() as one:
            made = [await one.rest.post("/v1/batches", json={"n": n}) for n in range(3)]
            return [*made, await one.rest.get("/v1/batches"), await one.rest.get("/v1/batches/batch-0002")]

    first, second = await life(), await life()
    assert [(one.content, one.headers["x-request-id"]) for one in first] == [
        (one.content, one.headers["x-request-id"]) for one in second
    ]


async def test_an_id_cannot_be_chosen_and_an_item_stays_its_own() -> None:
    async with gateway() as one:
        first = (await one.rest.post("/v1/batches", json={"id": "mine", "status": "done"})).json()
        second = (await one.rest.post("/v1/batches", json={})).json()
        await one.rest.post(f"/v1/batches/{first['id']}/cancel")
        read = (await one.rest.get(f"/v1/batches/{second['id']}")).json()

    assert (first["id"], first["status"], read) == ("batch-0001", "done", second)


QUERY_KEY = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {type: apikey, key: key, value: '{{env.KEY}}', placement: query}
    resources: [{name: jobs, path: /jobs, operations: [{name: list, method: GET}]}]
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [{method: GET, call: api.list}]}]}
"""


async def test_a_credential_in_the_query_is_checked_and_is_no_argument() -> None:
    documents = (document(QUERY_KEY),)
    transport = httpx.ASGITransport(Sandbox(documents, environ_of(documents)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/api") as client:
        with_key = await client.get("/jobs?key=sandbox-key")
        without = await client.get("/jobs")

    assert (with_key.json(), without.status_code) == (
        {"object": "job", "operation": "list", "received": {}},
        401,
    )


def test_every_variable_gets_a_made_up_value_and_every_api_an_address() -> None:
    environ = {name: value.get_secret_value() for name, value in environ_of(DOCUMENTS).items()}
    assert environ == {
        "GROQ_API_KEY": "sandbox-groq_api_key",
        "TOGETHER_AI_API_KEY": "sandbox-together_ai_api_key",
    }
    assert base_uris([document(BATCHES), document(FINE_TUNING)], "http://x") == {
        "together-ai-batches": "http://x/together-ai-batches",
        "together-ai-fine-tuning": "http://x/together-ai-fine-tuning",
    }


@pytest.mark.parametrize(
    ("authentication", "status"),
    [
        ("{type: oauth1, consumerKey: '{{env.KEY}}', signingKey: '{{env.KEY}}'}", 200),
        ("{type: oauth2, clientId: '{{env.KEY}}', clientSecret: '{{env.KEY}}', tokenUri: 'https://auth.test/t'}", 200),
        ("{type: certificate, certPath: '{{env.KEY}}'}", 200),
        ("{type: digest, username: '{{env.KEY}}', password: '{{env.KEY}}'}", 200),
        ("{type: hmac}", 501),
    ],
)
async def test_schemes_of_keys_tokens_and_challenges_are_left_out(authentication: str, status: int) -> None:
    source = f"""
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {authentication}
    resources: [{{name: jobs, path: /jobs, operations: [{{name: list}}]}}]
  exposes:
  - {{type: rest, namespace: rest, resources: [{{path: /jobs, operations: [{{call: api.list}}]}}]}}
"""
    documents = (loads(source, "some.yaml"),)
    variables = environ_of(documents)
    async with connect(transport=in_process(Sandbox(documents, variables))) as upstream:
        wiring = Wiring(upstream, variables, base_uris(documents), in_sandbox=True)
        (exposed,) = documents[0].exposed
        try:
            answered = (await exposed.operation(wiring)({})).status
        except CallError as error:
            answered = error.status

    assert answered == status


@pytest.mark.parametrize("raw", ["json", "xml", "yaml", "csv", "html", "markdown", "ndjson", "text"])
async def test_an_operation_of_any_format_is_mapped_in_front_of_the_sandbox(raw: str) -> None:
    text = f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources: [{{path: /ships, operations: [{{name: all, outputRawFormat: {raw}}}]}}]
  exposes:
  - type: mcp
    namespace: m
    tools: [{{name: all, call: harbour.all, outputParameters: [{{name: a, type: string, mapping: '$.tables'}}]}}]
"""
    one = loads(text)
    environ = environ_of([one])
    settings = Settings(base_uris=base_uris([one]))
    transport = in_process(Sandbox((one,), environ))
    async with connect(settings.limits, None, transport) as upstream:
        listeners, _ = arrange([one], settings)
        wiring = Wiring(upstream, environ, settings.base_uris, in_sandbox=True)
        (tool,) = listeners[0].tools
        result = await tool.exposed.operation(wiring)({})

    assert (result.status, len(await result.body.read()) > 0) == (200, True)
