"""Calls of tools: an answer for an agent, whatever happens. Nobody waits for it where it is one request upstream."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from fairlead.errors import CallError, Unforeseen
from fairlead.exposes.answers import Answer, answer, empty, failure
from fairlead.exposes.http import as_json
from fairlead.exposes.toolbox import ToolEndpoint
from fairlead.operation import NOTHING
from fairlead.relay import Caller, Relay
from fairlead.response import Arguments, Given, Whole

log = logging.getLogger("fairlead")


async def called(tool: ToolEndpoint, arguments: Arguments, *, any_json: bool) -> Answer:
    """The answer to a call; with `any_json` its structure may be any JSON, and else an object."""
    try:
        result = await tool.operation(arguments)
        return _answer(tool, arguments, await result.whole(), any_json=any_json)
    except CallError as error:
        if error.status >= 500:
            log.warning("%s: %d %s", tool, error.status, error)
        return failure(error)
    except Exception:
        log.exception("%s failed", tool)
        return failure(Unforeseen())


def relayed(
    tool: ToolEndpoint, arguments: Arguments, caller: Caller, write: Callable[[Answer], bytes], *, any_json: bool
) -> bool:
    """Whether the same answer, as it is to be written in JSON, is on its way to the caller already.

    Where it is not, or this raises, nothing has happened.
    """

    def finish(whole: Whole, given: Given) -> Whole:
        return Whole(*as_json(write(_answer(tool, arguments, whole, any_json=any_json))))

    make = partial(tool.operation.ready, forwarded=NOTHING)
    ready, head = tool.learner.request(arguments, () if tool.takes_any_text else None, make)
    given = partial(tool.operation.inputs.by_name, arguments)
    response = ready.finished(finish, always=True).begin(head, given) if ready else None
    if response:
        Relay(response, caller, tool, lambda error: as_json(write(failure(error))))
    return response is not None


def _answer(tool: ToolEndpoint, arguments: Arguments, whole: Whole, *, any_json: bool) -> Answer:
    if whole.is_success and not whole.data:
        return empty(whole, tool.of_nothing(arguments))
    return answer(whole, tool.name, any_json, is_file=tool.tool.exposed.is_binary)
