"""`fairlead serve` as a process of its own: what it says, both its ports, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from serving.process import FAIRLEAD, Served, clean_environ, eventually, free_port, run, serving
from serving.world import BATCHES, CAPABILITIES

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list-batch-jobs", "arguments": {}}}
ACCEPT = {"accept": "application/json, text/event-stream"}


def test_serve_says_what_it_serves_answers_on_both_ports_and_ends_with_success(tmp_path: Path) -> None:
    with serving("--sandbox", CAPABILITIES, cwd=tmp_path) as served:
        created = httpx.post(f"{served.rest}/v1/batches", json={"name": "first"}).json()
        listed = httpx.post(f"{served.mcp}/mcp", json=CALL, headers=ACCEPT).json()
        live, ready = (httpx.get(f"{served.rest}/health/{name}").json() for name in ("live", "ready"))
        health = run("health", "--url", served.rest, cwd=tmp_path)
        ended = served.stop()

    assert [line for line in served.said if "http" not in line] == [
        "Fairlead serves",
        "  GroqCloud API — Batch: 4 routes, 4 tools",
        "  Together APIs — Batches: 4 routes, 4 tools",
        "  Together APIs — Fine-tuning: 12 routes, 12 tools",
        "against the embedded sandbox: no key is used and nothing leaves this machine",
        "on",
        "try",
    ]
    assert {line for line in served.said if "http" in line} == {
        f"  {served.rest}  REST, 20 routes; browse {served.rest}/docs",
        f"  {served.mcp}/groq-batch-mcp/mcp  MCP, 4 tools",
        f"  {served.mcp}/together-ai-batches-mcp/mcp  MCP, 4 tools",
        f"  {served.mcp}/together-ai-fine-tuning-mcp/mcp  MCP, 12 tools",
        f"  {served.mcp}/mcp  MCP, 20 tools",
    }
    assert listed["result"]["structuredContent"]["data"] == [created]
    assert (live, ready["status"]) == ({"status": "UP"}, "UP")
    assert ready["listeners"] == {str(served.rest_port): True, str(served.mcp_port): True}
    assert (health.returncode, health.stdout) == (0, "ready\n")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_gateway_with_very_many_adapters_ends_when_it_is_told_to(tmp_path: Path) -> None:
    ports = {"path": "/ports", "name": "ports", "operations": [{"name": "list", "method": "GET"}]}
    harbour = {"type": "http", "namespace": "harbour", "baseUri": "http://127.0.0.1:9", "resources": [ports]}
    adapters = [
        {"type": "mcp", "namespace": f"n{n}", "tools": [{"name": f"t{n}", "description": "T", "call": "harbour.list"}]}
        for n in range(1200)
    ]
    listing = {"method": "GET", "name": "list", "call": "harbour.list"}
    rest = {"type": "rest", "namespace": "rest", "resources": [{**ports, "operations": [listing]}]}
    capability = {"consumes": [harbour], "exposes": [rest, *adapters]}
    document = {"naftiko": "1.0.0-alpha2", "info": {"label": "Many"}, "capability": capability}
    (tmp_path / "many.yaml").write_text(json.dumps(document))
    with serving("many.yaml", cwd=tmp_path) as served:
        ended = served.stop()

    assert (ended.returncode, ended.stderr) == (0, "")


class Slow(BaseHTTPRequestHandler):
    """An upstream that answers when it is told to."""

    arrived = threading.Event()
    go_on = threading.Event()

    def do_GET(self) -> None:
        self.arrived.set()
        self.go_on.wait(10)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_running_request_is_finished_before_the_process_ends(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{upstream.server_port}"
        with serving(base, BATCHES, cwd=tmp_path, environ={"TOGETHER_AI_API_KEY": "k"}) as served:
            url = f"{served.rest}/v1/batches"
            caller = threading.Thread(target=lambda: answers.append(httpx.get(url, timeout=10)))
            caller.start()
            assert Slow.arrived.wait(10)
            served.process.send_signal(signal.SIGTERM)
            eventually(lambda: not is_open(served.rest_port))
            Slow.go_on.set()
            caller.join(10)
            ended = served.process.wait(10)
        upstream.shutdown()

    assert ([(answer.status_code, answer.text) for answer in answers], ended) == ([(200, "{}")], 0)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_that_is_taken_is_named_and_nothing_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        mcp_port = str(free_port())
        ended = run("serve", "--sandbox", "--rest-port", port, "--mcp-port", mcp_port, CAPABILITIES, cwd=tmp_path)

    hint = "choose others with --rest-port and --mcp-port"
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; {hint}\n"


def test_a_missing_secret_is_told_at_the_start_and_answered_at_the_call(tmp_path: Path) -> None:
    with serving(BATCHES, cwd=tmp_path) as served:
        answer = httpx.get(f"{served.rest}/v1/batches")
        ended = served.stop()

    assert (answer.status_code, answer.json()["variable"]) == (503, "TOGETHER_AI_API_KEY")
    assert ended.stderr.startswith(f"{BATCHES}:81:14: warning: TOGETHER_AI_API_KEY is not set; ")


def test_strict_does_not_start_without_its_secrets(tmp_path: Path) -> None:
    ended = run("serve", "--strict", BATCHES, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "TOGETHER_AI_API_KEY is not set" in ended.stderr
    assert "Error: not started" in ended.stderr


def test_a_base_uri_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    ended = run("serve", "--base-uri", "a=ftp://b", BATCHES, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Invalid value for --base-uri: 'a=ftp://b' is not NAMESPACE=http(s)://..." in ended.stderr


def test_health_fails_where_nothing_answers(tmp_path: Path) -> None:
    ended = run("health", "--url", f"http://127.0.0.1:{free_port()}", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "not ready\n")


def test_a_sandbox_of_its_own_serves_a_gateway_on_it(tmp_path: Path) -> None:
    port = free_port()
    command = [str(FAIRLEAD), "sandbox", "--port", str(port), str(BATCHES)]
    key = {"TOGETHER_AI_API_KEY": "shared"}
    with subprocess.Popen(command, cwd=tmp_path, env=clean_environ(key), stdout=subprocess.PIPE, text=True) as sandbox:
        eventually(lambda: is_open(port))
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{port}/together-ai-batches"
        with serving(base, BATCHES, cwd=tmp_path, environ=key) as served:
            created = httpx.post(f"{served.rest}/v1/batches", json={"a": 1})
            served.stop()
        sandbox.terminate()
        said, _ = sandbox.communicate(timeout=10)

    assert (created.status_code, created.json()["id"], sandbox.returncode) == (200, "batch-0001", 0)
    assert f"  {base.replace('=', ' ', 1)}\n" in said
    assert "shared" not in said


RELOADED = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - {type: rest, namespace: r, resources: [{path: /hello, operations: [{method: GET, OUTPUTS}]}]}
  - {type: mcp, namespace: m, tools: [{name: hello, OUTPUTS}]}
"""
ASK = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hello", "arguments": {}}}


