"""A consent says how far it goes: for what, in which languages, and until when. Past its end it
is as one that was withdrawn, by the clock alone; and nothing widens it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.audit import Actor, AuditEntry
from tests.voices.conftest import prepared
from voices import archive
from voices.consents import expire_due
from voices.exceptions import ConsentRequired, InvalidVoiceField
from voices.models import ConsentPhrase, Voice, VoiceConsent
from voices.resolving import needed_consent, resolve
from voices.samples import Cut
from voices.scope import Scope, covers

pytestmark = pytest.mark.django_db
WORD = "Alice says that this is her own voice."


@pytest.fixture
def clock(monkeypatch):
    """The time of all that asks Django for it; ``clock(days=1)`` moves it on."""
    now = timezone.now()

    def move(**by):
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(**by))

    move()
    return move


@pytest.fixture
def in_a_day(clock, account, origin):
    """A consent that ends in a day."""
    scope = Scope(expires_at=timezone.now() + timedelta(days=1))
    return VoiceConsent.attest(account, WORD, origin, scope=scope)


# -- said


def test_it_keeps_what_was_said_and_the_phrase_with_its_own_language(account, origin):
    phrase = ConsentPhrase.hand_out(account, "de-AT")
    scope = Scope.read("Audio guides of the museum", "de-at, en", "")
    consent = VoiceConsent.record(
        account,
        prepared(12.0, Cut.ENDS),
        origin,
        name="Alice",
        language="de-AT",
        phrase_id=phrase.public_id,
        scope=scope,
    )
    consent.refresh_from_db()
    assert (consent.phrase_language, consent.phrase) == ("de", phrase.text)
    assert consent.purposes == "Audio guides of the museum"
    assert (consent.languages, consent.expires_at) == (["de-AT", "en"], None)


def test_where_nothing_is_said_there_is_no_limit(consent):
    consent.refresh_from_db()
    assert (consent.purposes, consent.languages, consent.expires_at) == ("", [], None)
    consent.check_covers("fi")


def test_an_end_is_a_moment_to_come(clock):
    soon = int(timezone.now().timestamp()) + 60
    assert Scope.read("", "", str(soon)).expires_at == datetime.fromtimestamp(soon, UTC)
    clock(seconds=61)
    for sent in (str(soon), "0", "-5", "tomorrow", "1e12", "99999999999", "9" * 400, "١٢٣٤٥٦٧٨٩٠١"):
        with pytest.raises(InvalidVoiceField) as refused:
            Scope.read("", "", sent)
        assert refused.value.param == "expires_at"


@pytest.mark.parametrize("sent", ["english", "en;de", ",".join(["en"] * 21)])
def test_languages_are_tags(sent):
    with pytest.raises(InvalidVoiceField) as refused:
        Scope.read("", sent, "")
    assert refused.value.param == "languages"


def test_its_name_is_all_that_can_be_changed(in_a_day, origin):
    limit = in_a_day.expires_at
    in_a_day.rename(origin.actor, "Another label")
    in_a_day.refresh_from_db()
    assert (in_a_day.name, in_a_day.expires_at) == ("Another label", limit)


# -- over


def test_past_its_end_nobody_speaks_on_it_and_nobody_need_have_noted_that(
    clock, make_voice, in_a_day, account
):
    voice = make_voice(consent=in_a_day)
    clock(hours=23)
    assert resolve(voice.public_id, account) == voice
    assert not Voice.objects.silenced().exists() and not VoiceConsent.objects.ended().exists()
    clock(days=1)
    noted = VoiceConsent.objects.get(pk=in_a_day.pk)
    assert (noted.state, noted.standing) == ("active", "expired")
    for attempt in (
        lambda: resolve(voice.public_id, account),
        lambda: needed_consent(in_a_day.public_id, account),
    ):
        with pytest.raises(ConsentRequired, match="expired"):
            attempt()
    assert Voice.objects.silenced().get() == voice
    assert VoiceConsent.objects.ended().get() == in_a_day


def test_that_it_is_over_is_noted_once_and_empties_caches(clock, make_voice, in_a_day):
    voice = make_voice(consent=in_a_day)
    expire_due()
    in_a_day.refresh_from_db()
    assert in_a_day.state == "active"
    clock(days=1)
    for _ in range(2):
        expire_due()
    in_a_day.refresh_from_db()
    assert in_a_day.state == "expired"
    assert Voice.objects.owned().get().epoch == voice.epoch + 1
    assert AuditEntry.objects.filter(action="consent.expire").count() == 1


def test_nobody_approves_what_is_over(settings, clock, account, origin, make_voice, alice):
    settings.REQUIRE_CONSENT = "recording+review"
    scope = Scope(expires_at=timezone.now() + timedelta(days=1))
    sample = prepared(12.0, Cut.ENDS)
    consent = VoiceConsent.record(account, sample, origin, name="A", language="en", scope=scope)
    voice = make_voice(consent=consent)
    clock(days=2)
    consent.review(alice, Actor.of_user(alice), agreed=True)
    assert consent.standing == "expired"
    assert Voice.objects.get(pk=voice.pk).state == "draft"


def test_it_can_still_be_withdrawn_and_erased(clock, in_a_day, origin):
    clock(days=2)
    expire_due()
    in_a_day.erase(origin.actor)
    assert (in_a_day.standing, in_a_day.purposes) == ("withdrawn", "")


def test_another_consent_goes_further(clock, make_voice, in_a_day, account, origin):
    make_voice("Until tomorrow", consent=in_a_day)
    further = VoiceConsent.attest(account, WORD, origin)
    voice = make_voice("For ever", consent=further)
    clock(days=400)
    assert resolve(voice.public_id, account) == voice


# -- languages


@pytest.mark.parametrize(
    ("languages", "tag", "whether"),
    [
        ([], "fi", True),
        (["en"], "en", True),
        (["en"], "en-GB", True),
        (["en-GB"], "en", True),  # nobody says that it is another English
        (["en-GB"], "en-US", False),
        (["en", "zh-CN"], "zh-TW", False),
        (["EN"], "en-gb", True),
        (["en"], "", True),  # not known
        (["en"], "eng", False),
    ],
)
def test_a_language_is_covered_as_far_as_it_is_known(languages, tag, whether):
    assert covers(languages, tag) is whether


def test_another_language_is_refused_and_named(make_voice, account, origin):
    consent = VoiceConsent.attest(account, WORD, origin, scope=Scope(languages=("en",)))
    voice = make_voice(consent=consent)
    assert resolve(voice.public_id, account, "en-GB") == voice
    with pytest.raises(ConsentRequired, match="does not extend to de") as refused:
        resolve(voice.public_id, account, "de")
    assert refused.value.param == "language"


# -- taken along


def test_an_export_says_how_far_it_goes(voice, sample, consent, origin):
    VoiceConsent.objects.update(
        purposes="Guides", languages=["en"], phrase_language="en", document_sha256="0" * 64
    )
    consent.withdraw(origin.actor, "She moved on.")
    voice = Voice.objects.owned().get()
    with zipfile.ZipFile(io.BytesIO(archive.export(voice, voice.sample, origin.actor))) as found:
        told = json.loads(found.read("voice.json"))["consent"]
    assert (told["purposes"], told["languages"]) == ("Guides", ["en"])
    assert (told["phrase_language"], told["expires_at"]) == ("en", None)
    assert (told["document_sha256"], told["withdrawal_reason"]) == ("0" * 64, "She moved on.")
