"""What was heard can be had in every format for a while, by who heard it and nobody else."""

from __future__ import annotations

import io
import os
import resource
import time
from contextlib import contextmanager

import av
import numpy as np
import pytest
from django.conf import settings

from speech import heard
from speech.audio import ENCODERS

RATE, SECONDS = 24_000, 1.5
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(RATE * SECONDS)) / RATE)).astype(np.float32)
ALICE, BOB = 1, 2


@pytest.fixture(autouse=True)
def takes_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path / "takes"


def kept(user_id=ALICE, minutes_ago=0.0):
    recorder = heard.Recorder(user_id, RATE)
    for begin in range(0, len(TONE), 2_000):
        recorder.write(TONE[begin : begin + 2_000])
    recorder.keep()
    heard.encoded(user_id, recorder.name, "pcm")
    for file in (settings.DATA_DIR / "takes" / str(user_id)).glob(f"{recorder.name}*"):
        os.utime(file, (time.time() - 60 * minutes_ago,) * 2)
    return recorder.name


def decoded(data, format):
    if format == "pcm":
        return np.frombuffer(data, "<i2") / 32_768
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples = np.concatenate(frames, axis=1).ravel()
    return samples / 32_768 if samples.dtype == np.int16 else samples


@pytest.mark.parametrize("format", sorted(ENCODERS))
def test_it_can_be_had_in_every_format(format):
    name = kept()
    data = heard.encoded(ALICE, name, format)
    samples = decoded(data, format)
    rate = 48_000 if format == "opus" else RATE
    assert len(samples) / rate == pytest.approx(SECONDS, abs=0.1)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.03)


def test_it_is_what_was_heard():
    samples = decoded(heard.encoded(ALICE, kept(), "wav"), "wav")
    assert np.abs(samples - TONE).max() <= 0.5 / 32_768


def test_nobody_else_gets_it():
    with pytest.raises(heard.TakeGone):
        heard.encoded(BOB, kept(ALICE), "wav")


@pytest.mark.parametrize("name", ["", "..", "../1/{}", "24000-", "{}.pcm", "24000-" + "0" * 26])
def test_a_name_that_is_none_reaches_no_file(name):
    with pytest.raises(heard.TakeGone):
        heard.encoded(ALICE, name.format(kept()), "wav")


def test_one_that_was_given_up_leaves_nothing(takes_dir):
    recorder = heard.Recorder(ALICE, RATE)
    recorder.write(TONE)
    recorder.drop()
    assert list(takes_dir.glob("*/*")) == []
    with pytest.raises(heard.TakeGone):
        heard.encoded(ALICE, recorder.name, "wav")


@contextmanager
def full_disk():
    """No file takes another byte meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_one_that_a_full_disk_has_no_room_for_is_given_up_without_a_word(takes_dir):
    recorder = heard.Recorder(ALICE, RATE)
    recorder.write(TONE[:100])  # less than is written at once
    with full_disk():
        recorder.drop()
    assert list(takes_dir.glob("*/*")) == []


def test_it_goes_after_its_time(settings):
    settings.TAKE_MINUTES = 30
    old, new = kept(minutes_ago=31), kept(minutes_ago=29)
    heard.sweep()
    assert heard.encoded(ALICE, new, "pcm")
    with pytest.raises(heard.TakeGone):
        heard.encoded(ALICE, old, "pcm")


def test_the_oldest_goes_first_where_there_is_no_room(settings):
    settings.TAKES_MB = 1
    names = [kept(minutes_ago=20 - at) for at in range(15)]  # of 144 kB, with its copy
    heard.sweep()
    left = sum(path.stat().st_size for path in (settings.DATA_DIR / "takes").glob("*/*"))
    assert 800_000 < left <= 2**20
    assert heard.encoded(ALICE, names[-1], "pcm")
    with pytest.raises(heard.TakeGone):
        heard.encoded(ALICE, names[0], "pcm")


def test_all_of_a_person_s_go_with_them():
    mine, yours = kept(ALICE), kept(BOB)
    heard.forget(ALICE)
    heard.forget(ALICE)
    assert heard.encoded(BOB, yours, "wav")
    with pytest.raises(heard.TakeGone):
        heard.encoded(ALICE, mine, "wav")


def test_only_the_server_may_read_it(takes_dir):
    kept()
    modes = {path.stat().st_mode & 0o77 for path in takes_dir.glob("*")}
    assert modes == {0}
