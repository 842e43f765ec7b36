"""Control adapters tell of the process to those who look after it."""

import re

import httpx
import pytest
from pydantic import SecretStr

from fairlead.banner import banner
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.settings import Settings
from serving.world import KEYS, Reply, Upstream, World, world

pytestmark = pytest.mark.anyio

FLEET = """\
naftiko: 1.0.0-alpha2
info: {label: Fleet}
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    resources: [{path: '/ships/{id}', operations: [{name: get-ship}]}]
  exposes:
  - type: rest
    namespace: fleet
    resources: [{path: '/ships/{id}', operations: [{name: get, call: registry.get-ship}]}]
  - {type: mcp, namespace: agents, tools: [{name: ship, call: registry.get-ship}]}
  - CONTROL
"""
EVERYTHING = "{type: control, port: 9091, management: {info: true, scripting: {defaultLanguage: python, timeout: 500}}}"


def fleet(control: str = EVERYTHING) -> str:
    return FLEET.replace("CONTROL", control)


def operator(one: World, port: int = 9091) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(one.apps[port]), base_url=f"http://localhost:{port}")


def samples(text: str, name: str) -> dict[str, float]:
    """The values of one metric by their labels, as they are written."""
    return {labels: float(value) for labels, value in re.findall(rf"^{name}{{(.*)}} (.*)$", text, re.MULTILINE)}


async def test_health_is_answered_as_on_every_port_and_tells_of_the_adapters() -> None:
    async with world(fleet(), upstream=Upstream()) as one, operator(one) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
        told = (await client.get("/status")).json()["adapters"]

    assert (live.json(), ready.json()) == (
        {"status": "UP"},
        {"status": "UP", "listeners": {"8080": True}, "adapters": told},
    )


async def test_the_status_tells_of_the_capability_and_where_its_adapters_are() -> None:
    async with world(fleet(), upstream=Upstream()) as one, operator(one) as client:
        status = (await client.get("/status")).json()

    assert status["capability"] == {"label": "Fleet", "specVersion": "1.0.0-alpha2"}
    assert status["engine"]["name"] == "fairlead"
    assert re.fullmatch(r"PT\d+\.\d{3}S", status["uptime"])
    assert status["otel"] == {"status": "inactive"}
    assert status["adapters"] == [
        {"type": "rest", "namespace": "fleet", "port": 8080, "state": "started"},
        {"type": "mcp", "namespace": "agents", "port": 9090, "state": "started"},
        {"type": "control", "namespace": "control", "port": 9091, "state": "started"},
    ]


async def test_metrics_count_requests_operations_and_exchanges_with_upstreams() -> None:
    reply = Upstream(lambda sent: Reply(404 if sent.url.endswith("2") else 200))
    async with world(fleet(), upstream=reply) as one, operator(one) as client:
        for target in ("/ships/1", "/ships/2", "/ships/1?page=2", "/nowhere"):
            await one.rest.get(target)
        await one.call("ship", {"id": "1"})
        answer = await client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples(answer.text, "fairlead_http_requests_total") == {
        'method="GET",port="8080",status="200"': 1,
        'method="GET",port="8080",status="404"': 2,
        'method="GET",port="8080",status="400"': 1,
        'method="POST",port="9090",status="200"': 1,
    }
    assert samples(answer.text, "fairlead_operations_total") == {
        'adapter="fleet",operation="get",status="200"': 1,
        'adapter="fleet",operation="get",status="404"': 1,
        'adapter="agents",operation="ship",status="200"': 1,
    }
    assert samples(answer.text, "fairlead_http_client_requests_total") == {
        'method="GET",server_address="registry.example",status="200"': 2,
        'method="GET",server_address="registry.example",status="404"': 1,
    }
    assert samples(answer.text, "fairlead_operations_duration_seconds_count")['adapter="agents",operation="ship"'] == 1


