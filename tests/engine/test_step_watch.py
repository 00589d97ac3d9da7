"""A step may take ten times as long as the slowest before it, and never less than the floor."""

from __future__ import annotations

from speech.engine.hosts.protocol import Beat
from speech.engine.hosts.supervisor import StepWatch
from speech.engine.types import EngineState, EngineStats

STATS = EngineStats(EngineState.READY)


def beat(started, age):
    return Beat(STATS, (started or 0.0) + age, started)


def test_it_lets_a_step_take_as_long_as_the_floor():
    watch = StepWatch(20.0)
    assert not watch.overdue(beat(None, 0.0))
    assert not watch.overdue(beat(100.0, 19.9))
    assert watch.overdue(beat(100.0, 20.1))


def test_it_does_not_add_up_steps_that_follow_each_other():
    watch = StepWatch(1.0)
    assert not any(watch.overdue(beat(float(step), 0.9)) for step in range(100))


def test_it_is_patient_with_an_engine_whose_steps_are_slow():
    watch = StepWatch(1.0)
    assert not watch.overdue(beat(10.0, 0.9))
    assert not watch.overdue(beat(20.0, 8.9))
    assert watch.overdue(beat(20.0, 9.1))


def test_it_forgets_a_slow_step_after_a_thousand_others():
    watch = StepWatch(1.0)
    watch.overdue(beat(1.0, 0.9))
    for step in range(2, 1003):
        watch.overdue(beat(float(step), 0.01))
    assert watch.overdue(beat(5000.0, 1.1))


def test_it_sees_no_step_in_an_engine_that_rests():
    watch = StepWatch(1.0)
    watch.overdue(beat(1.0, 0.5))
    assert not watch.overdue(Beat(STATS, 500.0, None))
