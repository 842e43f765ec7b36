"""Several processes that serve the same sockets, and the one that keeps them running.

The supervisor loads and binds, then forks; it has no event loop, no threads and no connections of its own. A worker
that ends is started again, later and later if it keeps ending; one that ends before it ever answered stops everything,
for it would only do so again. SIGTERM and SIGINT go on to all workers, which finish what runs; a second one cuts.
"""

from __future__ import annotations

import logging
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from fairlead.errors import StartError
from fairlead.terminal import say

log = logging.getLogger("fairlead")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_LONGEST_WAIT: Final = 30.0
"""Seconds before a worker that keeps ending is started again, at most."""


class Board:
    """Which workers answer, as all processes see it."""

    def __init__(self, workers: int) -> None:
        self._answers = mmap.mmap(-1, workers)

    def set(self, number: int, *, answers: bool) -> None:
        self._answers[number] = int(answers)

    def is_set(self, number: int) -> bool:
        return self._answers[number] == 1

    def is_full(self) -> bool:
        """Whether every worker answers."""
        return 0 not in self._answers[:]


Work = Callable[[int], None]
"""What a worker does with its number, until a signal."""


@dataclass
class _Worker:
    """One place among the workers, and the process that fills it."""

    number: int
    pid: int = 0
    started: float = 0.0
    answered: bool = False
    due: float = 0.0
    wait: float = 0.5


@dataclass
class Supervisor:
    """Runs workers until a signal; `on_up` is called once, when all of them answer."""

    workers: int
    work: Work
    board: Board
    on_up: Callable[[], None]
    _crew: list[_Worker] = field(default_factory=list)
    _stopping: bool = False

    def run(self) -> None:
        """Returns when all workers have ended after a signal.

        Raises:
            StartError: A worker ended before it ever answered.
        """
        self._alive, self._held = os.pipe()
        told = False
        self._crew = [_Worker(number) for number in range(self.workers)]
        with _Signals() as signals:
            while not self._stopping or any(worker.pid for worker in self._crew):
                self._start_those_due()
                for signum in signals.wait(0.05 if not told else 1.0):
                    if signum in _SIGNALS:
                        self._pass_on()
                self._reap()
                if not told and not self._stopping and self.board.is_full():
                    told = True
                    self.on_up()

    def _start_those_due(self) -> None:
        for worker in self._crew:
            if not self._stopping and not worker.pid and time.monotonic() >= worker.due:
                worker.started, worker.answered = time.monotonic(), False
                worker.pid = os.fork() or self._become(worker.number)

    def _become(self, number: int) -> int:
        """Does the work of a worker in its own process, and never returns."""
        code = 1
        try:
            os.setpgid(0, 0)  # a key on the terminal is for the supervisor, which passes it on
            signal.set_wakeup_fd(-1)
            for signum in (*_SIGNALS, signal.SIGCHLD):
                signal.signal(signum, signal.SIG_DFL)
            os.close(self._held)
            threading.Thread(target=_end_with, args=(self._alive,), daemon=True).start()
            self.work(number)
            code = 0
        except StartError as error:
            say(f"Error: {error}", err=True)
        except BaseException:
            log.exception("worker %d failed", number + 1)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _pass_on(self) -> None:
        self._stopping = True
        for worker in self._crew:
            if worker.pid:
                os.kill(worker.pid, signal.SIGTERM)

    def _reap(self) -> None:
        for worker in self._crew:
            worker.answered = worker.answered or self.board.is_set(worker.number)
            ended, status = os.waitpid(worker.pid, os.WNOHANG) if worker.pid else (0, 0)
            if ended:
                worker.pid = 0
                self.board.set(worker.number, answers=False)
                if not self._stopping:
                    self._replace(worker, os.waitstatus_to_exitcode(status))

    def _replace(self, worker: _Worker, code: int) -> None:
        if not worker.answered:
            self._pass_on()
            for other in self._crew:
                if other.pid:
                    os.waitpid(other.pid, 0)
            raise StartError(f"worker {worker.number + 1} ended with code {code} before it answered")
        lived = time.monotonic() - worker.started
        worker.wait = 0.5 if lived > 2 * _LONGEST_WAIT else min(2 * worker.wait, _LONGEST_WAIT)
        worker.due = time.monotonic() + worker.wait
        log.error("worker %d ended with code %d; starting it again in %.1f s", worker.number + 1, code, worker.wait)


def _end_with(alive: int) -> None:
    """Ends this process gently when the other end of the pipe is gone, and with it the supervisor."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class _Signals:
    """Signals as bytes that can be waited for; portable, unlike waiting for signals themselves."""

    def __enter__(self) -> Self:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._receiver.setblocking(False)
        handlers = {signum: signal.signal(signum, lambda *_: None) for signum in (*_SIGNALS, signal.SIGCHLD)}
        self._before = handlers, signal.set_wakeup_fd(self._sender.fileno())
        return self

    def wait(self, seconds: float) -> bytes:
        """The signals that came, at the latest after that time."""
        ready, _, _ = select.select([self._receiver], [], [], seconds)
        return self._receiver.recv(64) if ready else b""

    def __exit__(self, *_: object) -> None:
        handlers, descriptor = self._before
        signal.set_wakeup_fd(descriptor)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        self._receiver.close()
        self._sender.close()
