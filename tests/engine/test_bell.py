"""Calls from other threads into a loop: all of them, in order, and many for one wake-up."""

from __future__ import annotations

import asyncio
import threading

import pytest

from speech.engine.bell import Bell


async def test_it_calls_everything_in_the_order_rung():
    bell, heard = Bell.of_this_loop(), []

    def ring():
        for number in range(1000):
            bell.ring(lambda number=number: heard.append(number))

    thread = threading.Thread(target=ring)
    thread.start()
    async with asyncio.timeout(5):
        while len(heard) < 1000:
            await asyncio.sleep(0.001)
    thread.join()
    assert heard == list(range(1000))


async def test_it_wakes_the_loop_once_for_many_calls(monkeypatch):
    loop, bell, heard = asyncio.get_running_loop(), Bell.of_this_loop(), []
    wakes = []
    wake = loop.call_soon_threadsafe
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda call: [wakes.append(call), wake(call)])
    for number in range(10):
        bell.ring(lambda number=number: heard.append(number))
    await asyncio.sleep(0)
    assert (len(wakes), heard) == (1, list(range(10)))


async def test_one_that_fails_does_not_take_the_others_with_it():
    loop, bell, heard, failures = asyncio.get_running_loop(), Bell.of_this_loop(), [], []
    loop.set_exception_handler(lambda loop, context: failures.append(context["exception"]))
    bell.ring(lambda: 1 // 0)
    bell.ring(lambda: heard.append("next"))
    await asyncio.sleep(0.01)
    assert heard == ["next"]
    assert [type(error) for error in failures] == [ZeroDivisionError]


async def test_what_a_call_rings_is_called_as_well():
    bell, heard = Bell.of_this_loop(), []
    bell.ring(lambda: bell.ring(lambda: heard.append("inner")))
    await asyncio.sleep(0.01)
    assert heard == ["inner"]


@pytest.mark.parametrize("calls", [1, 3])
def test_a_loop_that_is_closed_hears_nothing(calls):
    loop = asyncio.new_event_loop()
    bell = Bell(loop)
    loop.close()
    for _ in range(calls):
        bell.ring(lambda: pytest.fail("nobody is left to call this"))


async def test_a_loop_has_one_bell_and_another_loop_another():
    bell = Bell.of_this_loop()
    assert Bell.of_this_loop() is bell

    async def other():
        return Bell.of_this_loop()

    assert await asyncio.to_thread(asyncio.run, other()) is not bell
