"""Reading: one run of text read aloud in as many goes as its listener's buffer needs.

The library cannot pause. When the buffer is full the reading breaks off at a word, and the next
go says the text from its start again, unheard up to that word: a few milliseconds of work that
bound what a slow listener costs. Knows nothing of queues and voices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from speech.engine.espeak_library import SAMPLE_RATE, EspeakLibrary, Manner, Pcm, Word
from speech.engine.types import Samples

FADE = SAMPLE_RATE // 500
"""Samples (2 ms) over which the sound swells and fades where a reading breaks off."""

FULL_SCALE = np.float32(1 / 32768)

HandOver = Callable[[Samples, list[tuple[Word, int]]], bool]
"""Takes samples, and the words that start in them with the sample where; False: no more."""


class Reading:
    """``text``, said in a ``manner``."""

    def __init__(self, text: str, manner: Manner, hand_over: HandOver) -> None:
        self.finished = False
        self._text = text
        self._manner = manner
        self._hand_over = hand_over
        self._resume_at = 0  # the word that the next go begins with

    def go_on(self, library: EspeakLibrary, room: int) -> None:
        """Read on until about ``room`` samples are handed over, or to the end."""
        self._room = room
        self._position = 0  # samples the library has made in this go
        self._handed = 0  # samples handed over in this go
        self._words = 0  # words seen in this go
        self._is_heard = self._resume_at == 0
        self.finished = True  # unless it breaks off
        library.say(self._text, self._manner, self._receive)

    def _receive(self, block: Pcm, words: list[Word]) -> bool:
        start, end = (0 if self._is_heard else len(block)), len(block)
        fade_in = fade_out = False
        marks: list[tuple[Word, int]] = []
        for word in words:
            at = min(max(word.sample - self._position, 0), len(block))
            if not self._is_heard and self._words == self._resume_at:
                self._is_heard, start, fade_in = True, at, True
            elif self._is_heard and self._handed + at - start >= self._room:
                self.finished, self._resume_at, end, fade_out = False, self._words, at, True
                break
            self._words += 1
            if self._is_heard:
                marks.append((word, at - start))
        self._position += len(block)
        samples = block[start:end].astype(np.float32) * FULL_SCALE
        _fade(samples, fade_in, fade_out)
        self._handed += len(samples)
        wanted = self._hand_over(samples, marks) if len(samples) else True
        return wanted and self.finished


def _fade(samples: Samples, fade_in: bool, fade_out: bool) -> None:
    length = min(FADE, len(samples))
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    if fade_in:
        samples[:length] *= ramp
    if fade_out and length:
        samples[-length:] *= ramp[::-1]
