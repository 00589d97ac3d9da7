"""The compressed formats, written by FFmpeg through PyAV.

A stream's options make every format leave with the first 160 ms; a file's options leave room for
what only the end knows. Codecs run with the GIL released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

from .containers import SeekableTarget, Target
from .pcm import Samples, to_s16


@dataclass(frozen=True, slots=True)
class Codec:
    """How FFmpeg is asked for a format: muxer, encoder, its sample format and options.

    The ``stream_`` options are for targets that cannot seek; a ``frames_per_second`` sets how long
    a frame is there.
    """

    muxer: str
    encoder: str
    sample_format: str
    options: dict[str, str] = field(default_factory=dict)
    muxer_options: dict[str, str] = field(default_factory=dict)
    stream_muxer_options: dict[str, str] = field(default_factory=dict)
    frames_per_second: int | None = None


# Without the bit reservoir a frame never waits for its successors. Without ID3 and Xing headers
# answers can be joined end to end, as clients do; in a file Xing states the exact length.
MP3 = Codec(
    "mp3",
    "libmp3lame",
    "fltp",
    options={"b": "128k", "reservoir": "0", "compression_level": "7"},
    muxer_options={"id3v2_version": "0"},
    stream_muxer_options={"write_xing": "0"},
)
# The muxer's own pages hold a second of sound; one packet a page leaves at once.
OPUS = Codec(
    "ogg",
    "libopus",
    "flt",
    options={"b": "64k", "compression_level": "5"},
    stream_muxer_options={"page_duration": "20000"},
)
# The fast coder takes half the time of the two-loop one and is nearer to the source.
AAC = Codec("adts", "aac", "fltp", options={"b": "96k", "aac_coder": "fast"})
# The encoder's own frames last 100 ms and more, and its header carries 8 KB of padding.
FLAC = Codec(
    "flac",
    "flac",
    "s16",
    stream_muxer_options={"metadata_header_padding": "0"},
    frames_per_second=50,
)


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """Where a chapter of a file begins and ends, in samples."""

    title: str
    start: int
    end: int


class CodecWriter:
    """Writes one ``codec`` at ``sample_rate`` Hz, which the codec must know, into ``target``."""

    def __init__(
        self,
        codec: Codec,
        target: Target,
        sample_rate: int,
        tags: Mapping[str, str] | None = None,
        chapters: Iterable[ChapterMark] = (),
    ) -> None:
        self._codec = codec
        self._sample_rate = sample_rate
        self._position = 0
        options = dict(codec.options)
        muxer_options = {"flush_packets": "1"} | codec.muxer_options
        if not isinstance(target, SeekableTarget):
            muxer_options |= codec.stream_muxer_options
            if codec.frames_per_second:
                options["frame_size"] = str(sample_rate // codec.frames_per_second)
        self._container = av.open(target, "w", format=codec.muxer, options=muxer_options)
        self._container.metadata.update(tags or {})
        self._container.set_chapters(
            [
                {
                    "id": number,
                    "start": mark.start,
                    "end": mark.end,
                    "time_base": Fraction(1, sample_rate),
                    "metadata": {"title": mark.title},
                }
                for number, mark in enumerate(chapters)
            ]
        )
        stream = self._container.add_stream(
            codec.encoder, rate=sample_rate, layout="mono", options=options
        )
        self._stream = cast(AudioStream, stream)

    def write(self, samples: Samples) -> None:
        """Add samples; what is beyond full scale saturates."""
        if len(samples):
            frame = self._frame(samples)
            self._position += len(samples)
            self._encode(frame)

    def finish(self) -> None:
        """Write what the codec held back and the container's end."""
        self._encode(None)
        self._container.close()

    def close(self) -> None:
        """Free the codec, finished or not."""
        self._container.close()

    def __del__(self) -> None:
        # PyAV's container and stream hold each other, and a codec up to a megabyte: one that was
        # dropped unfinished would stay until the garbage collector comes by.
        self._container.close()

    def _frame(self, samples: Samples) -> av.AudioFrame:
        values: npt.NDArray[np.int16] | Samples = (
            to_s16(samples) if self._codec.sample_format == "s16" else np.clip(samples, -1.0, 1.0)
        )
        frame = av.AudioFrame.from_ndarray(
            values[np.newaxis], format=self._codec.sample_format, layout="mono"
        )
        frame.sample_rate = self._sample_rate
        frame.time_base = Fraction(1, self._sample_rate)
        frame.pts = self._position
        return frame

    def _encode(self, frame: av.AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            # LAME may end with a frame that holds no sample of ours: FFmpeg gives it no duration.
            # FLAC ends with a packet that has neither: its news is for the file's header.
            if packet.duration or not packet.size:
                self._container.mux(packet)
