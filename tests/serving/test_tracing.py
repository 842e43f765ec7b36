"""Traces by OpenTelemetry: what has a span, whose part it is, where it goes, and what it never holds."""

from __future__ import annotations

import importlib.util
import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from fairlead.load import loads
from fairlead.trace_buffer import TraceBuffer
from fairlead.tracing import Tracing
from serving.process import free_port, serving
from serving.test_control import fleet, operator
from serving.world import KEYS, Reply, Upstream, world

pytestmark = pytest.mark.anyio

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = PARENT.removesuffix("01") + "00"
STEPS = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    inputParameters: [{name: key, in: query, value: canary}]
    authentication: {type: bearer, token: canary}
    resources:
    - {path: '/ships/{id}', operations: [{name: get-ship}]}
    - {path: '/crews/{id}', operations: [{name: get-crew}]}
  exposes:
  - type: rest
    namespace: fleet
    resources:
    - path: /ships/{id}
      operations:
      - name: both
        steps:
        - {type: call, name: ship, call: registry.get-ship, with: {id: rest.id}}
        - {type: call, name: crew, call: registry.get-crew, with: {id: rest.id}}
        - {type: lookup, name: found, index: crew, match: id, lookupValue: '1'}
"""


class Traced:
    """A tracing whose spans are kept."""

    def __init__(self, sampling: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Tracing([SimpleSpanProcessor(self._exporter)], sampling)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def tree(self) -> list[str]:
        """The names of all spans, each after those of what it is part of."""
        names = {span.context.span_id: span.name for span in self.spans}
        parents = {span.context.span_id: span.parent.span_id for span in self.spans if span.parent}

        def path(span_id: int) -> str:
            above = parents.get(span_id, 0)
            return f"{path(above)} > {names[span_id]}" if above in names else names[span_id]

        return sorted(path(span.context.span_id) for span in self.spans)

    def attributes(self, name: str) -> dict[str, Any]:
        return next(dict(span.attributes or {}) for span in self.spans if span.name == name)

    def statuses(self) -> dict[str, str]:
        return {span.name: span.status.status_code.name for span in self.spans}


async def test_a_request_its_operation_its_steps_and_their_requests_are_one_trace() -> None:
    traced, upstream = Traced(), Upstream()
    async with world(STEPS, upstream=upstream, tracing=traced.tracing) as one:
        answer = await one.rest.get("/ships/1?key=canary", headers={"x-key": "canary"})
        assert answer.status_code == 400
        answer = await one.rest.get("/ships/1")

    assert answer.status_code == 200
    assert len({span.context.trace_id for span in traced.spans}) == 2
    assert traced.tree() == [
        "GET",
        "GET fleet.both",
        "GET fleet.both > fleet.both",
        "GET fleet.both > fleet.both > step crew",
        "GET fleet.both > fleet.both > step crew > GET",
        "GET fleet.both > fleet.both > step found",
        "GET fleet.both > fleet.both > step ship",
        "GET fleet.both > fleet.both > step ship > GET",
    ]
    assert traced.attributes("GET fleet.both") == {
        "http.request.method": "GET",
        "url.path": "/ships/1",
        "server.port": 8080,
        "http.response.status_code": 200,
    }
    assert traced.attributes("fleet.both") == {
        "fairlead.adapter": "fleet",
        "fairlead.operation": "both",
        "http.response.status_code": 200,
    }
    assert {str(sent.header("traceparent"))[3:35] for sent in upstream.got} == {
        f"{traced.spans[-1].context.trace_id:032x}"
    }
    assert "canary" not in "".join(span.to_json() for span in traced.spans)


async def test_a_call_of_a_tool_is_traced_plain_or_not() -> None:
    traced = Traced()
    async with world(fleet("{type: control}"), upstream=Upstream(), tracing=traced.tracing) as one:
        await one.call("ship", {"id": "1"})
        async with one.client() as client:
            await client.call_tool("ship", {"id": "1"})

    calls = [line for line in traced.tree() if "agents.ship" in line]
    assert calls == sorted(
        2 * ["POST agents.ship", "POST agents.ship > agents.ship", "POST agents.ship > agents.ship > GET"]
    )


async def test_it_is_part_of_the_trace_of_its_caller_and_so_is_what_it_sends() -> None:
    traced, upstream = Traced(), Upstream()
    headers = {"traceparent": PARENT, "tracestate": "vendor=1"}
    async with world(fleet("{type: control}"), upstream=upstream, tracing=traced.tracing) as one:
        await one.rest.get("/ships/1", headers=headers)

    sent = upstream.only
    server = next(span for span in traced.spans if span.name == "GET fleet.get")
    client = next(span for span in traced.spans if span.name == "GET")
    assert {f"{span.context.trace_id:032x}" for span in traced.spans} == {PARENT[3:35]}
    assert server.parent
    assert f"{server.parent.span_id:016x}" == PARENT[36:52]
    assert sent.header("traceparent") == f"00-{PARENT[3:35]}-{client.context.span_id:016x}-01"
    assert sent.header("tracestate") == "vendor=1"


async def test_what_the_caller_does_not_trace_is_not_traced_and_is_told_so() -> None:
    traced, upstream = Traced(), Upstream()
    async with world(fleet("{type: control}"), upstream=upstream, tracing=traced.tracing) as one:
        await one.rest.get("/ships/1", headers={"traceparent": NOT_SAMPLED})

    sent = str(upstream.only.header("traceparent"))
    assert traced.spans == ()
    assert (sent[3:35], sent[-2:]) == (PARENT[3:35], "00")


@pytest.mark.parametrize("given", ["no trace", "00-" + 32 * "0" + "-b7ad6b7169203331-01", "é"])
async def test_a_trace_that_is_none_is_begun_anew(given: str) -> None:
    traced, upstream = Traced(), Upstream()
    async with world(fleet("{type: control}"), upstream=upstream, tracing=traced.tracing) as one:
        await one.rest.get("/ships/1", headers=[(b"traceparent", given.encode("latin-1"))])

    assert str(upstream.only.header("traceparent")).startswith(f"00-{traced.spans[0].context.trace_id:032x}-")


async def test_such_a_part_of_all_requests_is_traced_as_the_file_says() -> None:
    traced = Traced(sampling=0.0)
    async with world(fleet("{type: control}"), upstream=Upstream(), tracing=traced.tracing) as one:
        await one.rest.get("/ships/1")
        assert traced.spans == ()
        await one.rest.get("/ships/1", headers={"traceparent": PARENT})

    assert len(traced.spans) == 3


async def test_faults_of_the_gateway_and_of_upstreams_are_errors_and_those_of_callers_are_not() -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("canary")

    failing, missing, refused = Traced(), Traced(), Traced()
    async with world(fleet("{type: control}"), upstream=fails, tracing=failing.tracing) as one:
        await one.rest.get("/ships/1")
    async with world(fleet("{type: control}"), upstream=Upstream(Reply(404)), tracing=missing.tracing) as one:
        await one.rest.get("/ships/1")
    async with world(fleet("{type: control}"), upstream=Upstream(), tracing=refused.tracing) as one:
        await one.rest.request("BREW", "/ships/1")

    assert failing.statuses() == {"GET": "ERROR", "fleet.get": "ERROR", "GET fleet.get": "ERROR"}
    assert failing.attributes("GET")["error.type"] == "upstream-failed"
    assert "canary" not in "".join(span.to_json() for span in failing.spans)
    assert missing.statuses() == {"GET": "ERROR", "fleet.get": "UNSET", "GET fleet.get": "UNSET"}
    assert refused.statuses() == {"_OTHER": "UNSET"}


LOCAL = "{type: control, port: 9091, management: {info: true}, observability: {traces: {local: {buffer-size: 2}}}}"


async def test_the_newest_traces_are_told_with_all_their_spans() -> None:
    async with world(fleet(LOCAL), upstream=Upstream()) as one, operator(one) as client:
        for number in range(3):
            await one.rest.get(f"/ships/{number}")
        await one.rest.get("/nowhere")
        listed = (await client.get("/traces")).json()
        found = (await client.get("/traces", params={"operation": "fleet", "status": "ok"})).json()
        none = (await client.get("/traces", params={"status": "error"})).json()
        trace = (await client.get(f"/traces/{found['traces'][-1]['traceId']}")).json()
        lost = await client.get(f"/traces/{32 * '0'}")
        status = (await client.get("/status")).json()

    assert (listed["bufferSize"], listed["bufferUsed"], none["traces"]) == (2, 2, [])
    assert [one["operation"] for one in listed["traces"]] == ["GET", "GET fleet.get"]
    assert listed["traces"][1].keys() == {"traceId", "operation", "durationMs", "status", "spanCount", "timestamp"}
    assert [(span["name"], span["kind"]) for span in trace["spans"]] == [
        ("GET fleet.get", "SERVER"),
        ("fleet.get", "INTERNAL"),
        ("GET", "CLIENT"),
    ]
    assert trace["spans"][1]["parentSpanId"] == trace["spans"][0]["spanId"]
    assert trace["spans"][2]["attributes"] == {
        "http.request.method": "GET",
        "server.address": "registry.example",
        "http.response.status_code": 200,
    }
    assert (lost.status_code, lost.json()["detail"]) == (404, f"no trace {32 * '0'!r} is kept")
    assert status["otel"] == {"status": "active"}


async def test_traces_are_for_those_who_are_let_in() -> None:
    control = LOCAL.replace("{type: control,", "{type: control, authentication: {type: bearer, token: right},")
    async with world(fleet(control), upstream=Upstream()) as one, operator(one) as client:
        refused = [(await client.get(path)).status_code for path in ("/traces", "/traces/1", "/traces/")]
        headers = {"authorization": "Bearer right"}
        let_in = [(await client.get(path, headers=headers)).status_code for path in ("/traces", "/traces/1")]

    assert (refused, let_in) == ([401, 401, 401], [200, 404])


def test_of_a_trace_so_many_spans_are_kept_and_no_more() -> None:
    buffer = TraceBuffer(1)
    tracing = Tracing([], buffer=buffer)
    with tracing.span("all", {}):
        for _ in range(1005):
            with tracing.span("one", {}):
                pass

    assert [(one["operation"], one["spanCount"]) for one in buffer.listed()] == [("one", 1000)]


class Collector(BaseHTTPRequestHandler):
    """A collector of OpenTelemetry, as far as it takes traces by HTTP; and an API that answers with its trace."""

    taken: queue.Queue[tuple[str, ExportTraceServiceRequest]]

    def do_GET(self) -> None:
        body = json.dumps(self.headers.get_all("traceparent")).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.taken.put((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is told."""


