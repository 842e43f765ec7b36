"""`fairlead stdio` as a process of its own, spoken to by the SDK's client and in raw lines."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import TextContent, TextResourceContents
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from serving.process import DEADLINE, FAIRLEAD, clean_environ, run
from serving.world import BATCHES, CAPABILITIES

pytestmark = pytest.mark.anyio

LIBRARY = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: mcp
    namespace: words
    transport: stdio
    authentication: {type: bearer, token: '{{env.NOBODY_HAS_IT}}'}
    tools: []
    resources:
    - {name: hello, uri: 'words://hello', mimeType: text/plain, outputParameters: [{type: string, value: Ahoy}]}
    prompts:
    - {name: greet, arguments: [{name: who}], template: [{role: user, content: 'Greet {{who}}'}]}
"""
REST_ALONE = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: rest
    namespace: r
    resources:
    - {path: /a, operations: [{method: GET, name: a, outputParameters: [{type: string, value: a}]}]}
"""


def client(*arguments: str | Path, mode: str = "2026-07-28") -> Client:
    """The SDK's client, which starts the process."""
    parameters = StdioServerParameters(command=str(FAIRLEAD), args=["stdio", *map(str, arguments)], cwd=CAPABILITIES)
    return Client(parameters, mode=mode)


def text_of(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@contextmanager
def spoken(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, spoken to line by line; it is ended on leaving at the latest."""
    with subprocess.Popen(
        [FAIRLEAD, "stdio", *map(str, arguments)],
        cwd=cwd,
        env=clean_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watch = threading.Timer(DEADLINE, process.kill)
        watch.start()
        try:
            yield process
        finally:
            watch.cancel()
            process.kill()


def ask(process: subprocess.Popen[str], method: str, params: Any = None) -> Any:
    """The answer to one request."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def greet(process: subprocess.Popen[str], revision: str = "2025-11-25") -> Any:
    """The answer to the handshake."""
    client_info = {"name": "test", "version": "1"}
    return ask(process, "initialize", {"protocolVersion": revision, "capabilities": {}, "clientInfo": client_info})


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "auto"])
async def test_the_tools_of_all_files_are_listed_and_called_with_a_handshake_and_without(mode: str) -> None:
    async with client("--sandbox", CAPABILITIES, mode=mode) as session:
        listed = await session.list_tools()
        created = await session.call_tool("create-batch-job", {"body": {"input_file_id": "f", "endpoint": "/v1"}})

    assert len(listed.tools) == 20
    assert not created.is_error


@pytest.mark.parametrize("revision", HANDSHAKE_PROTOCOL_VERSIONS)
def test_every_revision_with_a_handshake_is_spoken(tmp_path: Path, revision: str) -> None:
    with spoken("--sandbox", BATCHES, cwd=tmp_path) as process:
        greeted = greet(process, revision)
        called = ask(process, "tools/call", {"name": "list-batch-jobs", "arguments": {}})

    assert greeted["result"]["protocolVersion"] == revision
    assert not called["result"]["isError"]


async def test_a_tool_that_there_is_not_is_an_error_of_the_protocol_with_a_hint() -> None:
    async with client("--sandbox", BATCHES) as session:
        with pytest.raises(MCPError, match=r"unknown tool 'list-batch-job'; did you mean 'list-batch-jobs'"):
            await session.call_tool("list-batch-job", {})


async def test_patterns_offer_a_part_of_the_tools() -> None:
    async with client("--sandbox", "--include", "list-batch*,get-*", BATCHES) as session:
        listed = await session.list_tools()
        with pytest.raises(MCPError, match="unknown tool 'cancel-batch-job'"):
            await session.call_tool("cancel-batch-job", {"id": "1"})

    assert {tool.name for tool in listed.tools} == {"list-batch-jobs", "get-batch-job"}


class Failing(BaseHTTPRequestHandler):
    """An upstream that answers nothing but an error."""

    def do_GET(self) -> None:
        self.send_response(418)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"teapot")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


