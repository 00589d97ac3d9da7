"""Mutations of good files, in every container: the child may die, the parent never; every one is a
sample or a refusal, no file is left, and the child keeps to its memory."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from tests.voices.recordings import CONTAINERS, clip
from tests.voices.test_decoding import CHILD_MEMORY, peak_memory
from voices.decoding import _ROOT, Decoder
from voices.exceptions import RefusedRecording
from voices.samples import Cut

COUNT = 20_000 if os.environ.get("SOAK") == "1" else 2_000
HEAD = 512
# Values that lengths, rates and counts are made of.
EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def mutate(data, chance):
    """One to eight changes, mostly where headers are."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(min(HEAD, len(data)) if chance.random() < 0.7 else len(data))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.randrange(256)
            case 2:
                size = chance.choice([2, 4])
                order = chance.choice(["little", "big"])
                value = chance.choice(EXTREMES) % 256**size
                data[at : at + size] = value.to_bytes(size, order)
            case 3:
                del data[at : at + chance.randint(1, 64)]
            case 4:
                data[at:at] = data[at : at + chance.randint(1, 64)]
            case 5:
                del data[max(at, 64) :]
        if len(data) < 2:
            break
    return bytes(data)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_mutation_harms_the_parent():
    chance = random.Random(20261126)
    files = [clip(container, 2.0) for container in CONTAINERS]
    before = set(_ROOT.iterdir())
    outcomes = {"taken": 0, "refused": 0, "died": 0}
    decoder = Decoder()
    try:
        for number in range(COUNT):
            data = mutate(files[number % len(files)], chance)
            try:
                assert decoder.decode(io.BytesIO(data), len(data), Cut.BEST).wav
                outcomes["taken"] += 1
            except RefusedRecording as refused:
                assert refused.code
                outcomes["refused"] += 1
            if not decoder.is_alive:
                outcomes["died"] += 1
                decoder.__exit__(None, None, None)
                decoder = Decoder()
            elif number % 100 == 0:
                assert peak_memory(decoder.pid) < CHILD_MEMORY
                assert open_files(decoder.pid) == []
    finally:
        decoder.__exit__(None, None, None)
    print(outcomes)
    assert outcomes["taken"] and outcomes["refused"]
    assert set(_ROOT.iterdir()) == before


def open_files(pid):
    """What the child holds open beside its pipes."""
    targets = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    return [target for target in targets if not target.startswith("pipe:")]