@contextmanager
def collecting() -> Iterator[tuple[int, queue.Queue[tuple[str, ExportTraceServiceRequest]]]]:
    taken: queue.Queue[tuple[str, ExportTraceServiceRequest]] = queue.Queue()
    handler = type("Taking", (Collector,), {"taken": taken})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, taken
        server.shutdown()
        thread.join()


EXPORTED = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: registry
    baseUri: http://127.0.0.1:SERVER
    resources: [{path: /ships, operations: [{name: list-ships}]}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /hello
      operations: [{name: hello, method: GET, call: registry.list-ships}]
  - {type: control, port: PORT, observability: {exporters: {otlp: {endpoint: 'ENDPOINT'}}}}
"""


def exported(endpoint: str, api: int) -> str:
    return EXPORTED.replace("SERVER", str(api)).replace("PORT", str(free_port())).replace("ENDPOINT", endpoint)


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_a_collector_gets_what_was_traced_when_the_process_ends_at_the_latest(tmp_path: Path, path: str) -> None:
    file = tmp_path / "hello.yaml"
    with collecting() as (port, taken):
        file.write_text(exported(f"http://127.0.0.1:{port}{path}", port))
        with serving(file, cwd=tmp_path) as served:
            told = httpx.get(f"{served.rest}/hello", headers={"traceparent": PARENT}).json()
            ended = served.stop()

    assert (ended.returncode, ended.stderr) == (0, "")
    requested, request = taken.get(timeout=10)
    (resource,) = request.resource_spans
    spans = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert requested == "/v1/traces"
    assert {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"] == "fairlead"
    assert sorted(spans) == ["GET", "GET r.hello", "r.hello"]
    assert told == [f"00-{PARENT[3:35]}-{spans['GET'].span_id.hex()}-01"]
    assert spans["GET r.hello"].trace_id.hex() == PARENT[3:35]
    assert spans["r.hello"].parent_span_id == spans["GET r.hello"].span_id


COLLECTED = "{type: control, port: 9091, observability: {exporters: {otlp: {endpoint: 'http://{{COLLECTOR}}'}}}}"


async def test_a_collector_is_found_by_a_variable() -> None:
    with collecting() as (port, taken):
        environ = {**KEYS, "COLLECTOR": SecretStr(f"127.0.0.1:{port}")}
        async with world(fleet(COLLECTED), upstream=Upstream(), environ=environ) as one:
            await one.rest.get("/ships/1")

        assert taken.get(timeout=10)[0] == "/v1/traces"


@pytest.mark.parametrize(
    ("control", "environ", "said"),
    [
        (COLLECTED, {}, "traces go nowhere: COLLECTOR is not set; 'Fleet' needs it (some.yaml:13)"),
        (
            COLLECTED.replace("http://{{", "{{"),
            {"COLLECTOR": SecretStr("collector:4318")},
            "traces go nowhere: the endpoint at some.yaml:13 is no http(s) URL",
        ),
    ],
)
async def test_a_collector_that_is_not_known_is_told_and_all_is_served(
    caplog: pytest.LogCaptureFixture, control: str, environ: dict[str, SecretStr], said: str
) -> None:
    async with world(fleet(control), upstream=Upstream(), environ=environ) as one:
        answer = await one.rest.get("/ships/1")

    assert answer.status_code == 200
    assert [record.getMessage() for record in caplog.records if "traces" in record.getMessage()] == [said]


def test_a_collector_that_is_not_there_holds_nothing_up(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    with collecting() as (port, _):
        file.write_text(exported("http://127.0.0.1:1", port))
        with serving(file, cwd=tmp_path) as served:
            answer = httpx.get(f"{served.rest}/hello")
            ended = served.stop()

    assert (answer.status_code, ended.returncode) == (200, 0)


def test_without_the_packages_it_is_told_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def missing(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name.startswith("opentelemetry.exporter") else found(name, package)

    monkeypatch.setattr("fairlead.exposes.control.find_spec", missing)

    (problem,) = loads(fleet(LOCAL)).problems

    assert problem.severity == "error"
    assert str(problem).endswith("the packages for traces are not installed; pip install 'fairlead[otel]'")


async def test_without_the_packages_all_else_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.exposes.control.find_spec", lambda name: None)
    async with world(fleet(LOCAL), upstream=Upstream()) as one, operator(one) as client:
        answers = [await one.rest.get("/ships/1"), await client.get("/status"), await client.get("/traces")]

    assert [answer.status_code for answer in answers] == [200, 200, 503]
    assert answers[1].json()["otel"] == {"status": "inactive"}


def test_nothing_of_it_is_imported_where_nothing_is_traced() -> None:
    script = f"""\
import sys
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.observed import observed
from fairlead.settings import Settings
listeners, _ = arrange([loads({fleet()!r}, 'a.yaml')], Settings())
seen = observed(listeners, {{}})
assert seen.tracing is None
print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter.otlp.proto.'))])
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout == "[]\n"
