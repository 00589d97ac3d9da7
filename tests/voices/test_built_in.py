"""The thirteen built-in names are voices like any other, but nobody's: everybody sees them, no
account changes them, and an operator disables one for all."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.audit import Actor, AuditEntry
from tests.live import manage
from voices.built_in import add_voices
from voices.exceptions import InvalidVoiceField, UnknownVoice
from voices.listing import listed_voices
from voices.models import Voice
from voices.presets import PRESETS
from voices.resolving import resolve

CLERK = Actor("user", "clerk")
NAMES = list(PRESETS)


def test_each_name_has_a_row_that_is_nobodys_and_public(db):
    rows = {voice.public_id: voice for voice in Voice.objects.built_in()}
    assert list(rows) == NAMES
    for name, preset in PRESETS.items():
        voice = rows[name]
        assert (voice.name, voice.description) == (preset.label, preset.description)
        assert (voice.account, voice.visibility, voice.state) == (None, "public", "ready")


def test_rows_are_added_once_and_keep_their_state(alloy):
    alloy.set_state(CLERK, "disabled")
    Voice.objects.filter(public_id="ash").update(description="As it was once described")
    Voice.objects.filter(public_id="echo").delete()
    add_voices(using="default", apps=apps)
    assert [voice.public_id for voice in Voice.objects.built_in()] == NAMES
    again = Voice.objects.get(public_id="alloy")
    assert (again.pk, again.state) == (alloy.pk, "disabled")
    assert Voice.objects.get(public_id="ash").description == PRESETS["ash"].description


def test_a_database_from_before_they_had_rows_is_left_alone(db):
    loader = MigrationExecutor(connection).loader
    for before in (("voices", "0001_voices"), ("accounts", "0001_initial")):
        add_voices(using="default", apps=loader.project_state(before).apps)
    assert Voice.objects.count() == 13


@pytest.mark.parametrize("change", [{"kind": "cloned"}, {"kind": "designed"}])
def test_only_a_built_in_voice_is_nobodys(alloy, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        Voice.objects.filter(pk=alloy.pk).update(**change)


def test_no_account_takes_a_built_in_voice(alloy, account):
    with pytest.raises(IntegrityError), transaction.atomic():
        Voice.objects.filter(pk=alloy.pk).update(account=account)


@pytest.mark.parametrize(
    "verb",
    [
        lambda voice, account, **_: voice.change(CLERK, name="Mine"),
        lambda voice, account, **_: voice.share(CLERK, [account]),
        lambda voice, account, **_: voice.transfer(CLERK, account),
        lambda voice, account, **_: voice.restore_version(CLERK, 1),
        lambda voice, account, **_: voice.erase(CLERK),
        lambda voice, account, sample, origin: voice.rerecord(sample, origin),
    ],
    ids=["change", "share", "transfer", "restore", "erase", "rerecord"],
)
def test_what_takes_an_owner_is_refused(alloy, account, sample, origin, verb):
    before = Voice.objects.filter(pk=alloy.pk).values().get()
    with pytest.raises(InvalidVoiceField, match="stays as it is"):
        verb(alloy, account, sample=sample, origin=origin)
    assert Voice.objects.filter(pk=alloy.pk).values().get() == before
    assert not AuditEntry.objects.filter(target_name="alloy").exists()


@pytest.mark.parametrize("wanted", ["alloy", "Alloy", "ALLOY"])
def test_everybody_means_it_by_its_name(alloy, account, charlies, wanted):
    for who in (account, charlies):
        assert resolve(wanted, who) == alloy


def test_one_query_finds_it(alloy, account, django_assert_num_queries):
    with django_assert_num_queries(1):
        resolve("alloy", account)


def test_a_disabled_one_answers_as_if_it_were_not_there_until_it_is_enabled(alloy, account):
    alloy.set_state(CLERK, "disabled")
    assert AuditEntry.objects.get(action="voice.disabled").account_id is None
    for wanted in ("alloy", "Alloy"):
        with pytest.raises(UnknownVoice):
            resolve(wanted, account)
    assert [voice["id"] for voice in listed_voices(account, None)] == NAMES[1:]
    assert list(Voice.objects.silenced()) == [alloy]
    alloy.set_state(CLERK, "ready")
    assert resolve("alloy", account) == alloy
    assert [voice["id"] for voice in listed_voices(account, None)] == NAMES
    assert not Voice.objects.silenced().exists()


def test_the_list_begins_with_them_in_the_words_of_every_client(
    voice, account, django_assert_num_queries
):
    with django_assert_num_queries(2):
        listed = listed_voices(account, None)
    assert [entry["id"] for entry in listed] == [*NAMES, voice.public_id]
    assert listed[0] == {
        "id": "alloy",
        "object": "audio.voice",
        "name": "Alloy",
        "type": "prompt",
        "value": "alloy",
        "label": "Alloy",
        "description": PRESETS["alloy"].description,
        "language": "",
        "created_at": 0,
    }


def test_a_limit_of_voices_does_not_count_them(settings, account, make_voice):
    settings.VOICES_PER_ACCOUNT = 1
    make_voice()
    assert Voice.objects.owned_by(account).count() == 1


def test_whether_its_use_is_noted_is_known_from_the_row(alloy):
    assert not alloy.use_is_noted
    Voice.objects.note_use("alloy")
    alloy.refresh_from_db()
    assert alloy.use_is_noted
    alloy.used_at = timezone.now() - timedelta(hours=1)
    assert not alloy.use_is_noted


@pytest.mark.slow
def test_an_installation_goes_back_and_forth_with_what_it_holds(migrated_dir, tmp_path):
    data = shutil.copytree(migrated_dir, tmp_path / "data")
    count = "from voices.models import Voice; print(Voice.objects.built_in().count())"
    manage(data, "migrate", "voices", "0006", "--verbosity=0")
    with sqlite3.connect(data / "voxplatform.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM voices_voice").fetchone() == (0,)
    manage(data, "migrate", "--verbosity=0")
    assert manage(data, "shell", "-c", count).splitlines()[-1] == "13"
