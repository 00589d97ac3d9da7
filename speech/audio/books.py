"""Files to keep: whole, with chapters and tags, written piece by piece to the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .codecs import FLAC, OPUS, ChapterMark, Codec, CodecWriter
from .encoders import output_rate
from .pcm import Samples
from .resampling import Resampler

BOOKS: dict[str, Codec] = {
    "mp3": Codec("mp3", "libmp3lame", "fltp", {"b": "128k"}, {"id3v2_version": "3"}),
    "m4b": Codec("ipod", "aac", "fltp", {"b": "96k"}),
    "wav": Codec("wav", "pcm_s16le", "s16", {}, {"rf64": "auto"}),
    "flac": FLAC,
    "opus": OPUS,
}
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "m4b": "audio/mp4",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg",
}
_AS = {"m4b": "aac"}  # what says which rates a format has


def book_rate(format: str, rate: int) -> int:
    """The rate in Hz that a book of ``format`` is written at."""
    return output_rate(_AS.get(format, format), rate)


class BookWriter:
    """Takes samples at the rate of the recordings."""

    def __init__(self, writer: CodecWriter, rate: int, written_rate: int) -> None:
        self._writer = writer
        self._resampler = Resampler(rate, written_rate)

    def write(self, samples: Samples) -> None:
        self._writer.write(self._resampler.process(samples))

    def finish(self) -> None:
        self._writer.write(self._resampler.flush())
        self._writer.finish()


@contextmanager
def book(
    path: Path,
    format: str,
    rate: int,
    tags: Mapping[str, str],
    chapters: Iterable[tuple[str, float, float]] = (),
) -> Iterator[BookWriter]:
    """A file of one of ``BOOKS`` at ``path``, whole at the end of the block.

    ``chapters`` are titles with their begin and end in seconds.
    """
    written = book_rate(format, rate)
    marks = [
        ChapterMark(title, round(start * written), round(end * written))
        for title, start, end in chapters
    ]
    with path.open("w+b") as file:
        codec = CodecWriter(BOOKS[format], file, written, tags, marks)
        try:
            writer = BookWriter(codec, rate, written)
            yield writer
            writer.finish()
        finally:
            codec.close()
