"""The worker's one thread: orders in order, and what is due at a time."""

from __future__ import annotations

import threading
import time

import pytest

from speech.engine.worker import Worker
from tests.engine.waiting import eventually


@pytest.fixture
def worker():
    worker = Worker("test")
    worker.start(last=lambda: None)
    yield worker
    worker.stop(2)


def test_it_does_what_it_is_told_in_order_on_one_thread(worker):
    done = []
    for number in range(100):
        worker.do(lambda number=number: done.append((number, threading.get_ident())))
    eventually(lambda: len(done) == 100)
    assert [number for number, _ in done] == list(range(100))
    assert len({thread for _, thread in done}) == 1


def test_it_does_things_at_their_time_whatever_the_order_they_were_told_in(worker):
    done = []
    began = time.monotonic()

    def plan():
        for delay in (0.06, 0.02, 0.04):
            worker.at(began + delay, lambda delay=delay: done.append(delay))

    worker.do(plan)
    eventually(lambda: len(done) == 3)
    assert done == [0.02, 0.04, 0.06]
    assert time.monotonic() - began >= 0.06


def test_it_does_what_it_is_told_while_it_waits_for_a_time(worker):
    done = []
    worker.do(lambda: worker.at(time.monotonic() + 60, lambda: done.append("late")))
    worker.do(lambda: done.append("now"))
    assert eventually(lambda: done == ["now"]) < 1


def test_it_does_its_last_when_it_stops():
    done = []
    worker = Worker("test")
    worker.start(last=lambda: done.append("last"))
    worker.stop(2)
    worker.stop(2)
    assert done == ["last"]
    assert not worker.is_started
    worker.do(lambda: done.append("left over"))
    worker.empty()
    assert done == ["last", "left over"]
