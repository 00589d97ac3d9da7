"""ToneEngine: a real engine without a model, for tests and load.

It plays one note per character, chosen by text, voice, style, parameters and seed alone, as fast
as it can or in real time, and fails on command. Knows nothing of language.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Unpack

import numpy as np

from speech.engine.errors import EngineUnavailable, InvalidUtterance
from speech.engine.faults import Faults
from speech.engine.loop import LoopEngine, LoopOptions
from speech.engine.sequence import Sequence
from speech.engine.sequences import DeviceLost
from speech.engine.steps import StepLoop
from speech.engine.types import (
    Ability,
    AudioChunk,
    EngineInfo,
    Mark,
    Samples,
    Utterance,
)

SAMPLE_RATE = 24_000
SHORTEST = 0.2
"""Seconds that even the shortest text takes."""
TOKEN_SECONDS = 0.08
"""What ``max_new_tokens`` counts: a patch of VoxCPM lasts as long."""
SEMITONES = 24
WORD = re.compile(r"(?<!\S)\S+")
PITCHES = tuple(110.0 * 2 ** (step / 12) for step in range(2 * SEMITONES))


class ToneEngine(StepLoop, LoopEngine):
    """Plays ``1 / seconds_per_character`` notes a second at 24 kHz.

    ``speed`` is a multiple of real time, 0 for no pace at all; ``chunk_seconds`` the length of a
    step's audio. The signal does not depend on either. ``also`` are abilities that it has by
    itself as little as voices: a voice that is cloned or designed gives the register by its key.
    """

    def __init__(
        self,
        *,
        speed: float = 0.0,
        chunk_seconds: float = 0.08,
        seconds_per_character: float = 0.06,
        also: Iterable[str] = (),
        **options: Unpack[LoopOptions],
    ) -> None:
        super().__init__(SAMPLE_RATE, **options)
        self._speed = speed
        self._chunk = round(chunk_seconds * SAMPLE_RATE)
        self._note = round(seconds_per_character * SAMPLE_RATE)
        self._faults = Faults()
        self._strikes = 0
        self._failed_loads = 0
        self._device_lost = False
        self._info = EngineInfo(
            engine="tone",
            names=("tone",),
            sample_rate=SAMPLE_RATE,
            languages=("mul",),
            abilities=frozenset(Ability) - {Ability.CLONE, Ability.DESIGN}
            | set(map(Ability, also)),
            ceiling_base=SHORTEST + self._note / SAMPLE_RATE,
            ceiling_per_character=self._note / SAMPLE_RATE,
        )

    @property
    def info(self) -> EngineInfo:
        return self._info

    def set_faults(self, faults: Faults) -> None:
        """From now on go wrong like this; ``Faults()`` ends it, but for a lost device."""
        self._faults, self._strikes, self._failed_loads = faults, 0, 0

    # -- the model

    def _load(self) -> None:
        self._worker.stopping.wait(self._faults.load_seconds)
        if self._failed_loads < self._faults.load_fail:
            self._failed_loads += 1
            raise EngineUnavailable("The model could not be loaded: a fault was asked for.")

    def _unload(self) -> None:
        _note.cache_clear()

    # -- the audio

    def _examine(self, utterance: Utterance) -> None:
        super()._examine(utterance)
        tokens = utterance.params.max_new_tokens
        if tokens is not None and tokens < 1:
            raise InvalidUtterance("At least one token must be allowed.", "max_new_tokens")

    def _longest(self, utterance: Utterance) -> float:
        longest = super()._longest(utterance)
        tokens = utterance.params.max_new_tokens
        return longest if tokens is None else min(longest, tokens * TOKEN_SECONDS)

    def _shortest(self, utterance: Utterance) -> float:
        return self._count_notes(utterance.text) * self._note / SAMPLE_RATE

    def _pace(self, seconds: float) -> float:
        return seconds / self._speed if self._speed else 0.0

    def _count_notes(self, text: str) -> int:
        return max(len(text), math.ceil(SHORTEST * SAMPLE_RATE / self._note))

    def _speak(self, sequence: Sequence) -> Iterator[None]:
        text = sequence.utterance.text
        pitches = _melody(sequence.utterance, sequence.seed, self._count_notes(text))
        end = len(pitches) * self._note
        for start in range(0, end, self._chunk):
            stop = min(start + self._chunk, end)
            marks = tuple(self._mark_words(text, start, stop))
            if self._strikes_at(self._faults.short, sequence):
                return
            samples = self._spoil(self._play(pitches, start, stop), sequence)
            self._emit(sequence, AudioChunk(samples, marks))
            yield

    def _mark_words(self, text: str, start: int, stop: int) -> Iterator[Mark]:
        """The words that begin between these samples."""
        for word in WORD.finditer(text, -(-start // self._note)):
            at = word.start() * self._note
            if at >= stop:
                return
            yield Mark(word.start(), len(word.group()), at / SAMPLE_RATE)

    def _play(self, pitches: bytes, start: int, stop: int) -> Samples:
        """The samples from ``start`` to ``stop`` of the whole melody."""
        first = start // self._note
        last = (stop - 1) // self._note
        notes = [_note(pitches[index], self._note) for index in range(first, last + 1)]
        # Cut before they are joined: a part of a whole would keep the whole in memory.
        notes[-1] = notes[-1][: stop - last * self._note]
        notes[0] = notes[0][start - first * self._note :]
        return np.concatenate(notes)

    # -- the faults

    def _strikes_at(self, at: int | None, sequence: Sequence) -> bool:
        """Whether the fault that is set for ``at`` chunks strikes this step."""
        faults = self._faults
        if at is None or at * self._chunk != sequence.samples or self._strikes == faults.times:
            return False
        if faults.match is not None and faults.match not in sequence.utterance.text:
            return False
        self._strikes += 1
        return True

    def _spoil(self, samples: Samples, sequence: Sequence) -> Samples:
        if self._strikes_at(self._faults.nan_at, sequence):
            return np.full_like(samples, np.nan)
        return np.zeros_like(samples) if self._faults.silent else samples

    def _step(self, sequence: Sequence) -> None:
        faults = self._faults
        if faults.slow:
            time.sleep(faults.slow)
        if self._device_lost:
            raise DeviceLost("The device was lost.")
        if self._strikes_at(faults.hang_at, sequence):
            self._worker.stopping.wait()
        if self._strikes_at(faults.die_at, sequence):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._strikes_at(faults.oom_at, sequence):
            raise MemoryError
        if self._strikes_at(faults.raise_at, sequence):
            self._device_lost = faults.sticky
            raise DeviceLost("The device was lost.") if faults.sticky else RuntimeError("A fault.")
        super()._step(sequence)


def _melody(utterance: Utterance, seed: int, notes: int) -> bytes:
    """A pitch per note: the voice gives the register, everything together the tune."""
    voice = utterance.voice.key if utterance.voice else ""
    params = utterance.params
    score = repr(
        (
            utterance.text,
            voice,
            utterance.style,
            params.cfg_value,
            params.inference_timesteps,
            seed,
        )
    )
    register = hashlib.sha256(voice.encode()).digest()[0] % SEMITONES
    tune = hashlib.shake_256(score.encode("utf-8", "backslashreplace")).digest(notes)
    return bytes(register + step % SEMITONES for step in tune)


@lru_cache(maxsize=4 * len(PITCHES))
def _note(pitch: int, length: int) -> Samples:
    """One note, swelling and fading, so that notes join without a click."""
    at = np.arange(length) / SAMPLE_RATE
    swell = 0.2 + 0.8 * np.sin(np.pi * np.arange(length) / length)
    samples: Samples = (0.3 * swell * np.sin(2 * np.pi * PITCHES[pitch] * at)).astype(np.float32)
    samples.flags.writeable = False
    return samples
