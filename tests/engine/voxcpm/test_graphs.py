"""Replaying: what is padded, what is chosen, what falls back.

Capturing itself needs CUDA; here a graph runs its function again, into the same outputs.
``benchmarks/gpu_check.sh`` has real ones.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from speech.engine.voxcpm import graphs
from speech.engine.voxcpm.graphs import Captured, GraphPasses
from tests.engine.voxcpm.takes import Take, make_runner, speak

TAKES = [
    Take("One.", seed=1, patches=6),
    Take("Another one.", seed=2, timesteps=4, patches=9),
    Take("Without guidance.", seed=3, cfg=1.0, patches=5),
]


class Again:
    """In place of a graph: the same function, on the same inputs, into the same outputs."""

    def __init__(self, run, outputs):
        self.run, self.outputs, self.replays = run, outputs, 0

    def replay(self):
        self.replays += 1
        for place, value in zip(self.outputs or (), self.run() or (), strict=True):
            place.copy_(value)


class PassesOnCpu(GraphPasses):
    memory_is_short_after = None
    spoiled = False

    def _record(self, run, *inputs):
        outputs = run()
        if outputs is not None and self.spoiled:
            return Captured(Again(lambda: [o * 0.5 for o in run()], outputs), inputs, outputs)
        return Captured(Again(run, outputs), inputs, outputs)

    def _memory_is_short(self):
        return self.memory_is_short_after == len(self._advances)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(graphs, "BATCHES", (1, 2))
    monkeypatch.setattr(graphs, "TIMESTEPS", (5, 10))
    monkeypatch.setattr(graphs, "PREFILL_TOKENS", (16, 64))


def with_graphs(folder, kind=PassesOnCpu):
    runner = make_runner(folder, slots=3, max_length=300)
    passes = kind(runner.loaded.passes)
    seen = []
    with torch.inference_mode():
        passes.capture(lambda done, of: seen.append((done, of)))
    runner.loaded.passes = passes
    return runner, passes, seen


def replays(passes):
    kinds = (*passes._emits.values(), passes._advances, passes._prefills)
    return [sum(each.graph.replays for each in kind.values()) for kind in kinds]


def test_replayed_steps_say_what_eager_ones_say(small, tiny_v2):
    runner, passes, seen = with_graphs(tiny_v2)
    assert passes.notice == "" and seen[-1][0] == seen[-1][1] > 0
    before = replays(passes)
    ours = speak(runner, TAKES) + speak(runner, TAKES[2:])
    assert all(now > then for now, then in zip(replays(passes), before, strict=True))
    eager = make_runner(tiny_v2, slots=3, max_length=300)
    expected = speak(eager, TAKES) + speak(eager, TAKES[2:])
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5


def test_a_step_that_no_graph_fits_runs_all_the_same(small, tiny_v2):
    runner, _, _ = with_graphs(tiny_v2)
    take = Take("Fifteen steps.", seed=4, timesteps=15, patches=5)
    [ours] = speak(runner, [take])
    [expected] = speak(make_runner(tiny_v2, slots=3, max_length=300), [take])
    assert np.abs(ours - expected).max() < 1e-5


def test_a_graph_that_does_something_else_is_not_used(small, tiny_v2):
    runner, passes, _ = with_graphs(tiny_v2, type("Spoiled", (PassesOnCpu,), {"spoiled": True}))
    assert "not faithful" in passes.notice
    assert not any(replays(passes))
    assert len(speak(runner, TAKES)) == len(TAKES)


def test_capturing_stops_where_memory_is_short_and_says_so(small, tiny_v2):
    short = type("Short", (PassesOnCpu,), {"memory_is_short_after": 1})
    runner, passes, seen = with_graphs(tiny_v2, short)
    assert "memory is short" in passes.notice and str(len(seen)) in passes.notice
    assert len(speak(runner, TAKES)) == len(TAKES)
