"""Where a program hears the words of a recording, other words are refused, and records say who
heard them."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.checks import run_checks

from tests.voices.conftest import prepared
from tests.voices.recordings import WORDS, spoken, wav
from voices.exceptions import RefusedRecording, TranscriberUnavailable
from voices.models import ConsentPhrase, VoiceConsent
from voices.samples import Cut
from voices.taking import take
from voices.transcriber import check_words, name, transcribe

pytestmark = pytest.mark.django_db
LISTEN = """
import sys
data = sys.stdin.buffer.read()
assert data[:4] == b"RIFF" and data[8:12] == b"WAVE"
print({words!r})
"""


@pytest.fixture
def hears(settings, tmp_path):
    """A program that hears the same words in every recording."""

    def hears(words):
        program = tmp_path / "listen.py"
        program.write_text(LISTEN.format(words=words))
        settings.TRANSCRIBER = f"{sys.executable} {program}"

    return hears


@pytest.fixture
def consent(account, origin):
    def record(phrase):
        sample = prepared(12.0, Cut.ENDS)
        asked = {"name": "Alice", "language": "en", "phrase_id": phrase.public_id}
        return VoiceConsent.record(account, sample, origin, **asked)

    return record


@pytest.fixture
def phrase(account):
    return ConsentPhrase.hand_out(account, "en")


def test_by_default_nobody_hears(consent, phrase):
    assert name() == ""
    assert check_words(b"", "anything", "recording") == ""
    assert consent(phrase).words_checked == "unchecked"


def test_the_phrase_is_heard_however_it_is_written(hears, consent, phrase):
    hears(phrase.text.upper().replace(",", "").replace(phrase.nonce, " ".join(phrase.nonce)))
    assert consent(phrase).words_checked.startswith("python")


@pytest.mark.parametrize("heard", ["", "Good evening, and welcome to the house.", None])
def test_other_words_or_another_number_are_refused(hears, consent, phrase, heard):
    last = int(phrase.text[-2])
    hears(f"{phrase.text[:-2]}{(last + 1) % 10}." if heard is None else heard)
    with pytest.raises(RefusedRecording) as refused:
        consent(phrase)
    assert (refused.value.code, refused.value.param) == ("transcript_mismatch", "recording")
    hears(phrase.text)
    assert consent(phrase), "the phrase may still be read"


def test_a_transcript_is_held_to_what_is_heard(hears):
    recording = wav(spoken())
    hears(WORDS)
    assert take(io.BytesIO(recording), len(recording), Cut.ENDS, transcript=WORDS)
    hears("Something else entirely was said by that person.")
    with pytest.raises(RefusedRecording) as refused:
        take(io.BytesIO(recording), len(recording), Cut.ENDS, transcript=WORDS)
    assert refused.value.param == "transcript"


@pytest.mark.parametrize(
    "command", ["/no/such/program", f"{sys.executable} -c raise(SystemExit(3))"]
)
def test_a_program_that_fails_is_no_verdict(settings, command):
    settings.TRANSCRIBER = command
    with pytest.raises(TranscriberUnavailable):
        transcribe(b"RIFF")


def test_funasr_needs_its_weights(settings, tmp_path):
    settings.TRANSCRIBER, settings.TRANSCRIBER_MODEL = "funasr", tmp_path / "nowhere"
    assert "voices.E003" in {found.id for found in run_checks()}
    assert name() == "funasr"
    with pytest.raises(TranscriberUnavailable):
        transcribe(prepared().wav)
