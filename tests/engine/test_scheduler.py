"""Who gets a slot, who waits, and how long the others are told to wait."""

from __future__ import annotations

from speech.engine.scheduler import Scheduler
from speech.engine.sequence import Sequence
from speech.engine.types import Priority, Utterance


def sequence(text="a", **fields):
    return Sequence(
        Utterance(text, **fields),
        lambda sequence: None,
        lambda sequence, samples: None,
        lambda sequence: None,
    )


def admitted(scheduler):
    """Everybody who gets a slot, if each has its first step at once."""
    order = []
    while (one := scheduler.admit()) is not None:
        scheduler.has_begun(one)
        order.append(one.utterance.text)
    return order


def test_it_gives_slots_until_there_are_none():
    scheduler = Scheduler(slots=2)
    for text in "abc":
        scheduler.add(sequence(text))
    assert admitted(scheduler) == ["a", "b"]
    scheduler.remove(next(iter(scheduler.running)))
    assert admitted(scheduler) == ["c"]


def test_it_lets_one_begin_at_a_time_so_that_turns_stay_fair():
    scheduler = Scheduler(slots=9)
    for text in ("a1", "a2", "a3"):
        scheduler.add(sequence(text, group="a"))
    first = scheduler.admit()
    assert scheduler.admit() is None
    scheduler.add(sequence("b", group="b"))
    scheduler.add(sequence("job", priority=Priority.JOB))
    scheduler.has_begun(first)
    assert admitted(scheduler) == ["a2", "b", "a3", "job"]


def test_a_beginner_who_leaves_makes_room_for_the_next():
    scheduler = Scheduler(slots=9)
    scheduler.add(sequence("a"))
    scheduler.add(sequence("b"))
    scheduler.remove(scheduler.admit())
    assert admitted(scheduler) == ["b"]


def test_it_forgets_who_leaves_the_queue():
    scheduler = Scheduler(slots=1)
    leaving = sequence("a")
    scheduler.add(leaving)
    scheduler.remove(leaving)
    assert admitted(scheduler) == []


def test_it_knows_the_longest():
    scheduler = Scheduler(slots=3)
    for text in ("aa", "aaaa", "a"):
        scheduler.add(sequence(text))
    admitted(scheduler)
    assert scheduler.longest().utterance.text == "aaaa"


def test_it_suggests_between_a_second_and_a_minute():
    scheduler = Scheduler(slots=1)
    assert scheduler.retry_after(10) == 1
    scheduler.add(slow := sequence())
    scheduler.admit()
    slow.admitted -= 100
    scheduler.remove(slow)
    assert 10 <= scheduler.retry_after(2) <= 60
    assert scheduler.retry_after(1000) == 60


def test_it_gives_the_lowest_free_slot():
    scheduler = Scheduler(slots=3)
    first, second, third = (sequence(text) for text in "abc")
    for one in (first, second, third):
        scheduler.add(one)
    admitted(scheduler)
    assert [one.slot for one in (first, second, third)] == [0, 1, 2]
    scheduler.remove(second)
    scheduler.remove(first)
    scheduler.add(fourth := sequence("d"))
    admitted(scheduler)
    assert fourth.slot == 0


def test_jobs_do_not_take_the_last_slots():
    scheduler = Scheduler(slots=3, interactive=1)
    for text in ("job 1", "job 2", "job 3"):
        scheduler.add(sequence(text, priority=Priority.JOB))
    assert admitted(scheduler) == ["job 1", "job 2"]
    scheduler.add(sequence("a person"))
    assert admitted(scheduler) == ["a person"]


def test_who_is_listened_to_now_goes_before_all_who_wait():
    scheduler = Scheduler(slots=1)
    ahead = sequence("ahead", ahead=True, priority=Priority.CONTINUATION)
    for one in (sequence("a"), ahead, sequence("b")):
        scheduler.add(one)
    scheduler.hurry(ahead)
    ahead.ahead = False
    assert admitted(scheduler) == ["ahead"]


def test_a_job_s_next_utterance_stays_with_the_jobs():
    scheduler = Scheduler(slots=1)
    scheduler.add(job := sequence("job", ahead=True, priority=Priority.JOB))
    scheduler.add(sequence("a person"))
    scheduler.hurry(job)
    job.ahead = False
    assert admitted(scheduler) == ["a person"]


def test_what_is_made_ahead_never_takes_the_last_slot():
    scheduler = Scheduler(slots=2)
    for text in ("ahead 1", "ahead 2"):
        scheduler.add(sequence(text, priority=Priority.JOB, ahead=True))
    assert admitted(scheduler) == ["ahead 1"]
    assert scheduler.awaited == 0
    scheduler.add(sequence("a person"))
    assert scheduler.awaited == 1
    assert admitted(scheduler) == ["a person"]
