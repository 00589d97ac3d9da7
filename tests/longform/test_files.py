"""The files of a long text, as a listener's decoder hears them: every format has the whole, at
one loudness, without a click at any join, with chapters where they begin, and says what it is."""

from __future__ import annotations

import io
import re
import zipfile

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db.models import F

from speech.audio.mastering import TARGET_LUFS, measure
from speech.job_parts import Output
from speech.longform import storage
from speech.longform.assembly import make_all
from speech.longform.timeline import chapters_of, cues_of, rate_of, srt

pytestmark = pytest.mark.django_db
RATE = 24_000
CHAPTERS = ["Chapter 1", "Chapter 2"]


def hard(seconds):
    """A hum that begins and ends at its loudest: joined as it is, each edge would be a click."""
    at = np.arange(round(seconds * RATE)) / RATE
    return (0.2 * np.cos(2 * np.pi * 100 * at)).astype(np.float32)


@pytest.fixture
def said(make_job, claim):
    """A job that was said in full, as its runner holds it; no two segments are of one length."""
    make_job(title="A night")
    job = claim()
    for segment in job.segments.all():
        samples = hard(1 + 0.137 * segment.index)
        segment.audio = storage.keep_segment(job, segment.index, samples, RATE)
        segment.samples, segment.sample_rate = len(samples), RATE
        segment.state = "finished"
        segment.save()
    return job


@pytest.fixture
def cues(said):
    segments = list(said.segments.all())
    return list(cues_of(segments, rate_of(segments)))


def made(job, format, split="whole"):
    Output.objects.create(job=job, format=format, split=split)
    make_all(job)
    output = job.outputs.get()
    assert output.state == "ready"
    with default_storage.open(output.file) as file:
        return output, file.read()


def heard(data):
    """Samples, rate, chapters as titles with their begin in seconds, and tags."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        frames = [*container.decode(audio=0), None]
        pieces = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
        chapters = [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]))
            for one in container.chapters()
        ]
        tags = {**container.metadata, **stream.metadata}
        return np.concatenate(pieces), stream.rate, chapters, tags


def loudest_step(samples):
    """The largest jump from one sample to the next, of the largest sample."""
    return float(np.abs(np.diff(samples)).max() / np.abs(samples).max())


def test_the_hum_itself_would_click(cues):
    joined = np.concatenate([hard(1), np.zeros(RATE // 4, np.float32), hard(1)])
    assert loudest_step(joined) > 0.9


@pytest.mark.parametrize("format", Output.FORMATS)
def test_it_is_whole_at_one_loudness_without_clicks_and_says_that_it_is_synthetic(
    said, cues, format
):
    output, data = made(said, format)
    samples, rate, _, tags = heard(data)
    seconds = cues[-1].end
    assert output.seconds == pytest.approx(seconds)
    assert len(samples) / rate == pytest.approx(seconds, abs=0.12)
    if format in ("wav", "flac"):
        assert len(samples) == round(seconds * rate)
    assert measure([samples], rate).integrated == pytest.approx(TARGET_LUFS, abs=1)
    assert output.loudness == pytest.approx(TARGET_LUFS, abs=1)
    assert np.abs(samples).max() < 1
    assert loudest_step(samples) < 0.1
    tags = {name.lower(): value for name, value in tags.items()}
    assert "AI-generated" in tags["comment"]
    assert tags["title"] == "A night"


@pytest.mark.parametrize("format", ["mp3", "m4b"])
def test_its_chapters_begin_where_they_are_heard(said, cues, format):
    _, _, chapters, _ = heard(made(said, format)[1])
    expected = [(title, begin) for title, begin, _ in chapters_of(cues, CHAPTERS)]
    assert [title for title, _ in chapters] == CHAPTERS
    for (_, begin), (_, true) in zip(chapters, expected, strict=True):
        assert begin == pytest.approx(true, abs=0.002)


def test_captions_stand_where_sound_begins_and_ends(said, cues):
    samples, rate, _, _ = heard(made(said, "wav")[1])
    times = re.findall(r"00:00:(\d\d),(\d{3}) --> 00:00:(\d\d),(\d{3})", srt(cues))
    assert len(times) == 5
    for second, ms, last_second, last_ms in times:
        begin = round((int(second) + int(ms) / 1000) * rate)
        end = round((int(last_second) + int(last_ms) / 1000) * rate)
        around = rate // 20
        assert not samples[max(0, begin - around) : max(0, begin - rate // 500)].any()
        assert np.abs(samples[begin : begin + around]).max() > 0.1
        assert np.abs(samples[end - around : end]).max() > 0.1
        assert not samples[end + rate // 500 : end + around].any()


def test_a_zip_has_each_chapter_as_it_is_heard_in_the_whole(said, cues):
    _, data = made(said, "flac", "chapters")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "AI-generated" in archive.read("READ ME.txt").decode()
        parts = [archive.read(f"{number:03} {CHAPTERS[number - 1]}.flac") for number in (1, 2)]
    Output.objects.all().delete()
    whole, rate, _, _ = heard(made(said, "flac")[1])
    begins = [round(begin * rate) for _, begin, _ in chapters_of(cues, CHAPTERS)]
    for part, begin in zip(parts, begins, strict=True):
        samples, _, _, tags = heard(part)
        assert "AI-generated" in {name.lower(): value for name, value in tags.items()}["comment"]
        assert np.array_equal(samples, whole[begin : begin + len(samples)])


def test_a_file_that_was_asked_for_anew_meanwhile_is_not_kept(said, monkeypatch):
    Output.objects.create(job=said, format="wav")

    def overtaken(*arguments):
        Output.objects.update(version=F("version") + 1)
        return keep(*arguments)

    keep = storage.keep_file
    monkeypatch.setattr("speech.longform.assembly.keep_file", overtaken)
    make_all(said)
    output = said.outputs.get()
    assert (output.state, output.file) == ("pending", "")
    assert not [key for key in storage.kept(said) if key.endswith(".wav")]
