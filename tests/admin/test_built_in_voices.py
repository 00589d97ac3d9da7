"""Built-in voices at the admin: seen with what each model made of them, heard without a reason,
made anew, disabled and enabled; whatever takes an owner is neither offered nor done."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.test import Client

from accounts.audit import AuditEntry, verify
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.conftest import kept_take
from voices import storage
from voices.models import BuiltInTake, Voice
from voices.presets import PRESETS

VOICES = "/admin/voices/voice/"


@pytest.fixture
def take(db):
    return kept_take("voxcpm2")


@pytest.fixture
def page(alloy):
    return f"{VOICES}{alloy.pk}/"


def text(client, page):
    return client.get(f"{page}change/").content.decode()


def test_they_are_found_by_their_kind(operator, voice):
    built_in = operator.get(VOICES, {"kind__exact": "preset"}).content.decode()
    assert all(f">{preset.label}<" in built_in for preset in PRESETS.values())
    assert voice.name not in built_in
    cloned = operator.get(VOICES, {"kind__exact": "cloned"}).content.decode()
    assert voice.name in cloned and ">Alloy<" not in cloned


def test_a_page_shows_what_each_model_made_of_it(operator, page, take):
    BuiltInTake.objects.want_all("voxcpm1.5")
    failed = BuiltInTake.objects.get(preset="alloy", model="voxcpm1.5")
    assert "waits to be made" in text(operator, page)
    assert failed.claim("here")
    assert "is being made" in text(operator, page)
    failed.fail("here", "It was silent.")
    shown = text(operator, page)
    assert "could not be made: It was silent." in shown
    assert "version 1, made" in shown and "with seed 7" in shown
    assert "Noise: " in shown and shown.count("<audio") == 1
    assert take.object_key not in shown


def test_a_model_that_has_made_nothing_is_not_named(operator, page):
    assert "Nothing yet" in text(operator, page)


def test_it_is_heard_without_a_reason_for_it_is_nobodys(staff, page, take):
    audio = re.search(r'<audio[^>]* src="([^"]+)"', text(clerk := staff("view_voice"), page))[1]
    heard = clerk.get(audio)

    async def pieces():
        return [piece async for piece in heard.streaming_content]

    assert b"".join(asyncio.run(pieces())) == storage.read(take.object_key)
    assert not AuditEntry.objects.filter(action="voice.listen").exists()


def test_it_is_made_anew_behind_a_question(operator, page, take):
    url = f"{page}takes/{take.pk}/anew/"
    assert url in text(operator, page)
    assert "voxcpm2" in operator.get(url).content.decode()
    take.refresh_from_db()
    assert take.is_ready, "it asks before it acts"
    assert operator.post(url).status_code == 302
    again = BuiltInTake.objects.get(pk=take.pk)
    assert (again.is_ready, again.version) == (False, 2)
    assert AuditEntry.objects.get(action="voice.make_anew").target_name == "alloy"
    verify()
    assert operator.post(url).status_code == 404, "there is nothing in it yet"


def test_who_may_only_look_makes_nothing_anew(staff, page, take):
    clerk = staff("view_voice")
    assert "/anew/" not in text(clerk, page)
    assert clerk.post(f"{page}takes/{take.pk}/anew/").status_code == 403
    take.refresh_from_db()
    assert take.is_ready


@pytest.mark.parametrize("verb", ["audio", "anew"])
def test_a_take_is_for_nobody_else(staff, page, take, verb):
    clerk = staff()
    url = f"{page}takes/{take.pk}/{verb}/"
    assert clerk.get(url).status_code == clerk.get(url.replace(str(take.pk), "9")).status_code
    assert clerk.get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_a_take_is_found_under_its_own_voice_alone(operator, voice, take):
    nova = Voice.objects.get(public_id="nova")
    for other in (nova.pk, voice.pk):
        for verb in ("audio", "anew"):
            assert operator.get(f"{VOICES}{other}/takes/{take.pk}/{verb}/").status_code == 404


def test_it_is_disabled_and_enabled(operator, alloy, page):
    assert operator.get(f"{page}change/").status_code == 200
    for verb, state in (("disable", "disabled"), ("enable", "ready")):
        assert f"/{verb}/" in text(operator, page)
        operator.post(f"{page}{verb}/")
        alloy.refresh_from_db()
        assert alloy.state == state
    operator.post(VOICES, {"action": "disable_selected", "_selected_action": [alloy.pk]})
    alloy.refresh_from_db()
    assert alloy.state == "disabled"
    verify()


@pytest.mark.parametrize("verb", ["listen", "transfer", "erase", "delete"])
def test_what_takes_an_owner_is_neither_offered_nor_done(operator, alloy, page, account, verb):
    assert f"/{verb}/" not in text(operator, page)
    form = {"reason": "Because I can", "account": account.pk, "post": "yes"}
    assert operator.get(f"{page}{verb}/").status_code == 403
    assert operator.post(f"{page}{verb}/", form).status_code == 403
    again = Voice.objects.get(pk=alloy.pk)
    assert (again.state, again.account) == ("ready", None)


def test_a_forged_form_changes_nothing(operator, alloy, page, account):
    before = Voice.objects.filter(pk=alloy.pk).values().get()
    form = {"name": "Mine", "account": account.pk, "kind": "cloned", "state": "erased"}
    operator.post(f"{page}change/", form)
    operator.post(f"{page}approve/")
    assert Voice.objects.filter(pk=alloy.pk).values().get() == before