async def test_an_error_of_the_upstream_is_one_of_the_tool(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        (tmp_path / "keys.env").write_text("TOGETHER_AI_API_KEY=k")
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{upstream.server_port}"
        async with client(base, "--env-file", tmp_path / "keys.env", BATCHES) as session:
            answered = await session.call_tool("list-batch-jobs", {})
        upstream.shutdown()

    assert (answered.is_error, "418" in text_of(answered)) == (True, True)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_resources_and_prompts_are_there_and_nobody_has_to_authenticate(tmp_path: Path, mode: str) -> None:
    (tmp_path / "words.yaml").write_text(LIBRARY)
    async with client(tmp_path / "words.yaml", mode=mode) as session:
        (resource,) = (await session.list_resources()).resources
        (read,) = (await session.read_resource("words://hello")).contents
        (prompt,) = (await session.list_prompts()).prompts
        (message,) = (await session.get_prompt("greet", {"who": "Ada"})).messages

    assert isinstance(read, TextResourceContents)
    assert isinstance(message.content, TextContent)
    assert (resource.uri, read.text, prompt.name, message.content.text) == (
        "words://hello",
        '"Ahoy"',
        "greet",
        "Greet Ada",
    )


def test_nothing_but_the_protocol_is_on_stdout_though_there_are_warnings(tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text(LIBRARY)
    with spoken("--log-level", "debug", tmp_path / "words.yaml", BATCHES, cwd=tmp_path) as process:
        greeted = greet(process)
        unset = ask(process, "tools/call", {"name": "list-batch-jobs", "arguments": {}})
        output, errors = process.communicate()

    assert greeted["result"]["serverInfo"]["name"] == "fairlead"
    assert unset["result"]["isError"]
    assert (process.returncode, output) == (0, "")
    assert "transport 'stdio' is served over http instead; `fairlead stdio` speaks it" in errors
    assert "TOGETHER_AI_API_KEY is not set" in errors
    assert "Fairlead speaks MCP on standard input and output, for" in errors


def test_lines_that_are_blank_or_no_messages_are_passed_over_as_the_sdk_does(tmp_path: Path) -> None:
    with spoken("--sandbox", BATCHES, cwd=tmp_path) as process:
        assert process.stdin
        process.stdin.write('\n   \nnonsense\n{"jsonrpc": "2.0"\n[]\n')
        greeted = greet(process)
        process.stdin.write("more nonsense\n\n")
        listed = ask(process, "tools/list")

    assert greeted["result"]["protocolVersion"] == "2025-11-25"
    assert len(listed["result"]["tools"]) == 4


def test_a_line_that_is_too_long_is_told_and_the_next_is_answered(tmp_path: Path) -> None:
    with spoken("--sandbox", "--max-request-body", "300", BATCHES, cwd=tmp_path) as process:
        greet(process)
        assert process.stdin
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "x" * 1000}) + "\n")
        listed = ask(process, "tools/list")
        _, errors = process.communicate()

    assert listed["id"] == 1
    assert "a line of more than 300 bytes is passed over" in errors


class Slow(BaseHTTPRequestHandler):
    """An upstream that never answers as long as the test runs."""

    arrived = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        self.arrived.set()
        self.over.wait(DEADLINE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_the_end_of_the_input_ends_calls_that_run(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TOGETHER_AI_API_KEY=k")
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list-batch-jobs", "arguments": {}}}
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        base = f"--base-uri=together-ai-batches=http://127.0.0.1:{upstream.server_port}"
        with spoken(base, BATCHES, cwd=tmp_path) as process:
            greet(process)
            assert process.stdin
            process.stdin.write(json.dumps(call) + "\n")
            process.stdin.flush()
            assert Slow.arrived.wait(DEADLINE)
            output, errors = process.communicate()
        Slow.over.set()
        upstream.shutdown()

    assert (process.returncode, json.loads(output)["error"]["message"]) == (0, "Connection closed")
    assert "Traceback" not in errors


@pytest.mark.parametrize("typed", ["", "nonsense", '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'])
def test_the_end_of_the_input_ends_the_process_with_success(tmp_path: Path, typed: str) -> None:
    with spoken("--sandbox", BATCHES, cwd=tmp_path) as process:
        process.communicate(typed)

    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_success_though_its_input_is_open(tmp_path: Path, number: int) -> None:
    with spoken("--sandbox", BATCHES, cwd=tmp_path) as process:
        greet(process)
        process.send_signal(number)
        assert process.stderr
        errors = process.stderr.read()

        assert process.wait() == 0
    assert "Traceback" not in errors


def test_an_agent_that_takes_no_answers_any_more_ends_the_process(tmp_path: Path) -> None:
    with spoken("--sandbox", BATCHES, cwd=tmp_path) as process:
        greet(process)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write('{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}\n')
        process.stdin.flush()
        errors = process.stderr.read()

        assert process.wait() == 0
    assert "Traceback" not in errors


def test_files_without_an_mcp_adapter_are_told(tmp_path: Path) -> None:
    (tmp_path / "rest.yaml").write_text(REST_ALONE)

    ended = run("stdio", "rest.yaml", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "rest.yaml:1:1: has no MCP adapter\nError: not started: 1 problem\n"


def test_a_pattern_that_fits_nothing_is_told(tmp_path: Path) -> None:
    ended = run("stdio", "--sandbox", "--include", "list-batch-job", BATCHES, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--include: argument 'list-batch-job' matches no tool and no namespace; did you mean" in ended.stderr


def test_secrets_of_callers_are_not_needed(tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text(LIBRARY)

    with spoken("--strict", "words.yaml", cwd=tmp_path) as process:
        _, errors = process.communicate()

    assert process.returncode == 0
    assert "NOBODY_HAS_IT is not set" not in errors


def test_strict_does_not_start_without_the_secrets(tmp_path: Path) -> None:
    ended = run("stdio", "--strict", BATCHES, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "TOGETHER_AI_API_KEY is not set" in ended.stderr
