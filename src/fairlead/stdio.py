"""MCP over standard input and output, for agents that start their servers as processes of their own."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from typing import Any, BinaryIO, cast

import anyio
from anyio.from_thread import BlockingPortal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.stdio import stdio_server

from fairlead.exposes.tools import McpEndpoint

STDIN = 0
log = logging.getLogger("fairlead")


async def speak(endpoint: McpEndpoint, longest: int) -> None:
    """Speaks with the process that started this one, until it has nothing more to say, is gone, or sends a signal.

    Lines of more than `longest` bytes are passed over.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, tasks.cancel_scope)
        await _converse(endpoint, longest)
        tasks.cancel_scope.cancel()


async def _converse(endpoint: McpEndpoint, longest: int) -> None:
    try:
        async with _incoming(longest) as lines, stdio_server(stdin=cast("Any", lines)) as (read, write):
            await endpoint.converse(read, write)
    except* BrokenPipeError:
        log.info("nobody reads the answers any more")


async def _end_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


@asynccontextmanager
async def _incoming(longest: int) -> AsyncIterator[MemoryObjectReceiveStream[str]]:
    """The lines of standard input, read by a thread that nothing has to wait for: a read cannot be called off."""
    send, receive = anyio.create_memory_object_stream[str](0)
    lines = _bounded(os.fdopen(os.dup(STDIN), "rb"), longest)  # never closed: that would wait for the thread
    async with BlockingPortal() as portal, receive:
        threading.Thread(target=_hand_on, args=(lines, portal, send), daemon=True).start()
        yield receive


def _hand_on(lines: Iterable[str], portal: BlockingPortal, send: MemoryObjectSendStream[str]) -> None:
    """Sends lines until they end, or nobody wants them any more."""
    with suppress(anyio.BrokenResourceError, CancelledError, RuntimeError):
        for line in lines:
            portal.call(send.send, line)
        portal.call(send.aclose)


def _bounded(file: BinaryIO, longest: int) -> Iterator[str]:
    """The lines of a file that are not too long, without those that are blank."""
    while line := file.readline(longest + 1):
        if len(line) > longest and not line.endswith(b"\n"):
            log.warning("a line of more than %d bytes is passed over", longest)
            while line and not line.endswith(b"\n"):
                line = file.readline(longest)
        elif not line.isspace():
            yield line.decode("utf-8", "replace")
