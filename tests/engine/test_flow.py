"""Credit never runs out for a reader that reads, nor over the budget for those that do not."""

from __future__ import annotations

import random

import pytest

from speech.engine.hosts.flow import Budget


def test_it_grants_a_whole_window_at_first_and_more_as_audio_is_taken():
    flow = Budget(10_000).open(1000)
    assert flow.grant() == 1000
    flow.receive(100)
    flow.take(100)
    assert flow.grant() == 0  # small amounts are saved up
    flow.receive(200)
    flow.take(200)
    assert flow.grant() == 300


def test_it_grants_nothing_to_a_stream_whose_reader_takes_nothing():
    flow = Budget(10_000).open(1000)
    flow.grant()
    flow.receive(1100)
    assert flow.grant() == 0


def test_it_never_charges_more_than_the_budget_but_for_one_sample_each():
    budget = Budget(2500)
    grants = [budget.open(1000).grant() for _ in range(10)]
    assert grants == [1000, 1000, 500] + [1] * 7
    assert budget.charged == 2507


def test_it_lets_a_stream_go_on_chunk_by_chunk_when_others_hold_the_budget():
    budget = Budget(1000)
    budget.open(1000).grant()
    flow = budget.open(1000)
    for _ in range(50):
        assert flow.grant() >= 1
        flow.receive(160)
        assert flow.grant() == 0
        flow.take(160)
    assert budget.charged < 1000 + 161


def test_it_gives_streams_their_window_back_when_the_budget_is_free_again():
    budget = Budget(1000)
    hog = budget.open(1000)
    hog.grant()
    flow = budget.open(400)
    assert flow.grant() == 1
    hog.abandon()
    flow.receive(160)
    flow.take(160)
    assert flow.grant() == 559
    assert budget.charged == 400


def test_it_shares_the_budget_equally_among_streams_that_are_read():
    budget = Budget(1000)
    first = budget.open(1000)
    assert first.grant() == 1000
    others = [budget.open(1000) for _ in range(9)]
    assert [flow.grant() for flow in others] == [1] * 9
    first.receive(1000)
    first.take(1000)
    assert first.grant() == 100
    for flow in others:
        flow.receive(1)
        flow.take(1)
        assert flow.grant() == 100
    assert budget.charged == 1000


def test_a_stream_that_is_over_leaves_its_share_to_the_others():
    budget = Budget(1000)
    gone = [budget.open(1000) for _ in range(9)]
    flow = budget.open(1000)
    assert flow.grant() == 100
    for number, other in enumerate(gone):
        other.end() if number % 2 else other.abandon()
        other.abandon()
    assert flow.grant() == 900


def test_it_keeps_what_waits_for_the_reader_charged_after_the_end():
    budget = Budget(10_000)
    flow = budget.open(1000)
    flow.grant()
    flow.receive(300)
    flow.end()
    flow.end()
    assert (budget.charged, flow.grant()) == (300, 0)
    flow.take(300)
    assert budget.charged == 0


@pytest.mark.parametrize("seed", range(20))
def test_it_charges_nothing_once_every_stream_is_over(seed):
    chance = random.Random(seed)
    budget = Budget(5000)
    flows = [[budget.open(chance.choice([100, 1000])), 0] for _ in range(30)]
    for _ in range(2000):
        flow, waiting = account = chance.choice(flows)
        match chance.randrange(8):
            case 0 | 1:
                flow.grant()
            case 2 | 3 | 4 if not flow._ended:
                account[1] += 160
                flow.receive(160)
            case 5 | 6 if waiting:
                account[1] -= 160
                flow.take(160)
            case 7 if chance.random() < 0.01:
                flow.end()
    for flow, waiting in flows:
        if chance.random() < 0.5:
            flow.abandon()
            flow.take(waiting)
        else:
            flow.end()
            flow.take(waiting)
            flow.abandon()
    assert budget.charged == 0


def test_it_knows_for_how_long_a_reader_has_left_audio_waiting():
    flow = Budget(1000).open(1000)
    assert flow.parked == 0
    flow.receive(10)
    first = flow.parked
    assert 0 <= first <= flow.parked
    flow.take(10)
    assert flow.parked == 0


def test_audio_that_is_made_ahead_is_not_parked_until_somebody_is_to_take_it():
    flow = Budget(10_000).open(1000)
    flow.wait_for_turn()
    flow.receive(100)
    assert flow.parked == 0
    flow.listen()
    assert 0 < flow.parked < 1
