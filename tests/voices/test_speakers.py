"""Where a program tells people apart by their voices, a recorded consent lets nobody else be
copied, and each version says who compared."""

from __future__ import annotations

import sys

import pytest

from speech.engine.types import EngineInfo
from speech.one_off import recorded
from speech.requests import SpeechRequest
from tests.voices.conftest import prepared
from tests.voices.recordings import clip
from voices.exceptions import ComparisonUnavailable, ConsentRequired
from voices.models import UnclaimedObject, Voice, VoiceConsent, VoiceSample

pytestmark = pytest.mark.django_db
INFO = EngineInfo("clone", ("clone-1",), 24_000, (), frozenset(), 1.0, 0.1)
COMPARE = """
import pathlib, sys
consent, voice = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
assert consent[:4] == voice[:4] == b"RIFF" and consent != voice
print({printed!r})
"""


@pytest.fixture
def finds(settings, tmp_path):
    """A program that finds the same of any two recordings."""

    def finds(printed):
        program = tmp_path / "compare.py"
        program.write_text(COMPARE.format(printed=printed))
        settings.SPEAKER_CHECK = f"{sys.executable} {program}"

    return finds


@pytest.fixture
def spoken_consent(account, origin):
    return VoiceConsent.record(account, prepared(6.0), origin, name="Alice", language="en")


def test_by_default_nobody_compares(make_voice, spoken_consent):
    assert make_voice(consent=spoken_consent).sample.speaker_checked == "unchecked"


def test_one_person_is_copied_and_the_version_says_how_alike_both_were(
    finds, make_voice, spoken_consent, origin
):
    finds("0.875")
    voice = make_voice(consent=spoken_consent)
    assert voice.sample.speaker_checked.startswith("python")
    assert voice.sample.speaker_checked.endswith(" 0.88")
    finds("0.5")
    voice.rerecord(prepared(8.0), origin)
    assert voice.sample.speaker_checked.endswith(" 0.50")


def test_somebody_else_is_not_copied_on_it(finds, make_voice, spoken_consent, origin):
    voice = make_voice("Hers", consent=spoken_consent)
    finds("0.49")
    objects = list(VoiceSample.objects.values_list("object_key", flat=True))
    for copy in (
        lambda: make_voice("Somebody else's", consent=spoken_consent),
        lambda: voice.rerecord(prepared(8.0), origin),
    ):
        with pytest.raises(ConsentRequired, match="another voice") as refused:
            copy()
        assert refused.value.param == "consent"
    assert Voice.objects.owned().get().version == 1
    assert list(VoiceSample.objects.values_list("object_key", flat=True)) == objects
    assert not UnclaimedObject.objects.exists()


def test_nor_is_a_single_request_spoken(finds, account, spoken_consent):
    request = SpeechRequest(
        "Good evening.", ref_audio=clip("wav"), consent=spoken_consent.public_id
    )
    finds("1")
    assert recorded(request, account, INFO, "en").known == spoken_consent.public_id
    finds("0")
    with pytest.raises(ConsentRequired, match="another voice"):
        recorded(request, account, INFO, "en")


def test_a_word_has_no_voice_to_compare(finds, make_voice, consent):
    finds("0")
    assert make_voice(consent=consent).sample.speaker_checked == "unchecked"


@pytest.mark.parametrize("printed", ["", "yes", "nan", "-0.1", "1.5"])
def test_what_is_no_likeness_is_no_verdict(finds, make_voice, spoken_consent, printed):
    finds(printed)
    with pytest.raises(ComparisonUnavailable):
        make_voice(consent=spoken_consent)
    assert not Voice.objects.owned().exists()


@pytest.mark.parametrize(
    "command", ["/no/such/program", f"{sys.executable} -c raise(SystemExit(1))"]
)
def test_a_program_that_fails_is_no_verdict(settings, make_voice, spoken_consent, command):
    settings.SPEAKER_CHECK = command
    with pytest.raises(ComparisonUnavailable):
        make_voice(consent=spoken_consent)


def test_what_is_compared_lies_in_no_directory(settings, make_voice, spoken_consent, tmp_path):
    """Nothing that somebody could find while it listens, or that a kill would leave behind."""
    settings.SPEAKER_CHECK = (
        f"{sys.executable} -c \"import os, sys; open('{tmp_path}/seen', 'w').write("
        "' '.join(os.readlink(name) for name in sys.argv[1:])); print(1)\""
    )
    make_voice(consent=spoken_consent)
    assert (tmp_path / "seen").read_text().count("(deleted)") == 2
