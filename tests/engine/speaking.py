"""What the tests of the batched loop say and hear."""

from __future__ import annotations

import numpy as np

from speech.engine.types import SamplingParams, Utterance


def say(text, seed=1, **fields):
    return Utterance(text, params=SamplingParams(seed=seed), **fields)


def heard(stream):
    return np.concatenate([chunk.samples for chunk in stream])


def raised(error_class, times=1, match=None):
    """A fault that strikes so often, on calls for slots that hold ``match``."""
    left = [times]

    def strike(slots, **more):
        if left[0] and (match is None or more["prompt"].text == match):
            left[0] -= 1
            raise error_class("A fault.")

    return strike
