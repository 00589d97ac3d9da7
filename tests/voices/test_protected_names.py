"""Names that operators protect: no voice and no consent is called so, and only hashes of them are
kept."""

from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command

from voices.exceptions import InvalidVoiceField
from voices.models import Voice, VoiceConsent
from voices.names import clean_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def protected(settings, tmp_path, capsys):
    call_command("hashnames", "Ada Lovelace", "周杰伦")
    settings.PROTECTED_NAMES = tmp_path / "protected"
    settings.PROTECTED_NAMES.write_text(capsys.readouterr().out)
    return settings.PROTECTED_NAMES


@pytest.mark.parametrize(
    "name",
    ["Ada Lovelace", "ada  LOVELACE", "Ada Lovelace's evening voice", "The Ada-Lovelace",
     "АDA lovelаce", "周杰伦的声音"],
)  # fmt: skip
def test_no_voice_and_no_consent_is_called_so(protected, account, origin, sample, voice, name):
    consent = VoiceConsent.objects.get()
    for act in (
        lambda: Voice.clone(account, name, sample, consent, origin),
        lambda: voice.change(origin.actor, name=name),
        lambda: VoiceConsent.record(account, sample, origin, name=name, language="en"),
        lambda: consent.rename(origin.actor, name),
    ):
        with pytest.raises(InvalidVoiceField) as refused:
            act()
        assert refused.value.param == "name"
    assert (Voice.objects.owned().get(), VoiceConsent.objects.get()) == (voice, consent)


@pytest.mark.parametrize("name", ["Ada", "Lovelace", "Adam Lovelace", "周杰", "Nobody"])
def test_other_names_are_free(protected, name):
    assert clean_name(name) == name


def test_the_file_holds_hashes_alone_and_need_not_be_read_at_a_start(protected, capsys):
    assert all(len(line) == 64 for line in protected.read_text().split())
    call_command("hashnames", "Nobody")
    protected.write_text(capsys.readouterr().out)
    with pytest.raises(InvalidVoiceField):
        clean_name("Nobody")


def test_a_file_that_is_not_there_is_an_error(settings, tmp_path):
    settings.PROTECTED_NAMES = tmp_path / "nothing"
    found = {message.id for message in run_checks(tags=[Tags.security])}
    assert "voices.E004" in found
