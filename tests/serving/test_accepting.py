"""Callers who come at once are let in at once, and none of several processes ever waits for one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import ExitStack

import pytest
import uvloop
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fairlead.runtime import Served
from fairlead.server import ACCEPTED_AT_ONCE, bind, serve
from fairlead.settings import Settings

CALLERS = 8 * ACCEPTED_AT_ONCE


class Turns:
    """Counts the turns of the event loop, and notes the one in which each request comes."""

    def __init__(self) -> None:
        self.number = 0
        self.came: list[int] = []

    def count(self) -> None:
        self.number += 1
        if len(self.came) < CALLERS:
            asyncio.get_running_loop().call_soon(self.count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.came.append(self.number)
        await Response(status_code=204)(scope, receive, send)
        if len(self.came) == CALLERS:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("workers", [1, 4])
def test_who_comes_while_the_loop_is_busy_waits_for_few_of_its_turns(workers: int) -> None:
    turns = Turns()
    (sock,) = bind("127.0.0.1", [0])
    address = sock.getsockname()
    with ExitStack() as open_ones:
        for _ in range(CALLERS):
            caller = open_ones.enter_context(socket.create_connection(address))
            caller.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        served = Served(address[1], turns, ())
        uvloop.run(serve([served], [sock], Settings(workers=workers), turns.count))

    assert turns.came[-1] - turns.came[0] <= CALLERS * workers / ACCEPTED_AT_ONCE + 3


def test_no_duplicate_of_a_socket_makes_another_process_wait_to_accept() -> None:
    (sock,) = bind("127.0.0.1", [0])
    with sock, sock.dup():
        assert not os.get_blocking(sock.fileno())
