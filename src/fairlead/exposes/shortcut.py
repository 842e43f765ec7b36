"""From a request to the response upstream where nobody has to wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.types import Scope

from fairlead.exposes.learned import Learner
from fairlead.exposes.request import Reader, passed
from fairlead.operation import Operation
from fairlead.response import Arguments, Ready, Underway


class Shortcut:
    """The operation of a route; one that takes nothing but the texts of paths is asked only until it is known."""

    def __init__(self, operation: Operation, reader: Reader) -> None:
        self._operation = operation
        self._reader = reader
        self._learner = Learner()

    def begin(self, path: Mapping[str, str], scope: Scope, body: bytes) -> Underway | None:
        """The response to a request; None where somebody has to wait for it.

        Raises `CallError` for what cannot be sent.
        """
        if self._reader.streams(scope):
            return None
        is_of_path = self._reader.is_of_path and not (body or scope["query_string"])
        make = partial(self._ready, scope=scope, body=body)
        ready, head = self._learner.request(path, passed(scope) if is_of_path else None, make)
        return ready.begin(head, partial(self._given, path, scope, body)) if ready else None

    def _ready(self, path: Mapping[str, str], scope: Scope, body: bytes) -> Ready | None:
        return self._operation.ready(*self._reader.arguments(path, scope, body))

    def _given(self, path: Mapping[str, str], scope: Scope, body: bytes) -> Arguments:
        arguments, _ = self._reader.arguments(path, scope, body)
        return self._operation.inputs.by_name(arguments)
