"""Consent is given by word or recording, holds until it is withdrawn, and is what the policy asks
for; a phrase is read once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import NotFound

from accounts.audit import Actor, AuditEntry
from tests.voices.conftest import prepared
from voices import storage
from voices.exceptions import (
    ConsentRequired,
    InvalidVoiceField,
    RefusedRecording,
    StorageUnavailable,
)
from voices.models import ConsentPhrase, Voice, VoiceConsent
from voices.resolving import needed_consent
from voices.samples import Cut

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(account, origin):
    def record(seconds=12.0, **fields):
        fields = {"name": "Alice", "language": "en-US", **fields}
        return VoiceConsent.record(account, prepared(seconds, Cut.ENDS), origin, **fields)

    return record


def test_somebody_can_answer_for_the_owner_with_their_word(account, origin, consent):
    assert consent.public_id.startswith("cons_")
    assert consent.holds and not consent.recording_hash
    assert consent.given_as == "alice"
    with pytest.raises(InvalidVoiceField) as refused:
        VoiceConsent.attest(account, "yes", origin)
    assert refused.value.param == "consent"


def test_the_owner_can_say_so_themselves(recorded):
    consent = recorded()
    assert consent.holds
    assert storage.read(consent.recording_key)
    assert consent.words_checked == "unchecked"


# -- phrases


@pytest.mark.parametrize("tag", ["en-US", "zh-CN", "ja", "ko", "de-AT", "fr", "es-419", "pt-BR"])
def test_a_phrase_is_handed_out_in_many_languages_with_a_number(account, tag):
    phrase = ConsentPhrase.hand_out(account, tag)
    assert phrase.language == tag.partition("-")[0]
    assert " ".join(phrase.nonce) in phrase.text
    assert len(phrase.nonce) == 6
    assert ConsentPhrase.hand_out(account, tag).nonce != phrase.nonce


def test_where_there_is_no_phrase_in_a_language_it_is_english(account):
    assert ConsentPhrase.hand_out(account, "sw").language == "en"


def test_a_phrase_is_used_once(account, recorded):
    phrase = ConsentPhrase.hand_out(account, "en")
    assert recorded(phrase_id=phrase.public_id).phrase == phrase.text
    with pytest.raises(InvalidVoiceField) as refused:
        recorded(phrase_id=phrase.public_id)
    assert refused.value.param == "phrase"


def test_a_phrase_is_used_soon_and_by_those_who_asked_for_it(account, charlies, recorded):
    foreign = ConsentPhrase.hand_out(charlies, "en")
    old = ConsentPhrase.hand_out(account, "en")
    ConsentPhrase.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for phrase in (foreign, old):
        with pytest.raises(InvalidVoiceField):
            recorded(phrase_id=phrase.public_id)


def test_phrases_that_are_done_with_are_not_kept(account, charlies, recorded):
    used, old, new = (ConsentPhrase.hand_out(account, "en") for _ in range(3))
    foreign = ConsentPhrase.hand_out(charlies, "en")
    recorded(phrase_id=used.public_id)
    ConsentPhrase.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    newest = ConsentPhrase.hand_out(account, "en")
    assert set(ConsentPhrase.objects.all()) == {new, foreign, newest}


def test_a_recording_that_is_shorter_than_its_phrase_is_refused(account, recorded):
    phrase = ConsentPhrase.hand_out(account, "en")
    with pytest.raises(RefusedRecording) as refused:
        recorded(seconds=2.0, phrase_id=phrase.public_id)
    assert refused.value.param == "recording"
    # Nothing happened: it may still be read.
    assert recorded(phrase_id=phrase.public_id)


# -- policies


@pytest.mark.parametrize("policy", ["off", "attestation"])
def test_a_word_is_enough(settings, consent, policy):
    settings.REQUIRE_CONSENT = policy
    consent.check_policy()


@pytest.mark.parametrize("policy", ["recording", "recording+review"])
def test_a_word_is_not_enough(settings, consent, recorded, policy):
    settings.REQUIRE_CONSENT = policy
    with pytest.raises(ConsentRequired):
        consent.check_policy()
    recorded().check_policy()


def test_under_review_a_voice_waits_for_a_person(settings, make_voice, recorded, alice):
    settings.REQUIRE_CONSENT = "recording+review"
    consent = recorded()
    assert consent.state == "pending"
    voice = make_voice(consent=consent)
    assert voice.state == "draft"
    with pytest.raises(ConsentRequired, match="listen"):
        voice.check_usable()
    consent.review(alice, Actor.of_user(alice), agreed=True)
    voice = Voice.objects.get(pk=voice.pk)
    assert voice.state == "ready"
    voice.check_usable()


def test_what_becomes_of_a_consent_while_a_recording_is_looked_at_counts(
    settings, make_voice, recorded, alice
):
    settings.REQUIRE_CONSENT = "recording+review"
    approved, withdrawn = recorded(), recorded()
    actor = Actor.of_user(alice)
    VoiceConsent.objects.get(pk=approved.pk).review(alice, actor, agreed=True)
    assert make_voice("Heard meanwhile", consent=approved).state == "ready"
    VoiceConsent.objects.get(pk=withdrawn.pk).withdraw(actor)
    with pytest.raises(ConsentRequired):
        make_voice("Too late", consent=withdrawn)
    assert not Voice.objects.filter(name="Too late").exists()


def test_a_refused_consent_allows_nothing(settings, make_voice, recorded, alice):
    settings.REQUIRE_CONSENT = "recording+review"
    consent = recorded()
    voice = make_voice(consent=consent)
    consent.review(alice, Actor.of_user(alice), agreed=False)
    with pytest.raises(ConsentRequired):
        Voice.objects.get(pk=voice.pk).check_usable()
    with pytest.raises(ConsentRequired):
        consent.check_policy()


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ("nothing", ConsentRequired),
        ("foreign", NotFound),
        ("withdrawn", ConsentRequired),
        ("refused", ConsentRequired),
        ("a word", ConsentRequired),
    ],
)
def test_no_voice_rests_on_less_than_the_policy_asks_for(
    settings, account, charlies, origin, recorded, alice, given, refusal
):
    settings.REQUIRE_CONSENT = "recording+review"
    consent = recorded()
    if given == "withdrawn":
        consent.withdraw(Actor.of_user(alice))
    elif given == "refused":
        consent.review(alice, Actor.of_user(alice), agreed=False)
    sent = {"nothing": "", "a word": "I agree to a copy of it."}.get(given, consent.public_id)
    with pytest.raises(refusal):
        needed_consent(sent, charlies if given == "foreign" else account)


def test_a_new_policy_binds_new_voices_only(settings, make_voice):
    settings.REQUIRE_CONSENT = "off"
    without = make_voice("Without", consent=None)
    settings.REQUIRE_CONSENT = "recording"
    Voice.objects.get(pk=without.pk).check_usable()


def test_what_nobody_was_asked_to_hear_is_too_little_where_somebody_must(
    settings, account, make_voice, recorded, alice
):
    settings.REQUIRE_CONSENT = "recording"
    earlier = recorded()
    made = make_voice("Earlier", consent=earlier)
    settings.REQUIRE_CONSENT = "recording+review"
    with pytest.raises(ConsentRequired, match="nobody had to listen"):
        needed_consent(earlier.public_id, account)
    Voice.objects.get(pk=made.pk).check_usable()
    heard = recorded()
    heard.review(alice, Actor.of_user(alice), agreed=True)
    assert needed_consent(heard.public_id, account) == (heard, "")


# -- the end


def test_withdrawing_silences_every_voice_that_rests_on_it(make_voice, consent, alice):
    voices = [make_voice("One"), make_voice("Two")]
    assert not Voice.objects.silenced().exists()
    consent.withdraw(Actor.of_user(alice))
    assert set(Voice.objects.silenced()) == set(voices)
    for voice in Voice.objects.owned().all():
        assert voice.epoch > voices[0].epoch
        with pytest.raises(ConsentRequired):
            voice.check_usable()
    with pytest.raises(ConsentRequired):
        consent.check_policy()


def test_a_consent_covers_several_versions(voice, origin):
    voice.rerecord(prepared(8.0), origin)
    voice.check_usable()


@pytest.mark.parametrize("end", [VoiceConsent.withdraw, VoiceConsent.erase])
def test_who_does_not_agree_any_more_is_not_recorded_anew(voice, consent, origin, end):
    end(consent, origin.actor)
    kept = voice.sample.wav()
    with pytest.raises(ConsentRequired) as refused:
        Voice.objects.get(pk=voice.pk).rerecord(prepared(8.0), origin)
    assert refused.value.param == "voice"
    assert [sample.wav() for sample in voice.samples.all()] == [kept]


def test_it_says_through_what_it_was_given_to_which_version_and_why_it_ended(
    account, origin, consent, settings
):
    assert (consent.given_through, consent.release) == ("user", settings.VERSION)
    consent.withdraw(origin.actor, "She has changed her mind.")
    assert consent.withdrawal_reason == "She has changed her mind."
    consent.withdraw(origin.actor, "Another reason.")
    assert consent.withdrawal_reason == "She has changed her mind."
    consent.erase(origin.actor)
    assert (consent.withdrawal_reason, consent.release) == ("", settings.VERSION)


def test_erasing_keeps_that_there_was_one_and_nothing_of_what_was_said(recorded, alice):
    consent = recorded()
    key = consent.recording_key
    consent.erase(Actor.of_user(alice))
    with pytest.raises(StorageUnavailable):
        storage.read(key)
    assert (consent.state, consent.name, consent.recording_key) == ("withdrawn", "", "")
    assert consent.recording_hash
    assert not VoiceConsent.objects.listed(consent.account).exists()


def test_what_is_done_to_a_consent_is_logged_once(recorded, alice):
    consent = recorded()
    actor = Actor.of_user(alice)
    consent.withdraw(actor)
    consent.withdraw(actor)
    consent.erase(actor)
    actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))
    assert actions == ["consent.give", "consent.withdraw", "consent.erase"]
