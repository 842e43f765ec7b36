"""Serving applications on sockets: bind all, start all, stop gracefully on SIGTERM or SIGINT."""

from __future__ import annotations

import errno
import logging
import math
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus

from fairlead.errors import LoadError, StartError
from fairlead.exposes.pages import LIVE
from fairlead.protocol import Protocol
from fairlead.runtime import Served
from fairlead.settings import Settings, local_url
from fairlead.upstream import answers

log = logging.getLogger("fairlead")
KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that a server's close seldom meets a request."""

ACCEPTED_AT_ONCE = 16
"""How many connections all workers take in one turn of their loops: uvloop takes one for each socket that listens.

With one, whoever comes while many others are served waits for seconds.
"""

TICKS_A_SECOND = 10
"""How often uvicorn looks around."""


class _WithoutQuery(logging.Filter):
    """Leaves the query out of the access log, for it may hold the API key of a caller."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, target, *rest = record.args
            record.args = (client, method, str(target).partition("?")[0], *rest)
        return True


logging.getLogger("uvicorn.access").addFilter(_WithoutQuery())


class _Server(uvicorn.Server):
    """A server that tells when it has started and leaves signals to `serve`."""

    def __init__(self, served: Served, settings: Settings) -> None:
        super().__init__(_config(served, settings))
        self.served = served
        self.up = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in [*self.server_state.connections]:
            if isinstance(connection, Protocol):
                connection.give_up()

    async def on_tick(self, counter: int) -> bool:
        """Looks at all connections once a second: cheaper than a timer for each."""
        if counter % TICKS_A_SECOND == 0:
            for connection in [*self.server_state.connections]:
                if isinstance(connection, Protocol):
                    connection.close_if_idle()
        return await super().on_tick(counter)

    def hand_to(self, served: Served) -> None:
        """Has another application answer from now on, on the connections that are open too."""
        self.served = served
        self.config.loaded_app = served.app
        for connection in self.server_state.connections:
            if isinstance(connection, Protocol):
                connection.hand_to(served.app)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """A listening socket for each port; raises `StartError` that names the first that is taken."""
    sockets: list[socket.socket] = []
    for port in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            sock = socket.create_server((host, port), family=family, backlog=2048)
            sock.setblocking(False)  # as its duplicates are then, in all processes at once: none ever waits to accept
            sockets.append(sock)
        except OSError as error:
            for open_one in sockets:
                open_one.close()
            raise StartError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    return sockets


def _reason(error: OSError) -> str:
    text = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)
    return f"{text}; choose others with --rest-port and --mcp-port" if error.errno == errno.EADDRINUSE else text


Again = Callable[[], Awaitable[Sequence[Served]]]
"""Makes the applications anew, on the same ports; raises `LoadError` or `StartError` where that cannot be."""


async def serve(
    served: Sequence[Served],
    sockets: Sequence[socket.socket],
    settings: Settings,
    on_up: Callable[[], None],
    again: Again | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; then accepts no more, finishes what runs, and returns. A second signal cuts.

    On SIGHUP the applications are made anew: new requests go to them, those that run are finished by the old ones.
    """
    async with anyio.create_task_group() as watching:
        current = await watching.start(_Generation(served).live, settings.grace)
        servers = [_Server(one, settings) for one in served]
        watching.start_soon(_stop_on_signal, servers)
        if again and hasattr(signal, "SIGHUP"):
            watching.start_soon(_replace_on_signal, servers, current, settings.grace, again, watching)
        async with anyio.create_task_group() as serving:
            for server, sock in zip(servers, sockets, strict=True):
                more = range(1, ACCEPTED_AT_ONCE // settings.workers)
                serving.start_soon(server.serve, [sock, *(sock.dup() for _ in more)])
            for server in servers:
                await server.up.wait()
            on_up()
        watching.cancel_scope.cancel()


class _Generation:
    """Applications that live until others have taken their place, and what they still do is done."""

    def __init__(self, served: Sequence[Served]) -> None:
        self.served = served
        self.retired = anyio.Event()

    async def live(self, grace: float, *, task_status: TaskStatus[_Generation]) -> None:
        async with AsyncExitStack() as stack:
            for one in self.served:
                await stack.enter_async_context(one.running())
            task_status.started(self)
            await self.retired.wait()
            await anyio.sleep(grace)


async def _replace_on_signal(
    servers: Sequence[_Server], current: _Generation, grace: float, again: Again, tasks: TaskGroup
) -> None:
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            try:
                following = _Generation(await again())
            except (LoadError, StartError) as error:
                reason = str(error)
                log.error("not reloaded, what was loaded before is still served: %s", reason)  # noqa: TRY400
                continue
            await tasks.start(following.live, grace)
            for server, one in zip(servers, following.served, strict=True):
                server.hand_to(one)
            current.retired.set()
            current = following
            log.info("reloaded")


async def _stop_on_signal(servers: Sequence[_Server]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            for server in servers:
                server.force_exit = server.should_exit
                server.should_exit = True
                server.served.stop()


def _config(served: Served, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        served.app,
        http=Protocol,
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=settings.access_log,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.grace),
    )


def readiness(host: str, ports: Sequence[int]) -> Callable[[], Awaitable[dict[str, bool]]]:
    """What `/health/ready` asks: one real request to every port."""

    async def ask() -> dict[str, bool]:
        answered: dict[str, bool] = {}
        for port in ports:
            answered[str(port)] = await answers(f"{local_url(host, port)}{LIVE}")
        return answered

    return ask
