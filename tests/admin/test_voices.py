"""Voices and consents at the admin: read by those who may, listened to with a reason that is
logged, and changed by verbs behind a question."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.audit import AuditEntry, verify
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.conftest import prepared
from voices.models import Voice, VoiceConsent, VoiceReport

VOICES = "/admin/voices/voice/"
CONSENTS = "/admin/voices/voiceconsent/"
REPORTS = "/admin/voices/voicereport/"


@pytest.fixture
def recorded(account, origin):
    return VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")


async def _pieces(answer):
    return [piece async for piece in answer.streaming_content]


def last_entry():
    return AuditEntry.objects.order_by("-number").first()


def test_voices_stand_in_a_list_with_filters_and_a_search(operator, make_voice, account, charlies):
    voice = make_voice(language="en-GB")
    assert voice.name in operator.get(VOICES).content.decode()
    for field, its, another in (
        ("q", "alice", "nobody"),
        ("state__exact", "ready", "disabled"),
        ("language", "en-GB", "de"),
        ("visibility__exact", "private", "public"),
        ("account__id__exact", account.pk, charlies.pk),
    ):
        for value, stands in ((its, True), (another, False)):
            page = operator.get(VOICES, {field: value})
            assert page.status_code == 200, field
            assert (voice.name in page.content.decode()) == stands, field


def test_voices_are_found_by_their_last_use(operator, make_voice, record):
    used, old, _ = (make_voice(name) for name in ("Used", "Old", "Idle"))
    record(voice=used.public_id)
    Voice.objects.filter(pk=old.pk).update(used_at=timezone.now() - timedelta(days=40))

    def found(use):
        page = operator.get(f"{VOICES}?use={use}").content.decode()
        return {name for name in ("Used", "Old", "Idle") if f">{name}<" in page}

    assert found("7") == found("30") == {"Used"}
    assert found("90") == {"Used", "Old"}
    assert found("never") == {"Idle"}
    assert found("older") == set()


def test_use_is_noted_once_an_hour(voice):
    Voice.objects.note_use(voice.public_id)
    noted = Voice.objects.owned().get().used_at
    Voice.objects.note_use(voice.public_id)
    assert Voice.objects.owned().get().used_at == noted
    Voice.objects.update(used_at=noted - timedelta(hours=2))
    Voice.objects.note_use(voice.public_id)
    assert Voice.objects.owned().get().used_at >= noted


def test_a_voice_shows_its_versions_with_their_checks_in_words(operator, voice):
    page = operator.get(f"{VOICES}{voice.pk}/change/").content.decode()
    for measure in ("Speech: ", "Noise: ", "Bandwidth: "):
        assert measure in page, measure
    assert voice.sample.object_key not in page


def test_who_listens_gives_a_reason_which_is_logged(operator, voice):
    url = f"{VOICES}{voice.pk}/listen/"
    for form in ({}, {"reason": "x"}):
        assert "<audio" not in operator.post(url, form).content.decode()
    assert last_entry().action == "voice.create"
    page = operator.post(url, {"reason": "A report says it is stolen."}).content.decode()
    assert last_entry().action == "voice.listen"
    assert "stolen" in json.loads(last_entry().details)["reason"]
    assert "<path d=" in page
    audio = re.search(r'<audio[^>]* src="([^"]+)"', page)[1]
    heard = operator.get(audio)
    assert b"".join(asyncio.run(_pieces(heard))) == voice.sample.wav()
    assert heard["content-type"] == "audio/wav"
    assert "no-store" in heard["cache-control"]
    part = operator.get(audio, headers={"range": "bytes=0-3"})
    assert (part.status_code, asyncio.run(_pieces(part))) == (206, [b"RIFF"])


def test_a_link_to_a_recording_is_one_persons(operator, staff, voice):
    page = operator.post(f"{VOICES}{voice.pk}/listen/", {"reason": "To be sure."}).content.decode()
    audio = re.search(r'<audio[^>]* src="([^"]+)"', page)[1]
    clerk = staff("view_voice", "listen_voice")
    assert clerk.get(audio).status_code == 404
    assert operator.get(audio.replace(":", "0", 1)).status_code == 403


def test_what_is_erased_meanwhile_is_heard_no_more(operator, voice):
    page = operator.post(f"{VOICES}{voice.pk}/listen/", {"reason": "To be sure."}).content.decode()
    audio = re.search(r'<audio[^>]* src="([^"]+)"', page)[1]
    assert operator.head(audio).status_code == 200
    operator.post(f"{VOICES}{voice.pk}/erase/")
    assert operator.get(audio).status_code == 404


def test_while_the_storage_is_away_a_page_says_so_and_logs_no_reason(operator, voice, monkeypatch):
    def away(*args):
        raise OSError(5, "Input/output error")

    url, reason = f"{VOICES}{voice.pk}/listen/", {"reason": "To be sure."}
    audio = re.search(r'<audio[^>]* src="([^"]+)"', operator.post(url, reason).content.decode())[1]
    before = last_entry()
    for method in ("open", "size"):
        monkeypatch.setattr(default_storage, method, away)
    for answer in (operator.post(url, reason), operator.get(audio)):
        assert answer.status_code == 503
        assert int(answer["retry-after"]) >= 1
        assert "Please try again in a moment" in answer.content.decode()
    assert last_entry() == before


@pytest.mark.parametrize("verb", ["listen", "disable", "enable", "transfer", "erase"])
def test_who_may_only_look_does_nothing(staff, voice, verb):
    clerk = staff("view_voice")
    form = {"reason": "Curiosity", "account": voice.account_id}
    assert clerk.get(f"{VOICES}{voice.pk}/change/").status_code == 200
    assert clerk.post(f"{VOICES}{voice.pk}/{verb}/", form).status_code == 403
    assert Voice.objects.owned().get().state == "ready"
    assert last_entry().action == "voice.create"


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_a_voice_here(operator, voice, path):
    assert operator.post(VOICES + path.format(voice.pk), {"post": "yes"}).status_code == 403


def test_it_asks_before_it_acts(operator, voice):
    for verb in ("disable", "transfer", "erase"):
        assert operator.get(f"{VOICES}{voice.pk}/{verb}/").status_code == 200
    assert Voice.objects.owned().get().state == "ready"


def test_a_voice_is_disabled_and_enabled(operator, voice):
    operator.post(f"{VOICES}{voice.pk}/disable/")
    assert Voice.objects.owned().get().state == "disabled"
    operator.post(f"{VOICES}{voice.pk}/enable/")
    assert Voice.objects.owned().get().state == "ready"
    operator.post(VOICES, {"action": "disable_selected", "_selected_action": [voice.pk]})
    assert Voice.objects.owned().get().state == "disabled"
    assert last_entry().action == "voice.disabled"
    verify()


def test_a_voice_changes_hands(operator, voice, charlies):
    operator.post(f"{VOICES}{voice.pk}/transfer/", {"account": charlies.pk})
    assert Voice.objects.owned().get().account == charlies


def test_a_voice_is_erased_and_offers_nothing_more(operator, voice):
    operator.post(f"{VOICES}{voice.pk}/erase/")
    assert Voice.objects.owned().get().state == "erased"
    page = operator.get(f"{VOICES}{voice.pk}/change/").content.decode()
    assert "/erase/" not in page and "/listen/" not in page
    assert operator.post(f"{VOICES}{voice.pk}/listen/", {"reason": "Too late"}).status_code == 302


def test_a_queue_of_consents_waits_for_somebody_to_listen(
    operator, settings, account, origin, make_voice
):
    settings.REQUIRE_CONSENT = "recording+review"
    consent = VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")
    voice = make_voice(consent=consent)
    assert "Alice" in operator.get(f"{CONSENTS}?state__exact=pending").content.decode()
    page = operator.post(f"{CONSENTS}{consent.pk}/listen/", {"reason": "Review"}).content.decode()
    assert "<audio" in page
    operator.post(f"{CONSENTS}{consent.pk}/approve/")
    consent.refresh_from_db()
    assert (consent.state, consent.words_checked) == ("active", "by a person")
    assert Voice.objects.get(pk=voice.pk).state == "ready"
    page = operator.get(f"{CONSENTS}{consent.pk}/change/").content.decode()
    assert "/approve/" not in page and "/withdraw/" in page


@pytest.fixture
def waiting(settings, account, origin, make_voice):
    """A voice whose consent nobody has heard yet."""
    settings.REQUIRE_CONSENT = "recording+review"
    consent = VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")
    return make_voice(consent=consent)


def test_a_voice_that_waits_is_approved_with_its_consent(operator, operator_user, waiting):
    url = f"{VOICES}{waiting.pk}/"
    page = operator.get(f"{url}change/").content.decode()
    assert "/approve/" in page and "/enable/" not in page
    operator.post(f"{url}approve/")
    waiting.refresh_from_db()
    waiting.check_usable()
    assert (waiting.state, waiting.consent.reviewed_by) == ("ready", operator_user)
    assert last_entry().action == "consent.approve"
    assert "/approve/" not in operator.get(f"{url}change/").content.decode()


def test_who_may_not_settle_its_consent_approves_no_voice(staff, waiting):
    clerk = staff("view_voice", "change_voice", "view_voiceconsent")
    assert clerk.post(f"{VOICES}{waiting.pk}/approve/").status_code == 403
    assert Voice.objects.owned().get().state == "draft"


def test_enabling_a_voice_that_waits_leaves_it_waiting(operator, waiting):
    for verb, state in (("disable", "disabled"), ("enable", "draft")):
        operator.post(f"{VOICES}{waiting.pk}/{verb}/")
        assert Voice.objects.owned().get().state == state


def test_a_consent_is_withdrawn(operator, voice, consent):
    url = f"{CONSENTS}{consent.pk}/withdraw/"
    operator.post(url)
    consent.refresh_from_db()
    assert consent.holds  # it takes a reason
    operator.post(url, {"reason": "Its owner has called."})
    consent.refresh_from_db()
    assert consent.withdrawal_reason == "Its owner has called."
    assert set(Voice.objects.silenced()) == {voice}


@pytest.mark.parametrize("verb", ["listen", "approve", "refuse", "withdraw"])
def test_who_may_only_look_at_consents_changes_none(staff, recorded, verb):
    clerk = staff("view_voiceconsent")
    form = {"reason": "Curiosity"}
    assert clerk.post(f"{CONSENTS}{recorded.pk}/{verb}/", form).status_code == 403
    recorded.refresh_from_db()
    assert recorded.state == "active"


def test_reports_are_read_and_settled(operator, voice, charlies, origin):
    VoiceReport.file(voice, charlies, "This is my voice!", origin.actor)
    assert "This is my voice!" in operator.get(REPORTS).content.decode()
    report = VoiceReport.objects.get()
    operator.post(REPORTS, {"action": "settle_selected", "_selected_action": [report.pk]})
    report.refresh_from_db()
    assert report.settled_at
    assert last_entry().action == "voicereport.settle"
