"""Several processes that serve the same sockets, and the one that keeps them running.

The supervisor loads and binds, then forks; it has no event loop, no threads and no connections of its own. A worker
that ends is started again, later and later if it keeps ending; one that ends before it ever answered stops everything,
for it would only do so again. SIGTERM and SIGINT go on to all workers, which finish what runs; a second one cuts, and
a worker that then still runs when its time is over is killed.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from fairlead.errors import StartError

log = logging.getLogger("fairlead")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_LONGEST_WAIT: Final = 30.0
"""Seconds before a worker that keeps ending is started again, at most."""
_TO_END: Final = 3.0
"""Seconds for a worker to end when running calls have no more time."""
_MAX_REASON: Final = 512
"""Bytes of a reason: so few that a pipe takes them whole, whoever else writes."""


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
    """Runs workers until a signal; `on_up` is called once, when all of them answer.

    The sockets are closed here too as soon as it stops, for callers to be refused at once instead of kept waiting.
    """

    workers: int
    work: Work
    board: Board
    on_up: Callable[[], None]
    sockets: Sequence[socket.socket]
    grace: float
    _crew: list[_Worker] = field(default_factory=list)
    _told: bool = False
    _stopping: bool = False
    _latest: float = math.inf
    """When a worker that still runs is killed."""
    _failure: str = ""

    def run(self) -> None:
        """Returns when all workers have ended after a signal.

        Raises:
            StartError: A worker ended before it ever answered.
        """
        self._alive, self._held = os.pipe()
        self._reasons, self._giving = os.pipe()
        os.set_blocking(self._reasons, False)
        self._crew = [_Worker(number) for number in range(self.workers)]
        with _Signals() as signals:
            while not self._stopping or any(worker.pid for worker in self._crew):
                self._start_those_due()
                for signum in signals.wait(1.0 if self._told else 0.05):
                    if signum in _SIGNALS:
                        self._stop()
                    elif signum == signal.SIGHUP:
                        self._send(signal.SIGHUP)
                self._reap()
                self._tell_once()
                self._kill_those_late()
        if self._failure:
            raise StartError(self._failure)

    def _start_those_due(self) -> None:
        for worker in self._crew:
            if not self._stopping and not worker.pid and time.monotonic() >= worker.due:
                worker.started = time.monotonic()
                worker.pid = self._fork(worker.number)

    def _fork(self, number: int) -> int:
        """A new worker's process; signals wait until it has put off the supervisor's ways with them."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return os.fork() or self._become(number)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _become(self, number: int) -> int:
        """Does the work of a worker in its own process, and never returns."""
        code = 1
        try:
            os.setpgid(0, 0)  # a key on the terminal is for the supervisor, which passes it on
            signal.set_wakeup_fd(-1)
            for signum in (*_SIGNALS, signal.SIGCHLD):
                signal.signal(signum, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it serves
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._held)
            threading.Thread(target=_end_with, args=(self._alive,), daemon=True).start()
            self.work(number)
            code = 0
        except StartError as error:
            os.write(self._giving, str(error).encode()[: _MAX_REASON - 1] + b"\0")
        except BaseException:
            log.exception("worker %d failed", number + 1)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _stop(self) -> None:
        """Asks all workers to end: the first time when nothing runs any more, then at once."""
        self._latest = time.monotonic() + _TO_END + (0 if self._stopping else self.grace)
        self._stopping = True
        for sock in self.sockets:
            sock.close()
        self._send(signal.SIGTERM)

    def _kill_those_late(self) -> None:
        if time.monotonic() >= self._latest:
            self._send(signal.SIGKILL)

    def _send(self, signum: signal.Signals) -> None:
        for worker in self._crew:
            if worker.pid:
                os.kill(worker.pid, signum)

    def _tell_once(self) -> None:
        if not self._told and not self._stopping and self.board.is_full():
            self._told = True
            self.on_up()

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
        reason = self._reason()
        ending = f"worker {worker.number + 1} ended with code {code}"
        if not worker.answered:
            self._failure = reason or f"{ending} before it answered"
            self._stop()
            return
        lived = time.monotonic() - worker.started
        worker.wait = 0.5 if lived > 2 * _LONGEST_WAIT else min(2 * worker.wait, _LONGEST_WAIT)
        worker.due = time.monotonic() + worker.wait
        log.error("%s; starting it again in %.1f s", f"{ending}: {reason}" if reason else ending, worker.wait)

    def _reason(self) -> str:
        """Why a worker could not start, as the first of those that ended says."""
        try:
            return os.read(self._reasons, _MAX_REASON * self.workers).partition(b"\0")[0].decode(errors="replace")
        except BlockingIOError:
            return ""


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
        heard = (*_SIGNALS, signal.SIGCHLD, signal.SIGHUP)
        handlers = {signum: signal.signal(signum, lambda *_: None) for signum in heard}
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
