"""What becomes of a call when its caller hangs up, and when something else ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive

from fairlead.exposes.http import UnlessGone

pytestmark = pytest.mark.anyio


async def unless_gone(receive: Receive, work: Awaitable[None]) -> None:
    with UnlessGone({}, receive):
        await work


def hanging_up_on(event: asyncio.Event) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        await event.wait()
        return {"type": "http.disconnect"}

    return receive


async def test_work_ends_when_the_caller_hangs_up() -> None:
    begun, log = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("tidied up")

    await unless_gone(hanging_up_on(begun), work())

    task = asyncio.current_task()
    assert (log, task and task.cancelling()) == (["tidied up"], 0)


async def test_work_that_is_done_is_not_disturbed_by_a_caller_that_leaves_later() -> None:
    leaves = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)

    await unless_gone(hanging_up_on(leaves), work())
    leaves.set()
    await asyncio.sleep(0)

    assert len(asyncio.all_tasks()) <= 2


async def test_errors_of_the_work_come_out_as_they_are() -> None:
    async def work() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await unless_gone(hanging_up_on(asyncio.Event()), work())


@pytest.mark.parametrize("also_gone", [False, True])
async def test_a_call_that_is_cancelled_from_outside_stays_cancelled(also_gone: bool) -> None:
    begun, leaves = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(unless_gone(hanging_up_on(leaves), work()))
    await begun.wait()
    if also_gone:
        leaves.set()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
