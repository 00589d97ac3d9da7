"""A recording is measured, judged in words, cut at its pauses and brought to one loudness."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.voices.recordings import RATE, noise, silence, speech, spoken
from voices.activity import find_speech
from voices.exceptions import RefusedRecording
from voices.limits import LIMITS
from voices.samples import Cut, Report, Severity, prepare
from voices.wav import read_own

SENTENCE = "This is said without a pause"


def codes(sample, severity):
    return [finding.code for finding in sample.report.of(severity)]


def level(samples):
    return 10 * np.log10(np.mean(np.square(samples.astype(np.float64))))


# -- measures


def test_it_measures_speech_and_the_silence_around_it():
    measures = prepare(
        np.concatenate([silence(2), spoken(), silence(1)]), RATE, Cut.ENDS
    ).report.measures
    said = len(spoken()) / RATE
    assert measures.seconds == pytest.approx(said + 3, abs=0.01)
    assert measures.silence_before == pytest.approx(2, abs=0.15)
    assert measures.silence_after == pytest.approx(1, abs=0.3)
    assert measures.speech_seconds == pytest.approx(said, rel=0.15)
    assert measures.speech_share == pytest.approx(
        measures.speech_seconds / measures.seconds, abs=0.01
    )


@pytest.mark.parametrize("db", [-30, -50])
def test_it_measures_the_noise_floor(db):
    sample = prepare(speech(6) + noise(6, 10 ** (db / 20)), RATE, Cut.BEST)
    assert sample.report.measures.noise_floor_db == pytest.approx(db, abs=3)


def test_it_measures_an_offset_and_takes_it_out():
    sample = prepare(speech(4) * 0.5 + np.float32(0.2), RATE, Cut.BEST)
    assert sample.report.measures.dc == pytest.approx(0.2, abs=0.01)
    assert "dc" in codes(sample, Severity.NOTE)
    assert abs(read_own(sample.wav)[0].mean()) < 0.001


@pytest.mark.parametrize("cutoff", [2000, 4000])
def test_it_measures_the_bandwidth(cutoff):
    spectrum = np.fft.rfft(speech(4))
    spectrum[int(cutoff * 4) :] = 0
    sample = prepare(np.fft.irfft(spectrum).astype(np.float32), RATE, Cut.BEST)
    assert sample.report.measures.bandwidth_hz == pytest.approx(cutoff, abs=100)
    assert codes(sample, Severity.WARNING) == (["muffled"] if cutoff < 3000 else [])


def test_speech_in_other_languages_is_speech():
    for language, text in (
        ("cmn", "今天天气很好，我们去公园散步吧。"),
        ("ja", "おはようございます。"),
    ):
        activity = find_speech(spoken(text, language), RATE)
        assert activity.seconds > len(spoken(text, language)) / RATE / 2


def test_what_comes_and_goes_without_a_pitch_is_no_speech():
    bursts = noise(4) * (np.sin(2 * np.pi * 3 * np.arange(4 * RATE) / RATE) > 0)
    hum = sum(np.sin(2 * np.pi * 50 * k * np.arange(4 * RATE) / RATE) / k for k in range(1, 12))
    for sound in (bursts, hum * 0.2):
        assert find_speech(sound.astype(np.float32), RATE).seconds == 0


# -- judgements


@pytest.mark.parametrize(
    ("sound", "severity", "code"),
    [
        (speech(5) * 8, Severity.FAILURE, "audio_clipped"),
        (speech(5) * 2, Severity.WARNING, "clipped"),
        (speech(6) + noise(6, 0.04), Severity.WARNING, "noisy"),
        (speech(5) * 0.01, Severity.WARNING, "quiet"),
        (spoken("Short, but long enough."), Severity.NOTE, "little_speech"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_it_says_what_is_wrong_in_words(sound, severity, code):
    sample = prepare(np.clip(sound, -1, 1), RATE, Cut.BEST)
    assert codes(sample, severity) == [code]
    assert all(finding.message.endswith(".") for finding in sample.report.findings)


def test_a_good_recording_passes():
    assert prepare(speech(8), RATE, Cut.BEST).report.findings == ()


def test_a_failure_refuses_and_nothing_overrides_it():
    report = prepare(noise(3), RATE, Cut.BEST).report
    for override in (False, True):
        with pytest.raises(RefusedRecording) as refused:
            report.check(override=override)
        assert refused.value.code == "no_speech"


def test_a_warning_wants_an_override():
    report = prepare(np.clip(speech(5) * 2, -1, 1), RATE, Cut.BEST).report
    with pytest.raises(RefusedRecording) as refused:
        report.check()
    assert refused.value.code == "recording_has_warnings"
    assert "override" in str(refused.value)
    report.check(override=True)


def test_a_report_survives_being_stored():
    report = prepare(speech(5), RATE, Cut.BEST).report
    assert Report.from_json(json.loads(json.dumps(report.as_json()))) == report


# -- cutting


def test_without_its_words_a_recording_is_cut_at_a_pause():
    sample = prepare(np.concatenate([speech(29), silence(1)]), RATE, Cut.BEST)
    kept, _ = read_own(sample.wav)
    assert len(kept) / RATE <= LIMITS.reference_seconds
    assert len(kept) / RATE > LIMITS.reference_seconds / 2
    edges = max(np.abs(kept[: RATE // 50]).max(), np.abs(kept[-RATE // 50 :]).max())
    assert edges < 0.1 * np.abs(kept).max()


def test_it_keeps_the_piece_with_the_most_speech():
    sparse = np.concatenate([np.concatenate([spoken(SENTENCE), silence(6)])] * 2)
    dense = np.concatenate([spoken(), silence(0.3), spoken(), silence(0.3)])
    report = prepare(np.concatenate([sparse, dense]), RATE, Cut.BEST).report
    assert report.kept_from == pytest.approx(len(sparse) / RATE, abs=0.3)


def test_somebody_who_never_pauses_is_cut_where_it_is_quietest():
    unbroken = np.resize(spoken(SENTENCE)[RATE // 5 : -RATE // 2], 20 * RATE)
    kept, _ = read_own(prepare(unbroken, RATE, Cut.BEST).wav)
    assert LIMITS.reference_seconds - 2.5 < len(kept) / RATE <= LIMITS.reference_seconds


def test_with_its_words_only_the_silence_at_both_ends_is_cut():
    sound = np.concatenate([silence(2), spoken(), silence(1), spoken(), silence(2)])
    report = prepare(sound, RATE, Cut.ENDS).report
    assert report.kept_from == pytest.approx(1.95, abs=0.15)
    assert report.kept_to == pytest.approx(len(sound) / RATE - 2, abs=0.3)
    assert report.of(Severity.FAILURE) == []


def test_with_its_words_more_than_fifteen_seconds_are_refused_with_advice():
    with pytest.raises(RefusedRecording) as refused:
        prepare(speech(20), RATE, Cut.ENDS).report.check()
    assert refused.value.code == "audio_too_long"
    assert "shorter piece" in str(refused.value)


def test_what_people_listen_to_may_be_as_long_as_any_recording():
    report = prepare(speech(29), RATE, Cut.HEARD).report
    report.check()
    assert report.kept_to - report.kept_from > 28


# -- loudness


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
def test_every_sample_is_equally_loud(gain):
    samples, rate = read_own(prepare(speech(6) * np.float32(gain), RATE, Cut.BEST).wav)
    heard = find_speech(samples, rate)
    spoken_level = 10 * np.log10(np.mean(10 ** (heard.levels[heard.speech] / 10)))
    assert spoken_level == pytest.approx(-20, abs=1)
    assert np.abs(samples).max() <= 0.9


def test_silence_stays_silence():
    assert not read_own(prepare(silence(2), RATE, Cut.BEST).wav)[0].any()
