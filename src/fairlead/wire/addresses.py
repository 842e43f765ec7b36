"""From a name to a socket: the first of its addresses that takes a connection, a silent one holding up nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any, Final

HEAD_START: Final = 0.25
"""Seconds that an address has to itself before the next one is tried as well (RFC 8305)."""

Address = tuple[int, Any]
"""A family, and what its sockets connect to."""


async def connected(host: str, port: int) -> socket.socket:
    """A socket to the host; raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await first(in_turns([(family, address) for family, _, _, _, address in found]))


def in_turns(addresses: Sequence[Address]) -> list[Address]:
    """The addresses with their families taking turns, so that a family without a way costs one head start."""
    preferred = [one for one in addresses if one[0] == addresses[0][0]]
    others = [one for one in addresses if one[0] != addresses[0][0]]
    return [one for one in chain.from_iterable(zip_longest(preferred, others)) if one]


async def first(addresses: Sequence[Address]) -> socket.socket:
    """A socket to the first address that takes it; the next is tried when one fails, or has had its head start."""
    started: list[asyncio.Task[socket.socket]] = []
    failed: BaseException = OSError("the name has no address")
    try:
        while len(started) < len(addresses) or not all(task.done() for task in started):
            if len(started) < len(addresses):
                started.append(asyncio.create_task(_connected(*addresses[len(started)])))
            alone = HEAD_START if len(started) < len(addresses) else None
            running = [task for task in started if not task.done()]
            done, _ = await asyncio.wait(running, timeout=alone, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    started.remove(task)
                    return task.result()
                failed = error
    finally:
        for task in started:
            task.cancel()
            task.add_done_callback(_discard)
    raise failed


async def _connected(family: int, address: Any) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(one, address)
    except BaseException:
        one.close()
        raise
    return one


def _discard(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and not task.exception():
        task.result().close()
