"""The runner's slots, where something goes wrong in between."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from speech.engine.errors import InvalidUtterance
from tests.engine.voxcpm.takes import Take, make_runner, speak

TAKES = [Take("One.", seed=1, patches=6), Take("Another one.", seed=2, cfg=1.0, patches=9)]


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


class Stubborn:
    """Makes a call again that was out of memory, as the loop does for those who are left."""

    def __init__(self, runner):
        self._runner = runner

    def __getattr__(self, name):
        call = getattr(self._runner, name)

        def insist(*arguments):
            try:
                return call(*arguments)
            except torch.OutOfMemoryError:
                return call(*arguments)

        return insist if name in ("prefill", "emit", "advance") else call


def strike_once(monkeypatch, owner, name):
    real, struck = getattr(owner, name), []

    def run(*arguments):
        if not struck:
            struck.append(True)
            raise torch.OutOfMemoryError("No memory.")
        return real(*arguments)

    monkeypatch.setattr(owner, name, run)
    return struck


@pytest.mark.slow
@pytest.mark.parametrize("overlaps", [False, True], ids=["in turn", "ahead of the host"])
@pytest.mark.parametrize(
    ("step", "part", "name"),
    [(-1, "model", "_run_residual"), (3, "vae", "_decode"), (3, "model", "_run_residual")],
    ids=["prefill", "emit", "advance"],
)
def test_what_runs_out_of_memory_in_the_middle_loses_nothing_when_made_again(
    tiny_v2, monkeypatch, overlaps, step, part, name
):
    def runner():
        made = make_runner(tiny_v2, slots=2, max_length=128)
        outbox = made.loaded.outbox
        monkeypatch.setattr(outbox, "overlaps", overlaps)
        send = lambda audio, stops: lambda: (audio.numpy(), stops.tolist())  # noqa: E731
        monkeypatch.setattr(outbox, "send", send)
        return made

    expected, short = speak(runner(), TAKES), runner()
    struck = []

    def strike(now):
        if now == step:
            struck.append(strike_once(monkeypatch, getattr(short.loaded, part), name))

    strike(-1)
    ours = speak(Stubborn(short), TAKES, before=strike)
    assert struck == [[True]]
    for one, other in zip(ours, expected, strict=True):
        assert one.shape == other.shape and np.abs(one - other).max() < 1e-5


def test_a_text_whose_tokens_the_model_does_not_have_is_refused(tiny_v1, monkeypatch):
    runner = make_runner(tiny_v1, slots=1, max_length=128)
    most = runner.loaded.model.embedding.num_embeddings
    for ids, fits in (([1, most - 1], True), ([1, most], False)):
        monkeypatch.setattr(runner.loaded, "tokenizer", lambda text, ids=ids: ids)
        utterance = Take("Hello.", seed=1).utterance()
        if fits:
            runner.prepare(utterance, 1)
        else:
            with pytest.raises(InvalidUtterance, match="does not know"):
                runner.prepare(utterance, 1)
