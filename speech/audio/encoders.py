"""Samples of an engine become the bytes of a format, chunk by chunk.

One table names the six formats, one class resamples and writes any of them. Knows nothing of
HTTP: who asks, and what is done with the bytes, is decided above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .codecs import AAC, FLAC, MP3, OPUS, CodecWriter
from .containers import PcmWriter, Target, WavWriter, Writer
from .pcm import Samples, is_finite
from .resampling import Resampler

PCM_RATE = 24_000
"""The rate of bare samples, which cannot state it: the one that OpenAI's clients assume."""

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 48_000


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    ``rates`` in Hz are all that the format is written at; None means any, and that a caller may
    choose.
    """

    media_type: str
    open: Callable[[Target, int], Writer]
    rates: tuple[int, ...] | None = None


# The tables of MP3 and AAC know lower rates too, but there the encoder's delay and a frame of
# padding last longer than 80 and 95 ms.
_DELAYED_RATES = (22_050, 24_000, 32_000, 44_100, 48_000)

ENCODERS: dict[str, Format] = {
    "mp3": Format("audio/mpeg", partial(CodecWriter, MP3), _DELAYED_RATES),
    "opus": Format("audio/opus", partial(CodecWriter, OPUS), (48_000,)),
    "aac": Format("audio/aac", partial(CodecWriter, AAC), _DELAYED_RATES),
    "flac": Format("audio/flac", partial(CodecWriter, FLAC)),
    "wav": Format("audio/wav", WavWriter),
    "pcm": Format("audio/pcm", PcmWriter),
}


def output_rate(format: str, input_rate: int, sample_rate: int | None = None) -> int:
    """The rate in Hz that ``format`` is written at.

    A format that states its rate keeps the engine's where it can. Raises ``ValueError`` for an
    unknown format, and for a ``sample_rate`` outside 8000-48000 or where none can be chosen.
    """
    if format not in ENCODERS:
        raise ValueError(f"unknown audio format {format!r}")
    rates = ENCODERS[format].rates
    if sample_rate is not None:
        if rates is not None:
            raise ValueError(f"sample_rate cannot be chosen with {format}")
        if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise ValueError(f"sample_rate must be {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}")
        return sample_rate
    if format == "pcm":
        return PCM_RATE
    if rates is None or input_rate in rates:
        return input_rate
    return next((rate for rate in rates if rate >= input_rate), rates[-1])


def media_type(format: str, sample_rate: int) -> str:
    """The media type of a stream.

    PCM at 24 kHz is plain ``audio/pcm``, which some clients compare literally; at another rate
    it carries the parameters ``rate`` and ``channels`` that others read.
    """
    plain = ENCODERS[format].media_type
    if format == "pcm" and sample_rate != PCM_RATE:
        return f"{plain};rate={sample_rate};channels=1"
    return plain


class AudioWriter:
    """Writes an engine's samples into ``target``: checks, resamples, encodes."""

    def __init__(
        self, target: Target, format: str, input_rate: int, sample_rate: int | None = None
    ) -> None:
        self.sample_rate = output_rate(format, input_rate, sample_rate)
        self._resampler = Resampler(input_rate, self.sample_rate)
        self._resamples = input_rate != self.sample_rate
        self._writer = ENCODERS[format].open(target, self.sample_rate)

    def write(self, samples: Samples) -> None:
        """Add samples; raises ``ValueError`` if one is NaN or infinite, before any is written."""
        if not is_finite(samples):
            raise ValueError("audio holds NaN or infinity")
        if self._resamples:
            # Saturated before the filter too: in it a huge number would become an infinite one.
            samples = self._resampler.process(samples.clip(-1.0, 1.0))
        self._writer.write(samples)

    def finish(self) -> None:
        """Write what was held back and the container's end; the codec is freed."""
        self._writer.write(self._resampler.flush())
        self._writer.finish()

    def close(self) -> None:
        """Free the codec."""
        self._writer.close()


class _Sink:
    """A target without a way back, so that no container waits for the end to write its start."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes, /) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


class Encoder:
    """Turns one stream of samples into bytes. Any thread may use it, one at a time.

    ``sample_rate`` in Hz is that of the bytes, ``media_type`` names them to a client.
    """

    def __init__(self, format: str, input_rate: int, sample_rate: int | None = None) -> None:
        self._sink = _Sink()
        # A codec and its threads are there as long as anything refers to them, closed or not.
        self._writer: AudioWriter | None = AudioWriter(self._sink, format, input_rate, sample_rate)
        self.sample_rate = self._writer.sample_rate
        self.media_type = media_type(format, self.sample_rate)

    def encode(self, samples: Samples) -> bytes:
        """Add float32 mono samples at the input rate; return the bytes that are ready.

        Raises ``ValueError`` for NaN or infinity, and after the end.
        """
        if self._writer is None:
            raise ValueError("the stream has ended")
        self._writer.write(samples)
        return self._sink.take()

    def flush(self) -> bytes:
        """End the stream and return what was held back; ``b""`` when asked again.

        The codec goes now; one whose end nobody wants goes with its encoder.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return b""
        writer.finish()
        return self._sink.take()


def create_encoder(format: str, input_rate: int, sample_rate: int | None = None) -> Encoder:
    """An encoder from an engine's ``input_rate`` to ``format``, one of ``ENCODERS``.

    PCM leaves at 24 kHz, Opus at 48 kHz, the others at the engine's rate where the format allows;
    ``sample_rate`` changes that for pcm, wav and flac. Raises ``ValueError``, see ``output_rate``.
    """
    return Encoder(format, input_rate, sample_rate)
