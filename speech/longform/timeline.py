"""When each segment is heard in the whole, to the sample; and captions, which say so in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speech.job_parts import Segment

_LINE = 42


@dataclass(frozen=True, slots=True)
class Cue:
    """A segment's place: begin and length in samples at the whole's rate, silence behind it."""

    segment: Segment
    start: int
    length: int
    pause: int
    rate: int

    @property
    def begin(self) -> float:
        return self.start / self.rate

    @property
    def end(self) -> float:
        return (self.start + self.length) / self.rate

    @property
    def following(self) -> int:
        """Where the next one begins."""
        return self.start + self.length + self.pause


def rate_of(segments: Sequence[Segment]) -> int:
    """The rate of the whole: the highest of its parts'."""
    return max(segment.sample_rate for segment in segments)


def cues_of(segments: Sequence[Segment], rate: int) -> Iterator[Cue]:
    """Places of segments that follow one another; behind the last there is no silence."""
    start = 0
    for place, segment in enumerate(segments, 1):
        length = round(segment.samples * rate / segment.sample_rate)
        pause = round(segment.pause_ms * rate / 1000) if place < len(segments) else 0
        cue = Cue(segment, start, length, pause, rate)
        yield cue
        start = cue.following


def chapters_of(cues: Sequence[Cue], titles: Sequence[str]) -> list[tuple[str, float, float]]:
    """The chapters with their begin and end in seconds; none has no title."""
    found: list[tuple[str, float, float]] = []
    number = -1
    for cue in cues:
        begin, end = cue.begin, cue.following / cue.rate
        if cue.segment.chapter == number:
            found[-1] = (found[-1][0], found[-1][1], end)
            continue
        number = cue.segment.chapter
        title = titles[number] if number < len(titles) else ""
        found.append((title or str(len(found) + 1), begin, end))
    return found


def srt(cues: Sequence[Cue]) -> str:
    """SubRip."""
    return "\n".join(
        f"{number}\n{_time(cue.begin, ',')} --> {_time(cue.end, ',')}\n{_lines(cue)}\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT."""
    shown = "\n".join(
        f"{_time(cue.begin, '.')} --> {_time(cue.end, '.')}\n{_escaped(cue)}\n" for cue in cues
    )
    return f"WEBVTT\n\n{shown}"


def _lines(cue: Cue) -> str:
    return "\n".join(textwrap.wrap(cue.segment.text.replace("-->", "→"), _LINE))


def _escaped(cue: Cue) -> str:
    return _lines(cue).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
