"""Each of the twenty operations of the three published files, over REST and over MCP: exactly what goes upstream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairlead import __version__
from serving.world import THREE_FILES, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

TOGETHER = "https://api.together.ai/v1"
GROQ = "https://api.groq.com/openai/v1"
JOB = {"model": "m", "training_file": "file-1", "n_epochs": 3}
BATCH = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}


@dataclass(frozen=True)
class Case:
    """An operation: its tool, its REST request, and the request that both make upstream."""

    tool: str
    rest: str
    upstream: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> Any:
        return self.arguments.get("body")


CASES = (
    Case("list-your-organization-s-batches", "GET /v1/openai/v1/batches", f"GET {GROQ}/batches"),
    Case("creates-and-executes-batch-uploaded", "POST /v1/openai/v1/batches", f"POST {GROQ}/batches", {"body": BATCH}),
    Case("retrieves-batch", "GET /v1/openai/v1/batches/b-1", f"GET {GROQ}/batches/b-1", {"batch_id": "b-1"}),
    Case(
        "cancels-batch",
        "POST /v1/openai/v1/batches/b-1/cancel",
        f"POST {GROQ}/batches/b-1/cancel",
        {"batch_id": "b-1"},
    ),
    Case("list-batch-jobs", "GET /v1/batches", f"GET {TOGETHER}/batches"),
    Case("create-batch-job", "POST /v1/batches", f"POST {TOGETHER}/batches", {"body": BATCH}),
    Case("get-batch-job", "GET /v1/batches/b-1", f"GET {TOGETHER}/batches/b-1", {"id": "b-1"}),
    Case("cancel-batch-job", "POST /v1/batches/b-1/cancel", f"POST {TOGETHER}/batches/b-1/cancel", {"id": "b-1"}),
    Case("create-job", "POST /v1/fine-tunes", f"POST {TOGETHER}/fine-tunes", {"body": JOB}),
    Case("list-all-jobs", "GET /v1/fine-tunes", f"GET {TOGETHER}/fine-tunes"),
    Case(
        "estimate-price",
        "POST /v1/fine-tunes/estimate-price",
        f"POST {TOGETHER}/fine-tunes/estimate-price",
        {"body": JOB},
    ),
    Case(
        "get-model-limits",
        "GET /v1/fine-tunes/models/limits?model_name=meta/m%201",
        f"GET {TOGETHER}/fine-tunes/models/limits?model_name=meta%2Fm%201",
        {"model_name": "meta/m 1"},
    ),
    Case("list-supported-models", "GET /v1/fine-tunes/models/supported", f"GET {TOGETHER}/fine-tunes/models/supported"),
    Case("list-job", "GET /v1/fine-tunes/ft-1", f"GET {TOGETHER}/fine-tunes/ft-1", {"id": "ft-1"}),
    Case(
        "delete-fine-tune-job",
        "DELETE /v1/fine-tunes/ft-1?force=true",
        f"DELETE {TOGETHER}/fine-tunes/ft-1?force=true",
        {"id": "ft-1", "force": True},
    ),
    Case("cancel-job", "POST /v1/fine-tunes/ft-1/cancel", f"POST {TOGETHER}/fine-tunes/ft-1/cancel", {"id": "ft-1"}),
    Case(
        "list-checkpoints",
        "GET /v1/fine-tunes/ft-1/checkpoints",
        f"GET {TOGETHER}/fine-tunes/ft-1/checkpoints",
        {"id": "ft-1"},
    ),
    Case("list-job-events", "GET /v1/fine-tunes/ft-1/events", f"GET {TOGETHER}/fine-tunes/ft-1/events", {"id": "ft-1"}),
    Case(
        "get-metrics",
        "GET /v1/fine-tunes/ft-1/metrics",
        f"GET {TOGETHER}/fine-tunes/ft-1/metrics",
        {"id": "ft-1", "body": {"steps": [1, 2]}},
    ),
    Case(
        "download-model",
        "GET /v1/finetune/download?ft_id=ft-1&checkpoint_step=7&checkpoint=merged",
        f"GET {TOGETHER}/finetune/download?ft_id=ft-1&checkpoint_step=7&checkpoint=merged",
        {"ft_id": "ft-1", "checkpoint_step": 7, "checkpoint": "merged"},
    ),
)
ANSWER = {"id": "x-1", "object": "thing", "n": 12345678901234567890, "nested": {"list": [1, None, "é"]}}
CANARY = "canary-of-the-caller"
OF_THE_CALLER = {
    "authorization": f"Bearer {CANARY}",
    "cookie": f"session={CANARY}",
    "x-api-key": CANARY,
    "proxy-authorization": f"Basic {CANARY}",
    "user-agent": CANARY,
    "x-stainless-lang": CANARY,
    "x-forwarded-for": CANARY,
    "referer": f"http://localhost/{CANARY}",
    "x-request-id": CANARY,
}

each_operation = pytest.mark.parametrize("case", CASES, ids=lambda case: case.tool)


def expected(case: Case, *extra: tuple[str, str]) -> Sent:
    """The request that both protocols make, header by header."""
    method, url = case.upstream.split(" ")
    key = "groq-secret" if url.startswith(GROQ) else "together-secret"
    body = b"" if case.body is None else json.dumps(case.body, separators=(",", ":")).encode()
    headers = {"host": url.split("/")[2], "authorization": f"Bearer {key}", "user-agent": f"fairlead/{__version__}"}
    headers |= dict(extra)
    headers |= {"content-type": "application/json"} if case.body is not None else {}
    headers |= {"content-length": str(len(body))} if body or method == "POST" else {}
    return Sent(method, url, tuple(sorted(headers.items())), body)


def in_order(sent: Sent, *but: str) -> Sent:
    """The request, its headers sorted, without those of the connection and some more."""
    headers = sorted(pair for pair in sent.headers if pair[0] not in {"connection", *but})
    return Sent(sent.method, sent.url, tuple(headers), sent.body)


@each_operation
async def test_a_rest_route_makes_exactly_the_request_that_its_file_means(case: Case) -> None:
    upstream = Upstream(Reply(body=json.dumps(ANSWER).encode()))
    async with world(*THREE_FILES, upstream=upstream) as one:
        method, target = case.rest.split(" ")
        body = None if case.body is None else json.dumps(case.body, separators=(",", ":"))
        headers = {**OF_THE_CALLER, "accept": "application/json", "accept-encoding": "br"}
        headers |= {"content-type": "application/json; charset=utf-8"} if body else {}
        response = await one.rest.request(method, target, content=body, headers=headers)

    assert (response.status_code, response.json()) == (200, ANSWER)
    assert in_order(upstream.only) == expected(case, ("accept", "application/json"), ("accept-encoding", "br"))


@each_operation
async def test_a_tool_makes_the_same_request_as_its_rest_route(case: Case) -> None:
    upstream = Upstream(Reply(body=json.dumps(ANSWER).encode()))
    async with world(*THREE_FILES, upstream=upstream) as one:
        one.mcp.headers.update(OF_THE_CALLER)
        result = await one.call(case.tool, case.arguments)

    assert (result["isError"], result["structuredContent"]) == (False, ANSWER)
    assert json.loads(result["content"][0]["text"]) == ANSWER
    assert in_order(upstream.only, "accept", "accept-encoding") == expected(case)


@each_operation
async def test_nothing_that_a_caller_sends_about_itself_reaches_the_upstream(case: Case) -> None:
    upstream = Upstream()
    async with world(*THREE_FILES, upstream=upstream) as one:
        method, target = case.rest.split(" ")
        await one.rest.request(method, target, json=case.body, headers=OF_THE_CALLER)
        await one.mcp.post("/mcp", json={}, headers=OF_THE_CALLER)
        one.mcp.headers.update(OF_THE_CALLER)
        await one.call(case.tool, case.arguments)

    assert len(upstream.got) == 2
    assert CANARY not in repr(upstream.got)


async def test_the_table_above_covers_every_route_and_every_tool() -> None:
    async with world(*THREE_FILES, upstream=Upstream()) as one:
        described = (await one.rest.get("/openapi.json")).json()["paths"]
        listed = (await one.rpc("tools/list", {}))["result"]["tools"]

    assert sum(len(methods) for methods in described.values()) == len({case.rest for case in CASES}) == 20
    assert sorted(tool["name"] for tool in listed) == sorted(case.tool for case in CASES)
