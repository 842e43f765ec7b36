"""The log of the process, read and followed at a control adapter, and its level."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.types import ASGIApp, Message

from fairlead.exposes.logs import LogStream
from fairlead.log_lines import MAX_LENGTH, MAX_LINES, LogLines
from serving.process import free_port, serving
from serving.test_control import operator
from serving.world import Upstream, World, world

pytestmark = pytest.mark.anyio

log = logging.getLogger("fairlead")
TEXT = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: rest
    namespace: r
    resources: [{path: /hello, operations: [{method: GET, outputParameters: [{name: a, type: string, value: b}]}]}]
  - {type: control, port: PORT, management: {logs: LOGS}}
"""


def controlled(logs: str, port: int = 9091) -> str:
    return TEXT.replace("LOGS", logs).replace("PORT", str(port))


@pytest.fixture(autouse=True)
def informed() -> Iterator[None]:
    """The level with which the gateway starts."""
    root = logging.getLogger()
    before = root.level
    root.setLevel("INFO")
    yield
    root.setLevel(before)


async def told(one: World) -> Any:
    async with operator(one) as client:
        return (await client.get("/logs")).json()


async def test_the_newest_lines_are_told_with_time_level_and_traceback() -> None:
    async with world(controlled("true"), upstream=Upstream()) as one:
        log.debug("not at this level")
        log.info("reloaded %d files", 3)
        try:
            raise ValueError("odd")  # noqa: TRY301 its traceback is wanted
        except ValueError:
            logging.getLogger("other").exception("failed")
        answer = await told(one)

    first, second = answer["lines"]
    assert answer["level"] == "info"
    assert {**first, "time": ""} == {
        "time": "",
        "level": "info",
        "logger": "fairlead",
        "message": "reloaded 3 files",
    }
    assert first["time"].endswith("+00:00")
    assert (second["level"], second["logger"]) == ("error", "other")
    assert second["message"].startswith("failed\nTraceback ")
    assert second["message"].endswith("ValueError: odd")


async def test_so_many_lines_are_kept_and_no_more_of_each_than_a_reader_wants() -> None:
    async with world(controlled("true"), upstream=Upstream()) as one:
        for number in range(MAX_LINES + 5):
            log.info("%d %s", number, "x" * MAX_LENGTH)
        lines = (await told(one))["lines"]

    assert len(lines) == MAX_LINES
    assert (lines[0]["message"][:4], len(lines[0]["message"])) == ("5 xx", MAX_LENGTH)


async def test_nothing_is_kept_without_it_nor_after_it() -> None:
    before = list(logging.getLogger().handlers)
    async with world(controlled("false"), upstream=Upstream()) as one, operator(one) as client:
        without = logging.getLogger().handlers == before
        missing = (await client.get("/logs")).status_code
    async with world(controlled("true"), upstream=Upstream()):
        during = len(logging.getLogger().handlers) - len(before)

    assert (without, missing, during) == (True, 404, 1)
    assert logging.getLogger().handlers == before


async def test_the_level_is_changed_by_put() -> None:
    async with world(controlled("{level-control: true}"), upstream=Upstream()) as one, operator(one) as client:
        changed = await client.put("/logs", json={"level": "debug"})
        log.debug("now it is")
        lines = (await told(one))["lines"]
        wrong = [await client.put("/logs", json=body) for body in ({"level": "loud"}, {"level": "info", "to": 1}, {})]

    assert (changed.status_code, changed.json()["level"]) == (200, "debug")
    assert [line["message"] for line in lines] == ["now it is"]
    assert [answer.json()["detail"] for answer in wrong] == [
        "argument 'level' must be one of debug, info, warning, error",
        "argument 'to' is unknown; only 'level' can be changed",
        "argument 'level' must be one of debug, info, warning, error",
    ]


