"""A text's utterances at the engine: heard one after the other, made some at a time.

While one is heard the next are made ahead of their turn, in slots that nobody else needs. Where the
voice is nobody's in particular, what was heard first is the voice of all that follows. Knows
nothing of requests, quotas or containers.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from speech.engine.stream import Stream
from speech.engine.types import (
    AudioChunk,
    EngineInfo,
    FinishReason,
    Priority,
    Recording,
    Samples,
    Utterance,
    VoicePrompt,
)

# A reader behind whom more than this waits would gain nothing from more being made.
_KEEPS_UP_SECONDS = 0.5
# Less than this tells a model too little of a voice.
_SHORTEST_TIMBRE_SECONDS = 0.5
# Scripts, and beginnings of Unicode's names of their letters, in which sentences follow each other
# without spaces.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "TIBETAN")


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk, and the place of its utterance in the text."""

    index: int
    stream: Stream
    chunk: AudioChunk


class Recital:
    """``submit`` hands an utterance to the engine; at most ``depth`` are there at a time."""

    def __init__(
        self,
        utterances: Sequence[Utterance],
        info: EngineInfo,
        depth: int,
        submit: Callable[[Utterance], Stream],
    ) -> None:
        self._utterances = utterances
        self._rate = info.sample_rate
        self._depth = depth
        self._submit = submit
        self._asked: dict[int, Stream] = {}
        self._timbre: VoicePrompt | None = None
        self._seeks_timbre = len(utterances) > 1 and info.draws_a_voice(utterances[0].voice)
        self._key = f"take:{uuid.uuid4().hex}"
        self._heard: list[Samples] = []

    async def parts(self) -> AsyncGenerator[Part]:
        """All of it, in order. Raises what the engine ends a stream with."""
        for index in range(len(self._utterances)):
            stream = self._take_turn(index)
            if self._utterances[index].whole:
                self._ask_ahead(index)  # there is no first sound that would come later for it
            async with aclosing(stream.__aiter__()) as chunks:
                async for chunk in chunks:
                    yield Part(index, stream, chunk)
                    for late in await self._go_on(index, stream, chunk, chunks):
                        yield Part(index, stream, late)
            self._settle_timbre(index, stream)
            del self._asked[index]

    async def _go_on(
        self, index: int, stream: Stream, chunk: AudioChunk, chunks: AsyncGenerator[AudioChunk]
    ) -> list[AudioChunk]:
        """A chunk was taken: see to the next utterances; returns chunks to hand on at once."""
        late: list[AudioChunk] = []
        self._listen(chunk)
        made = stream.finish_reason is not None
        if made and self._seeks_timbre:
            # All of it waits here: the next ones need it sooner than its reader does.
            late = [more async for more in chunks]
            for more in late:
                self._listen(more)
            self._settle_timbre(index, stream)
        if made and index + 1 < len(self._utterances):
            # What is left to read covers the next one's start; sooner, a slow reader would leave
            # it standing in a slot.
            self._take_turn(index + 1)
        if stream.buffered <= _KEEPS_UP_SECONDS * self._rate:
            self._ask_ahead(index)
        return late

    # -- asking the engine

    def _take_turn(self, index: int) -> Stream:
        """The utterance is what is heard next."""
        stream = self._asked.get(index)
        if stream is None:
            self._asked[index] = stream = self._submit(self._utterance(index))
        else:
            stream.hurry()
        return stream

    def _ask_ahead(self, index: int) -> None:
        if self._seeks_timbre:
            return
        for following in range(index + 1, min(index + self._depth, len(self._utterances))):
            if following not in self._asked:
                utterance = replace(self._utterance(following), ahead=True)
                self._asked[following] = self._submit(utterance)

    def _utterance(self, index: int) -> Utterance:
        utterance = self._utterances[index]
        if index and utterance.priority is Priority.INTERACTIVE:
            utterance = replace(utterance, priority=Priority.CONTINUATION)
        if self._timbre:
            # Directions have done their work in what is continued.
            return replace(utterance, voice=self._timbre, style=None)
        return replace(utterance, remember=self._key) if self._seeks_timbre else utterance

    # -- one timbre for all

    def _listen(self, chunk: AudioChunk) -> None:
        if self._seeks_timbre:
            self._heard.append(chunk.samples)

    def _settle_timbre(self, index: int, stream: Stream) -> None:
        """An utterance was made in full: go on in its voice, if it is worth that."""
        if not self._seeks_timbre:
            return
        samples = np.concatenate(self._heard) if self._heard else np.zeros(0, np.float32)
        self._heard = []
        spoken = stream.finish_reason is FinishReason.STOP
        if spoken and len(samples) >= _SHORTEST_TIMBRE_SECONDS * self._rate:
            said = self._utterances[index].text
            if is_spaced(said):
                # The next text follows at once: without it two words, or a full stop and a
                # word, would be one.
                said += " "
            self._timbre = VoicePrompt(self._key, prompt=Recording(samples, self._rate, said))
            self._seeks_timbre = False


def is_spaced(text: str) -> bool:
    """Whether a space comes between this text and what follows it, by the script of its end."""
    letters = [sign for sign in text if sign.isalpha()]
    return not letters or not unicodedata.name(letters[-1], "").startswith(_UNSPACED)
