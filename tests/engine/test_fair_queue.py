"""The queue's order: groups take turns, lower priorities come first."""

from __future__ import annotations

import pytest

from speech.engine.fair_queue import FairQueue


def drain(queue):
    return [queue.take() for _ in range(len(queue))]


def test_it_serves_one_group_in_order():
    queue = FairQueue()
    for item in "abc":
        queue.add(item, 0, "one")
    assert drain(queue) == ["a", "b", "c"]


def test_it_lets_groups_take_turns():
    queue = FairQueue()
    for item in ("a1", "a2", "a3"):
        queue.add(item, 0, "a")
    queue.add("b1", 0, "b")
    queue.add("c1", 0, "c")
    queue.add("c2", 0, "c")
    assert drain(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_it_serves_lower_priorities_first():
    queue = FairQueue()
    queue.add("job", 1, "a")
    queue.add("interactive", 0, "b")
    assert drain(queue) == ["interactive", "job"]


def test_it_forgets_what_is_removed():
    queue = FairQueue()
    for item in "abc":
        queue.add(item, 0, item)
    assert queue.remove("b")
    assert not queue.remove("b")
    assert list(queue) == ["a", "c"]
    assert drain(queue) == ["a", "c"]


def test_it_says_when_it_is_empty():
    with pytest.raises(IndexError):
        FairQueue().take()