async def test_the_level_stays_where_it_is_not_to_be_controlled() -> None:
    async with world(controlled("{level-control: false}"), upstream=Upstream()) as one, operator(one) as client:
        answer = await client.put("/logs", json={"level": "debug"})
        stream = await client.get("/logs/stream")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["detail"] == "the level of the log cannot be changed: `level-control` is off"
    assert logging.getLogger().level == logging.INFO
    assert stream.status_code == 404


class Reader:
    """Somebody who follows the log, until he hangs up."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.came = anyio.Event()
        self.gone = anyio.Event()

    async def follow(self, app: ASGIApp, method: str = "GET") -> None:
        await app({"type": "http", "method": method, "path": "/logs/stream", "headers": []}, self._receive, self._send)

    async def until(self, text: str) -> None:
        while text not in self.text:
            await self.came.wait()

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.messages.append(message)
        self.came.set()
        self.came = anyio.Event()


async def test_those_who_follow_hear_what_was_and_what_comes_from_any_thread() -> None:
    lines, reader = LogLines(), Reader()
    with anyio.fail_after(10), lines.kept():
        log.info("before\ndata: forged")
        async with anyio.create_task_group() as group:
            group.start_soon(reader.follow, LogStream(lines, 1))
            await reader.until("before")
            thread = threading.Thread(target=log.warning, args=("from a thread",))
            thread.start()
            await reader.until("from a thread")
            thread.join()
            reader.gone.set()

    events = [json.loads(event.removeprefix("data: ")) for event in reader.text.split("\n\n") if event]
    assert [event["message"] for event in events] == ["before\ndata: forged", "from a thread"]
    assert dict(reader.messages[0]["headers"])[b"content-type"] == b"text/event-stream"
    assert lines.followers == 0


async def test_so_many_follow_and_one_more_does_when_another_has_gone() -> None:
    lines, first, second = LogLines(), Reader(), Reader()
    stream = LogStream(lines, 1)
    with anyio.fail_after(10), lines.kept():
        log.info("a line")
        async with anyio.create_task_group() as group:
            group.start_soon(first.follow, stream)
            await first.until("a line")
            with pytest.raises(Exception, match="1 follow the log already, as many as `max-subscribers` allows"):
                await second.follow(stream)
            await second.follow(stream, "HEAD")
            first.gone.set()
        async with anyio.create_task_group() as group:
            group.start_soon(second.follow, stream)
            await second.until("a line")
            lines.end()

    assert second.messages[-1] == {"type": "http.response.body", "body": b""}
    assert lines.followers == 0


async def test_whoever_does_not_listen_misses_the_oldest_lines_alone() -> None:
    lines = LogLines()
    with anyio.fail_after(10), lines.kept():
        followed = lines.followed()
        assert await anext(followed) == []
        for number in range(MAX_LINES + 5):
            log.info("line %d", number)
        await anyio.lowlevel.checkpoint()
        heard = await anext(followed)
        await followed.aclose()

    assert [heard[0]["message"], heard[-1]["message"], len(heard)] == ["line 5", f"line {MAX_LINES + 4}", MAX_LINES]


def test_a_process_tells_its_log_while_it_runs_and_stops_without_waiting_for_its_readers(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "logs.yaml"
    file.write_text(controlled("{stream: true}", port))
    with serving(file, "--access-log", cwd=tmp_path) as served, httpx.Client(timeout=10) as client:
        httpx.get(f"{served.rest}/health/live?key=secret")
        with client.stream("GET", f"http://127.0.0.1:{port}/logs/stream") as stream:
            text = stream.iter_lines()
            heard = [json.loads(line.removeprefix("data: ")) for line in [next(text)]]
            served.process.terminate()
            rest = [*text]
        ended = served.process.wait(10)

    assert heard[0]["logger"] == "uvicorn.access"
    assert "GET /health/live HTTP/1.1" in heard[0]["message"]
    assert "secret" not in "".join([heard[0]["message"], *rest])
    assert ended == 0
