"""The runner's slots, where something goes wrong in between."""

from __future__ import annotations

import pytest

from tests.engine.voxcpm.takes import Take, make_runner


def test_a_slot_whose_beginning_failed_is_taken_back_without_a_word(tiny_v1, monkeypatch):
    runner = make_runner(tiny_v1, slots=1, max_length=128)
    take = Take("Hello.", seed=1, prompt=(0.5, 16_000))
    prompt = runner.prepare(take.utterance(), take.seed)

    def fail(voice):
        raise MemoryError

    monkeypatch.setattr(runner.loaded.recordings, "features", fail)
    with pytest.raises(MemoryError):
        runner.begin(0, prompt)
    runner.release(0)
    monkeypatch.undo()
    runner.begin(0, prompt)
    assert runner.prefill([0], 256) == [0]
    assert len(runner.emit([0])) == 1