async def test_failures_and_unknown_methods_are_counted_by_their_status() -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    async with world(fleet(), upstream=fails) as one, operator(one) as client:
        await one.rest.get("/ships/1")
        await one.rest.request("BREW", "/ships/1")
        text = (await client.get("/metrics")).text

    assert samples(text, "fairlead_http_client_requests_total") == {
        'method="GET",server_address="registry.example",status="502"': 1
    }
    assert samples(text, "fairlead_http_requests_total") == {
        'method="GET",port="8080",status="502"': 1,
        'method="other",port="8080",status="405"': 1,
    }


@pytest.mark.parametrize(
    ("control", "answered"),
    [
        ("{type: control}", {"/metrics"}),
        ("{type: control, observability: {enabled: false}}", set()),
        ("{type: control, observability: {metrics: {local: {enabled: false}}}}", set()),
        ("{type: control, management: {info: true}}", {"/metrics", "/status"}),
        ("{type: control, management: {scripting: {}}}", {"/metrics", "/scripting"}),
    ],
)
async def test_only_what_is_written_is_told(control: str, answered: set[str]) -> None:
    async with world(fleet(control), upstream=Upstream()) as one, operator(one) as client:
        paths = ("/metrics", "/status", "/scripting", "/logs", "/traces", "/config/reload")
        found = {path for path in paths if (await client.get(path)).status_code == 200}

    assert found == answered


async def test_what_is_only_read_says_so() -> None:
    async with world(fleet(), upstream=Upstream()) as one, operator(one) as client:
        answer = await client.put("/status", json={"enabled": True})
        head = await client.head("/status")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (head.status_code, head.content) == (200, b"")


async def test_only_those_who_are_let_in_are_told() -> None:
    control = "{type: control, authentication: {type: bearer, token: '{{OPERATOR}}'}, management: {info: true}}"
    keys = {**KEYS, "OPERATOR": SecretStr("right")}
    async with world(fleet(control), upstream=Upstream(), environ=keys) as one, operator(one) as client:
        found = {
            (path, token): (await client.get(path, headers={"authorization": f"Bearer {token}"})).status_code
            for path in ("/status", "/metrics", "/health/live")
            for token in ("right", "wrong")
        }

    refused = [key for key, status in found.items() if status == 401]
    assert refused == [("/status", "wrong"), ("/metrics", "wrong")]


async def test_a_control_adapter_may_share_a_port() -> None:
    control = EVERYTHING.replace("9091", "8080")
    async with world(fleet(control), upstream=Upstream()) as one:
        status, ship = await one.rest.get("/status"), await one.rest.get("/ships/1")

    assert (status.json()["capability"]["label"], ship.status_code) == ("Fleet", 200)


PLAIN = "path: /status, operations: [{name: get,"


def test_what_is_hidden_by_it_is_told_and_so_is_a_second_one_on_its_port() -> None:
    hidden = fleet(EVERYTHING.replace("9091", "8080")).replace("path: '/ships/{id}', operations: [{name: get,", PLAIN)
    documents = [loads(hidden, "a.yaml"), loads(fleet(), "b.yaml"), loads(fleet(), "c.yaml")]

    _, problems = arrange(documents, Settings())

    messages = [problem.message for problem in problems if "namespace" not in problem.message]
    assert any(message.endswith("/status cannot be reached") for message in messages)
    assert "only one control adapter answers on port 9091; b.yaml:13:5 does" in messages


def test_whoever_serves_it_to_other_machines_without_authentication_is_warned() -> None:
    document = loads(fleet(), "a.yaml")
    settings = Settings(host="0.0.0.0")
    lines = list(banner((document,), arrange([document], settings)[0], settings, [], sandbox=False))

    told = "whoever reaches port 9091 can read /metrics, /scripting, /status; add `authentication`"
    assert f"warning: {told}" in lines
    paths = "/health/live, /health/ready, /metrics, /scripting, /status"
    assert f"  http://127.0.0.1:9091  control, {paths}" in lines


async def test_a_fault_refuses_what_it_tells_but_not_the_other_adapters() -> None:
    control = "{type: control, management: {info: true, scripts: {}}}"
    async with world(fleet(control), upstream=Upstream()) as one, operator(one) as client:
        status, ship = await client.get("/status"), await one.rest.get("/ships/1")

    assert (status.status_code, ship.status_code) == (501, 200)
    assert "unknown key 'scripts'" in status.json()["detail"]
