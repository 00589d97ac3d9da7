"""Replaying: what is padded, what is chosen, what falls back.

Capturing itself needs CUDA; here a graph runs its function again, into the same outputs.
``benchmarks/gpu_check.sh`` has real ones.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from speech.engine.voxcpm import graphs
from speech.engine.voxcpm.fusing import Fusion
from speech.engine.voxcpm.graphs import Captured, GraphPasses
from tests.engine.voxcpm.takes import Take, make_runner, speak

pytestmark = pytest.mark.slow

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
            half = Again(lambda: [o * 0.5 for o in run()], outputs)
            return Captured(half, inputs, outputs, run)
        return Captured(Again(run, outputs), inputs, outputs, run)

    def _memory_is_short(self):
        return self.memory_is_short_after == len(self._advances)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(graphs, "BATCHES", (1, 2))
    monkeypatch.setattr(graphs, "TIMESTEPS", (5, 10))
    monkeypatch.setattr(graphs, "PREFILLS", ((1, 16), (1, 64), (2, 64)))


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


def test_several_prompts_are_read_by_one_replay(small, tiny_v2):
    runner, passes, _ = with_graphs(tiny_v2)
    graph = passes._prefills[2, 64].graph
    before = graph.replays
    ours = speak(runner, TAKES[:2])
    assert graph.replays == before + 1
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES[:2])
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5


def test_more_prompts_than_any_graph_takes_in_are_read_by_several_replays(
    small, tiny_v2, monkeypatch
):
    runner, passes, _ = with_graphs(tiny_v2)
    monkeypatch.setattr(passes._eager, "prefill", None)  # nobody asks for it
    before = replays(passes)[-1]
    ours = speak(runner, TAKES)
    assert replays(passes)[-1] == before + 2
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES)
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5


def test_where_kernels_cannot_be_fused_the_rest_is_captured_all_the_same(small, tiny_v2):
    class Unfusable(PassesOnCpu):
        def _record(self, run, *inputs):
            if self._eager.is_fused:
                raise RuntimeError("no compiler here\nand much more")
            return super()._record(run, *inputs)

    runner = make_runner(tiny_v2, slots=3, max_length=300)
    runner.loaded.passes.fuse(Fusion({}))
    passes = Unfusable(runner.loaded.passes)
    with torch.inference_mode():
        passes.capture(lambda done, of: None)
    runner.loaded.passes = passes
    assert passes.notice == "Kernels are not fused: no compiler here"
    ours = speak(runner, TAKES)
    assert all(replays(passes))
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES)
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


def test_in_a_padded_batch_everybody_says_what_eager_steps_say(small, tiny_v2, monkeypatch):
    monkeypatch.setattr(graphs, "BATCHES", (1,))
    runner, passes, _ = with_graphs(tiny_v2)
    assert {size for size, _ in passes._advances} == {1, 3}
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES[:2])
    for one, other in zip(speak(runner, TAKES[:2]), expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5


def test_what_a_graph_refers_to_stays_where_it_lies(small, tiny_v2):
    """A graph reads the places of those who are guided, which are none of its inputs."""
    _, passes, _ = with_graphs(tiny_v2)
    emits = passes._emits[True].values()
    assert emits and all("guided" in emit.run.__code__.co_freevars for emit in emits)


def test_only_the_sizes_that_were_named_are_captured(small, tiny_v2):
    runner = make_runner(tiny_v2, slots=3, max_length=300)
    passes = PassesOnCpu(runner.loaded.passes, batches=[1], timesteps=[10])
    with torch.inference_mode():
        passes.capture(lambda done, of: None)
    assert set(passes._emits[True]) == {(1, 9), (3, 9)}


def test_no_prompt_longer_than_a_slot_is_captured(small, tiny_v2):
    runner = make_runner(tiny_v2, slots=1, max_length=48)
    passes = PassesOnCpu(runner.loaded.passes)
    with torch.inference_mode():
        passes.capture(lambda done, of: None)
    assert (passes.notice, set(passes._prefills)) == ("", {(1, 16)})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("no memory"), "memory is too short"),
        (RuntimeError("no capture"), "could not be captured"),
        (FileNotFoundError("no such compiler: gcc"), "could not be captured"),
    ],
)
def test_a_capture_that_fails_leaves_everything_eager(small, tiny_v2, error, reason):
    def fail(self, run, *inputs):
        if len(self._advances) == 1:
            raise error
        return PassesOnCpu._record(self, run, *inputs)

    runner, passes, _ = with_graphs(tiny_v2, type("Failing", (PassesOnCpu,), {"_record": fail}))
    assert reason in passes.notice
    assert not any(replays(passes))
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES)
    for one, other in zip(speak(runner, TAKES), expected, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("advances", "emitting"), [(0, set()), (1, set()), (2, {3}), (3, {3})])
def test_capturing_stops_where_memory_is_short_and_says_so(small, tiny_v2, advances, emitting):
    short = type("Short", (PassesOnCpu,), {"memory_is_short_after": advances})
    runner, passes, seen = with_graphs(tiny_v2, short)
    assert "memory is short" in passes.notice and str(len(seen)) in passes.notice
    # Audio that is still being copied would lie where the steps of a larger batch compute.
    assert {size for size, _ in passes._emits[True]} == emitting
    expected = speak(make_runner(tiny_v2, slots=3, max_length=300), TAKES)
    for one, other in zip(speak(runner, TAKES), expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5
