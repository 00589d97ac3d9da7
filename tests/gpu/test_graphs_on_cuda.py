"""CUDA graphs that cannot be, and what bfloat16 makes of the same takes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.voxcpm.checkpoints import build_tiny
from tests.engine.voxcpm.repertoire import TAKES
from tests.engine.voxcpm.takes import make_runner, speak

pytestmark = pytest.mark.gpu
SIZES = {"slots": 3, "max_length": 300, "fused": False}


@pytest.fixture(scope="module")
def folder(cuda, tmp_path_factory):
    return build_tiny(tmp_path_factory.mktemp("models") / "voxcpm2", "voxcpm2")


def assert_says_what_eager_steps_say(runner, folder, device):
    takes = TAKES["voxcpm2"][:3]
    expected = speak(make_runner(folder, device=device, graphs=False, **SIZES), takes)
    for one, other in zip(speak(runner, takes), expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() <= 1e-5


def test_a_graph_that_cannot_be_captured_leaves_everything_eager(folder, cuda, monkeypatch):
    import torch

    from speech.engine.voxcpm.passes import EagerPasses

    speak_of = EagerPasses.speak

    def look(self, rows, noise, count, guided):
        if torch.cuda.is_current_stream_capturing():
            noise.sum().item()  # the host may not look while a graph is captured
        return speak_of(self, rows, noise, count, guided)

    monkeypatch.setattr(EagerPasses, "speak", look)
    runner = make_runner(folder, device=cuda, **SIZES)
    assert "could not be captured" in runner.notice
    assert not runner.loaded.passes._emits[True]
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    assert_says_what_eager_steps_say(runner, folder, cuda)


def test_where_memory_is_short_the_rest_runs_eagerly(folder, cuda, monkeypatch):
    from speech.engine.voxcpm import graphs

    monkeypatch.setattr(graphs, "MEMORY_RESERVE", 1 << 60)
    runner = make_runner(folder, device=cuda, **SIZES)
    assert "memory is short: 0 of" in runner.notice
    assert_says_what_eager_steps_say(runner, folder, cuda)


def test_fused_passes_are_captured_and_say_nearly_the_same(folder, cuda):
    few = {**SIZES, "fused": True, "graph_batches": [1], "graph_timesteps": [10]}
    runner = make_runner(folder, device=cuda, **few)
    assert runner.notice == ""
    takes = TAKES["voxcpm2"][:1]
    expected = speak(make_runner(folder, device=cuda, graphs=False, **SIZES), takes)
    [ours] = speak(runner, takes)
    assert np.isfinite(ours).all()
    print(f"fused in float32: {difference(ours, expected[0])}")


def test_hand_made_products_run_a_race_in_bfloat16_and_nothing_is_wrong_with_them(
    cuda, tmp_path, capsys, caplog
):
    folder = build_tiny(tmp_path / "model", "voxcpm2", dtype="bfloat16")
    few = {**SIZES, "fused": True, "graph_batches": [1], "graph_timesteps": [10]}
    runner = make_runner(folder, device=cuda, **few)
    passes = runner.loaded.passes
    assert runner.notice == "" and "rows and width: 1 x" in passes.products
    assert " is off by " not in caplog.text and " cannot be: " not in caplog.text
    with capsys.disabled():
        print(f"\n{passes.products}")


@pytest.mark.parametrize("architecture", TAKES)
def test_in_bfloat16_every_take_is_spoken_and_the_differences_are_told(
    architecture, cuda, tmp_path, capsys
):
    folder = build_tiny(tmp_path / "model", architecture, dtype="bfloat16")
    takes = TAKES[architecture]
    eager = speak(make_runner(folder, device=cuda, graphs=False, **SIZES), takes)
    graphs = speak(make_runner(folder, device=cuda, **SIZES), takes)
    alone = speak(make_runner(folder, device=cuda, slots=1, max_length=300), takes)
    for index, (one, other, third) in enumerate(zip(eager, graphs, alone, strict=True)):
        assert all(len(audio) and np.isfinite(audio).all() for audio in (one, other, third))
        with capsys.disabled():
            print(
                f"\n{architecture} in bfloat16, take {index}: replayed {difference(other, one)}; "
                f"alone {difference(third, other)}"
            )


def difference(one, other):
    """In words: of samples, as far as both go."""
    both = min(len(one), len(other))
    off = np.abs(one[:both] - other[:both]).max()
    return f"{off:.1e} off" + (
        f", {len(one)} and {len(other)} samples" if len(one) != len(other) else ""
    )
