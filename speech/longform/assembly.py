"""Making a job's files: one of the whole, or a zip with one for each chapter and its captions.

Reads segment by segment and writes piece by piece, so that a day of audio takes no more memory than
a minute. Runs in a process of its own.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from django.db.models.functions import Now

from speech.audio import silence
from speech.audio.books import book
from speech.audio.mastering import Loudness, amplify, measure, soften
from speech.audio.pcm import Samples
from speech.audio.resampling import Resampler
from speech.job_models import Job
from speech.job_parts import Output
from speech.longform.storage import forget, keep_file, read_segment
from speech.longform.timeline import Cue, chapters_of, cues_of, rate_of, srt, vtt

NOTICE = "This speech was made by a machine: AI-generated audio (synthetic voice)."
_SILENCE_SECONDS = 1.0
_UNFIT = re.compile(r"[^\w .,'()&-]+")


def make_all(job: Job) -> None:
    """Make what is not made yet of a job that was said in full."""
    outputs = list(job.outputs.filter(state=Output.State.PENDING))
    segments = list(job.segments.order_by("index"))
    cues = list(cues_of(segments, rate_of(segments)))
    loudness = measure(_heard(cues), cues[0].rate)
    for output in outputs:
        output.job = job
        _make(output, cues, loudness)


def _make(output: Output, cues: Sequence[Cue], loudness: Loudness) -> None:
    """Make the file of ``output`` and write down where it lies."""
    with tempfile.TemporaryDirectory(prefix="voxplatform-") as directory:
        place = Path(directory)
        if output.split == Output.Split.CHAPTERS:
            path = _write_zip(output, cues, loudness.gain, place)
        else:
            path = place / f"whole.{output.format}"
            _write(path, output, cues, loudness.gain, output.job.title)
        _keep(output, path, cues[-1].end, loudness.reached)


def _write(path: Path, output: Output, cues: Sequence[Cue], gain: float, title: str) -> None:
    """One file of these segments."""
    titles = [chapter["title"] for chapter in output.job.chapters]
    chapters = chapters_of(cues, titles)
    tags = {
        "title": title or output.job.public_id,
        "album": output.job.title or output.job.public_id,
        "genre": "Audiobook",
        "comment": NOTICE,
        "encoded_by": "VoxPlatform",
    }
    with book(path, output.format, cues[0].rate, tags, chapters) as writer:
        for piece in _heard(cues):
            writer.write(amplify(piece, gain))


def _write_zip(output: Output, whole: Sequence[Cue], gain: float, place: Path) -> Path:
    segments = [cue.segment for cue in whole]
    path = place / "chapters.zip"
    titles = [chapter["title"] for chapter in output.job.chapters]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        archive.writestr("READ ME.txt", NOTICE + "\n")
        by_chapter = groupby(segments, key=lambda segment: segment.chapter)
        for number, (chapter, said) in enumerate(by_chapter, 1):
            cues = list(cues_of(list(said), whole[0].rate))
            title = titles[chapter] if chapter < len(titles) else ""
            name = f"{number:03} {_fit(title)}".strip()
            audio = place / f"chapter.{output.format}"
            _write(audio, output, cues, gain, title or f"{output.job.title} {number}".strip())
            archive.write(audio, f"{name}.{output.format}")
            archive.writestr(f"{name}.srt", srt(cues))
            archive.writestr(f"{name}.vtt", vtt(cues))
    return path


def _heard(cues: Sequence[Cue]) -> Iterator[Samples]:
    """The segments with soft edges, at one rate, and the silence between them."""
    for cue in cues:
        samples, rate = read_segment(cue.segment.audio)
        if rate != cue.rate:
            resampler = Resampler(rate, cue.rate)
            samples = np.concatenate([resampler.process(samples), resampler.flush()])
        yield soften(samples, cue.rate)
        pause = cue.pause
        while pause > 0:
            piece = silence(min(_SILENCE_SECONDS, pause / cue.rate), cue.rate)
            yield piece
            pause -= len(piece)


def _keep(output: Output, path: Path, seconds: float, loudness: float) -> None:
    """From here on the file is there; what was there before goes."""
    job: Job = output.job
    former = output.file
    key = keep_file(job, f"{output.split}{path.suffix}", path)
    # What was said anew meanwhile is not in it.
    wanted = Output.objects.filter(
        pk=output.pk, version=output.version, job__in=Job.objects.filter(owner=job.owner)
    )
    if wanted.update(
        state=Output.State.READY,
        file=key,
        size=path.stat().st_size,
        seconds=seconds,
        loudness=loudness,
        error="",
        made_at=Now(),
    ):
        forget(former)
    else:
        forget(key)


def _fit(title: str) -> str:
    """A title as a file may be called, on every system."""
    return _UNFIT.sub(" ", title).strip(" .")[:60].strip()
