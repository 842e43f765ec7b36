"""An upstream's answer on its way to a caller without a task: each side is called when the other has moved on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope

from fairlead.errors import CallError, Unforeseen
from fairlead.exposes.http import Written, problem, unbuffered
from fairlead.headers import Headers
from fairlead.response import Underway
from fairlead.underway import shown

log = logging.getLogger("fairlead")


class Caller(Protocol):
    """The server's side of an exchange, for whoever does not wait."""

    @property
    def body_here(self) -> bytes | None:
        """The body of his request; None where more of it has to come."""

    @property
    def is_full(self) -> bool:
        """Whether the caller has to take what was sent before he gets more."""

    def attend(self, relay: Relay | None) -> None:
        """Has the relay move when the caller takes more, and end when he hangs up; None when there is no more."""

    def begin(self, status: int, headers: Headers) -> None:
        """Sends the head of the answer."""

    def push(self, body: bytes, *, more: bool) -> None:
        """Sends a piece of the body, without `more` its last."""

    def cut(self) -> None:
        """Ends the connection, so that the caller sees that the body is not whole."""

    def wait(self) -> None:
        """Has the request answered in the ordinary way, from its beginning."""


def answer_at_once(caller: Caller, written: Written) -> None:
    """Sends a response that is here."""
    caller.begin(written.status, written.headers)
    caller.push(written.body, more=False)


Relaying = Callable[[Scope, Caller], bool]
"""Whether the answer to a request is on its way already, and nobody has to wait for it.

Where it is not, or this raises, nothing has happened, and the request is to be answered in the ordinary way.
"""


class Relay:
    """Gives a response to a caller as it comes; no more of it is held than the two connections hold."""

    __slots__ = ("_caller", "_has_begun", "_name", "_response", "_told")

    def __init__(
        self, response: Underway, caller: Caller, name: object, told: Callable[[CallError], Written] = problem
    ) -> None:
        self._response = response
        self._caller = caller
        self._name = name
        self._told = told
        self._has_begun = False
        caller.attend(self)
        response.listen(self.move)

    def move(self) -> None:
        """Goes on as far as both sides allow."""
        response, caller = self._response, self._caller
        if caller.is_full:
            return
        try:
            data = response.look()
            if data is not None:
                self._send(data)
            if not response.is_done:
                response.listen(self.move)
        except CallError as error:
            self.fail(error)
        except Exception:
            log.exception("%s failed", self._name)
            self.fail(Unforeseen())

    def fail(self, error: CallError) -> None:
        """Tells the caller that there is no answer, or no more of it."""
        self.end()
        if self._has_begun:
            log.warning("a response was cut: %s", error)
            self._caller.cut()
        elif self._response.is_stale:
            self._caller.wait()
        else:
            if error.status >= 500:
                log.warning("%s: %d %s", self._name, error.status, error)
            answer_at_once(self._caller, self._told(error))

    def _send(self, data: bytes) -> None:
        response, caller = self._response, self._caller
        if not self._has_begun:
            head = response.head
            headers = unbuffered(shown(head))
            self._has_begun = True
            caller.begin(head.status, headers)
        if not response.is_done:
            caller.push(data, more=True)
        else:
            self.end()
            caller.push(data, more=False)

    def end(self) -> None:
        """Lets go of both sides."""
        self._caller.attend(None)
        self._response.close()