def greeting(served: Served, client: httpx.Client) -> tuple[str, str]:
    """What the route and the tool answer."""
    rest = client.get(f"{served.rest}/hello").json()["message"]
    tool = client.post(f"{served.mcp}/mcp", json=ASK, headers=ACCEPT).json()
    return rest, json.loads(tool["result"]["content"][0]["text"])["message"]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal here")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_hangup_signal_reloads_the_files_and_keeps_what_was_loaded_where_they_are_wrong(
    tmp_path: Path, workers: int
) -> None:
    file = tmp_path / "hello.yaml"

    def write(message: str) -> None:
        outputs = f"outputParameters: [{{name: message, type: string, value: {message}}}]"
        file.write_text(RELOADED.replace("OUTPUTS", outputs))

    def reload(said: str) -> None:
        served.process.send_signal(signal.SIGHUP)
        served.hear(said, workers)

    write("first")
    with serving(file, "--workers", str(workers), cwd=tmp_path) as served, httpx.Client() as client:
        assert greeting(served, client) == ("first", "first")
        write("second")
        reload(": reloaded\n")
        assert greeting(served, client) == ("second", "second")
        with httpx.Client() as other:
            assert greeting(served, other) == ("second", "second")
        file.write_text("- no capability")
        reload(": not reloaded, what was loaded before is still served: ")
        assert greeting(served, client) == ("second", "second")
        write("third")
        reload(": reloaded\n")
        assert greeting(served, client) == ("third", "third")
        ended = served.stop()

    assert ended.returncode == 0
