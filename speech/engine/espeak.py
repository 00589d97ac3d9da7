"""EspeakEngine: real speech without weights, in many languages, through espeak-ng.

It has thirteen voices of its own and can neither clone nor design one. The library is not safe
for threads: only the engine's own touches it. Knows nothing of Django or HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Unpack

from speech.engine.errors import UnsupportedByEngine
from speech.engine.espeak_library import SAMPLE_RATE, EspeakLibrary, Word
from speech.engine.espeak_reading import Reading
from speech.engine.espeak_scripts import Run, split_runs
from speech.engine.espeak_spelling import Spelling, legible, spell
from speech.engine.espeak_voices import (
    DEFAULT_VOICE,
    LANGUAGES,
    VOICES,
    VOXCPM2_ALONE,
    EspeakVoice,
    voice_file,
)
from speech.engine.loop import LoopEngine, LoopOptions
from speech.engine.sequence import Sequence
from speech.engine.steps import StepLoop
from speech.engine.types import Ability, AudioChunk, EngineInfo, Mark, Samples, Utterance

INFO = EngineInfo(
    engine="espeak",
    names=("espeak-ng",),
    sample_rate=SAMPLE_RATE,
    languages=LANGUAGES,
    abilities=frozenset({Ability.MARKS}),
    # English takes 0.07 s per character and Chinese 0.3; digits and signs that are read out, at
    # the slowest voice's rate, 0.45.
    ceiling_base=2.0,
    ceiling_per_character=0.45,
)


class EspeakEngine(StepLoop, LoopEngine):
    """Says a sentence in about 5 ms; what a listener has not taken is said again when it is."""

    longest_lookahead = 20.0

    def __init__(self, **options: Unpack[LoopOptions]) -> None:
        super().__init__(SAMPLE_RATE, **options)
        self._library: EspeakLibrary | None = None

    @property
    def info(self) -> EngineInfo:
        return INFO

    def _load(self) -> None:
        if self._library is None:
            self._library = EspeakLibrary()

    def _unload(self) -> None:
        if self._library is not None:
            self._library.close()
            self._library = None

    def _examine(self, utterance: Utterance) -> None:
        super()._examine(utterance)
        _voice(utterance)
        _runs(utterance)

    def _speak(self, sequence: Sequence) -> Iterator[None]:
        library = self._library
        assert library is not None, "only a READY engine speaks"
        utterance = sequence.utterance
        voice = _voice(utterance)
        for run in _runs(utterance):
            spelling = spell(utterance.text[run.start : run.end], run.language)
            narrator = _Narrator(self, sequence, run, spelling)
            reading = Reading(spelling.text, voice.manner(run.language), narrator.hand_over)
            while not reading.finished:
                reading.go_on(library, self._window())
                yield
        if not sequence.guard.heard:
            raise UnsupportedByEngine("This model cannot pronounce this text.", "input")


class _Narrator:
    """Turns a run's samples and words into chunks and marks of the whole utterance."""

    def __init__(
        self, engine: EspeakEngine, sequence: Sequence, run: Run, spelling: Spelling
    ) -> None:
        self._engine = engine
        self._sequence = sequence
        self._run = run
        self._spelling = spelling
        self._marked = -1  # the last offset; a number is many words at one place

    def hand_over(self, samples: Samples, words: list[tuple[Word, int]]) -> bool:
        marks = []
        for word, at in words:
            offset, length = self._spelling.locate(word.offset, word.length)
            if offset > self._marked:
                self._marked = offset
                time = (self._sequence.samples + at) / SAMPLE_RATE
                marks.append(Mark(self._run.start + offset, length, time))
        return self._engine._emit(self._sequence, AudioChunk(samples, tuple(marks)))


def _voice(utterance: Utterance) -> EspeakVoice:
    """The built-in voice that is asked for. Raises UnsupportedByEngine for one it has not."""
    preset = utterance.voice.preset if utterance.voice else None
    if preset is not None and preset not in VOICES:
        raise UnsupportedByEngine("This model has no such voice.", "voice")
    return VOICES[preset or DEFAULT_VOICE]


def _runs(utterance: Utterance) -> list[Run]:
    """The utterance by languages. Raises UnsupportedByEngine for what no voice can read."""
    language = None
    if utterance.language is not None:
        language = voice_file(utterance.language)
        if language is None:
            raise UnsupportedByEngine(_who_speaks(utterance.language), "language")
    return split_runs(legible(utterance.text), language)


def _who_speaks(tag: str) -> str:
    sentence = "This model does not speak that language"
    return sentence + (
        "; voxcpm2 does." if re.split("[-_]", tag.lower())[0] in VOXCPM2_ALONE else "."
    )
