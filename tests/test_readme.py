"""The README's commands are run, and what it shows is what comes out."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(command: str, ports: dict[str, int]) -> Iterator[list[str]]:
    """The first command of the README on free ports, and the lines it prints until it serves."""
    variables = {f"FAIRLEAD_{kind}_PORT": str(port) for kind, port in ports.items()}
    process = subprocess.Popen(
        shlex.split(command), cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "/mcp -H" in line:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for a POSIX shell")
def test_the_first_command_serves_and_its_three_calls_answer_as_shown() -> None:
    ports = {"REST": _free_port(), "MCP": _free_port()}
    shown = [line for line in _blocks("text")[0].splitlines() if line]
    answers = _blocks("json")[0].splitlines()

    with _running(_blocks("sh")[0].strip(), ports) as printed:
        given = [
            subprocess.run(shlex.split(call), capture_output=True, text=True, timeout=30, check=True).stdout
            for call in printed
            if call.startswith("  curl")
        ]

    as_in_readme = [line.replace(f":{ports['REST']}", ":8080").replace(f":{ports['MCP']}", ":9090") for line in printed]
    assert as_in_readme == shown
    assert given == answers


def test_the_second_command_is_the_one_that_continuous_integration_runs() -> None:
    command = _blocks("sh")[1].strip()

    assert command == "./scripts/test"
    assert re.search(r"^scripts/test\b", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_check_and_explain_excerpts_are_what_the_commands_print(tmp_path: Path) -> None:
    (tmp_path / "none.env").write_text("", encoding="utf-8")
    fairlead = str(Path(sys.executable).with_name("fairlead"))
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    checked = subprocess.run(
        [fairlead, "check", "--env-file", str(tmp_path / "none.env"), "capabilities"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    explained = subprocess.run(
        [fairlead, "explain", "capabilities"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert _blocks("text")[1] in checked.stderr
    assert _blocks("text")[2] in explained.stdout


def test_the_configuration_of_agents_starts_a_server_of_all_tools() -> None:
    shown = json.loads(_blocks("json")[1])["mcpServers"]["fairlead"]
    command = Path(sys.executable).with_name(shown["command"])
    parameters = StdioServerParameters(command=str(command), args=shown["args"], cwd=ROOT)

    async def names() -> list[str]:
        async with Client(parameters) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert len(anyio.run(names)) == 20


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
