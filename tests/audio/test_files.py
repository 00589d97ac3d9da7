"""Stored audio: whole or absent, true sizes, and any moment of it can be sought."""

from __future__ import annotations

import resource
import wave

import av
import numpy as np
import pytest
import soundfile

from speech.audio import to_s16, write_file

from .sound import FORMATS, cut, decode, voiced

RATE = 24_000


@pytest.mark.parametrize("format", ["wav", "flac"])
@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_it_is_read_by_soundfile_bit_for_bit(tmp_path, format, rate):
    samples = voiced(2.0, rate)
    write_file(tmp_path / "a", format, cut(samples, 3_000), rate)
    heard, heard_rate = soundfile.read(tmp_path / "a", dtype="int16")
    assert heard_rate == rate
    assert (heard == to_s16(samples)).all()


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_it_is_sought_in(tmp_path, format):
    samples = voiced(2.0, RATE)
    write_file(tmp_path / "a", format, [samples], RATE)
    with soundfile.SoundFile(tmp_path / "a") as reader:
        assert reader.frames == len(samples)
        reader.seek(30_000)
        assert (reader.read(100, dtype="int16") == to_s16(samples)[30_000:30_100]).all()


@pytest.mark.parametrize("format", ["mp3", "opus"])
def test_it_seeks_in_compressed_files(tmp_path, format):
    write_file(tmp_path / "a", format, [voiced(5.0, RATE)], RATE)
    with av.open(str(tmp_path / "a")) as container:
        container.seek(3_000_000)
        frame = next(container.decode(audio=0))
        assert frame.time == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("format", FORMATS)
def test_it_holds_every_sample(tmp_path, format):
    samples = voiced(1.537, RATE)
    write_file(tmp_path / "a", format, cut(samples, 1_999), RATE)
    heard, rate = decode((tmp_path / "a").read_bytes(), format)
    if format == "aac":  # ADTS has no place for a length, in a file neither
        assert 1_024 <= len(heard) - len(samples) < 2_048
    else:
        assert len(heard) == len(samples) * rate / RATE


def test_it_states_true_sizes_in_wav(tmp_path):
    write_file(tmp_path / "a.wav", "wav", [voiced(1.0, RATE)], RATE, sample_rate=8_000)
    assert (tmp_path / "a.wav").stat().st_size == 44 + 16_000
    with wave.open(str(tmp_path / "a.wav")) as reader:
        assert (reader.getnframes(), reader.getframerate()) == (8_000, 8_000)


@pytest.mark.parametrize("format", FORMATS)
def test_it_writes_a_file_without_audio(tmp_path, format):
    write_file(tmp_path / "a", format, [], RATE)
    assert (tmp_path / "a").stat().st_size < 10_000


@pytest.mark.parametrize("format", FORMATS)
def test_it_leaves_what_stood_there_when_the_engine_fails(tmp_path, format):
    def failing():
        yield voiced(0.5, RATE)
        raise RuntimeError("engine died")

    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(RuntimeError, match="engine died"):
        write_file(tmp_path / "a", format, failing(), RATE)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_it_leaves_nothing_behind_when_the_audio_is_no_number(tmp_path):
    with pytest.raises(ValueError, match="NaN or infinity"):
        write_file(tmp_path / "a", "mp3", [np.array([np.nan], dtype=np.float32)], RATE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_it_reports_a_full_disk_and_leaves_nothing(tmp_path, format):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_file(tmp_path / "a", format, cut(voiced(3.0, RATE), RATE // 6), RATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
