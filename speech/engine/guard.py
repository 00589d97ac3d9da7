"""OutputGuard: the last look at audio before it leaves an engine.

A model can answer with not-a-number, with nothing, with noise far out of range or with less than
the text needs. None of it may reach a listener. Knows nothing of where the samples come from.
"""

from __future__ import annotations

from speech.engine.errors import SynthesisFailed
from speech.engine.types import AudioChunk

SILENT_PEAK = 1e-4
"""-80 dBFS: below it nobody hears anything."""

LARGEST_PEAK = 4.0
"""+12 dBFS: speech may clip a little (encoders saturate), but this is not speech."""

LONGEST_LEAD = 2.0
"""Seconds of silence that may come before the first sound."""


class BadAudio(SynthesisFailed):
    """The engine made something that is not speech."""

    def __init__(self, detail: str) -> None:
        super().__init__("The engine produced no usable audio for this text.")
        self.detail = detail


class OutputGuard:
    """Watches one attempt at one utterance.

    Leading silence is held back until a sound proves the attempt alive, and a ``whole`` answer
    until its end: as long as nothing has left (``started`` is False) the engine may try again
    unnoticed.
    """

    def __init__(self, sample_rate: int, shortest: float = 0.0, *, whole: bool = False) -> None:
        """``shortest`` is the least number of seconds that the text can take."""
        self.started = False
        self.heard = False
        self._whole = whole
        self._rate = sample_rate
        # Rounded: 2.7 s at 24 kHz are 64,800 samples, but 2.7 * 24_000 is a little more.
        self._fewest = round(shortest * sample_rate)
        self._held: list[AudioChunk] = []
        self._samples = 0

    def admit(self, chunk: AudioChunk) -> list[AudioChunk]:
        """The chunks that may leave now. Raises BadAudio."""
        samples = chunk.samples
        peak = max(samples.max(), -samples.min()) if len(samples) else 0.0
        # Written so that not-a-number, which compares false to everything, is caught as well.
        if not peak <= LARGEST_PEAK:
            raise BadAudio(f"peak {peak} after {self._samples} samples")
        self._samples += len(samples)
        self._held.append(chunk)
        if not self.heard and peak < SILENT_PEAK:
            if self._samples > LONGEST_LEAD * self._rate:
                raise BadAudio(f"{self._samples} samples of silence at the start")
            return []
        self.heard = True
        return [] if self._whole else self._let_go()

    def close(self, complete: bool = True) -> list[AudioChunk]:
        """The end: the chunks that leave only now.

        Raises BadAudio when nothing was heard, or less than a ``complete`` text."""
        if not self.heard:
            raise BadAudio(f"nothing but silence in {self._samples} samples")
        if complete and self._samples < self._fewest:
            raise BadAudio(f"only {self._samples} samples")
        return self._let_go()

    def _let_go(self) -> list[AudioChunk]:
        self.started = self.started or bool(self._held)
        admitted, self._held = self._held, []
        return admitted
