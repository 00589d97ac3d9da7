"""What a person prefers; and how they leave, with everything, and for good."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.audit import Actor
from accounts.exceptions import InvalidKey
from accounts.models import Account, ApiKey, Membership, Profile
from speech.longform.storage import finish_erasing, folder
from speech.models import ErasedFolder, HistoryItem, Job, Segment, UsageRecord
from tests.longform.conftest import storage_down
from tests.portal.conftest import spoken
from tests.voices.conftest import prepared
from voices.models import Origin, Voice, VoiceConsent


@pytest.fixture
def signed_in(at_alice):
    """Alice has shown again, a moment ago, who she is."""
    answer = at_alice.post("/account/reauthenticate/", {"password": "alice's password"})
    assert answer.status_code == 302
    return at_alice


def test_preferences_are_kept_and_hold(at_alice, alice):
    form = {"language": "zh-hant", "theme": "dark", "time_zone": "Asia/Taipei"}
    answer = at_alice.post("/account/profile/", {**form, "default_format": "opus"})
    assert answer.status_code == 302
    profile = Profile.objects.get(user=alice)
    assert (profile.time_zone, profile.default_format) == ("Asia/Taipei", "opus")
    assert b'lang="zh-hant" data-theme="dark"' in at_alice.get("/account/profile/").content


def test_a_wrong_preference_is_named(at_alice):
    form = {"theme": "dark", "time_zone": "Mars/Base", "default_format": "wav"}
    answer = at_alice.post("/account/profile/", form)
    assert answer.status_code == 400
    assert "time_zone" in answer.context["form"].errors


def test_everything_that_is_theirs_goes_along(signed_in, alice, account, api_key):
    spoken(alice, account, "something private")
    answer = signed_in.post("/account/profile/export/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    person = json.loads(archive.read("person.json"))
    assert (person["username"], person["keys"][0]["name"]) == ("alice", "Alice's laptop")
    assert json.loads(archive.read("history.json"))[0]["text"] == "something private"
    assert "alloy" in archive.read("usage.csv").decode()


def test_who_signed_in_long_ago_shows_who_they_are_first(at_alice):
    for path in ("export/", "erase/"):
        answer = at_alice.post(f"/account/profile/{path}", {"username": "alice"})
        assert "/account/reauthenticate/" in answer.headers["location"]
    assert User.objects.filter(username="alice").exists()


def test_what_was_asked_for_goes_on_once_they_have(at_alice):
    where = at_alice.post("/account/profile/export/").headers["location"]
    answer = at_alice.post(where, {"password": "alice's password"})
    assert answer.headers["content-type"] == "application/zip"
    assert b"".join(answer.streaming_content).startswith(b"PK")


def test_erasing_leaves_numbers_under_another_name(signed_in, alice, account, raw_key):
    record = spoken(alice, account, "something private")
    assert signed_in.post("/account/profile/erase/", {"username": "alice"}).status_code == 302
    assert not User.objects.filter(username="alice").exists()
    assert not HistoryItem.objects.exists()
    account.refresh_from_db()
    assert account.name.startswith("erased-")
    assert not account.is_active
    row = UsageRecord.objects.get(pk=record)
    assert (row.user, row.account, row.characters) == (None, account, len("something private"))
    with pytest.raises(InvalidKey):
        ApiKey.objects.for_key(raw_key)
    assert signed_in.get("/keys/").status_code == 302


@pytest.fixture
def voice(alice, account, settings, tmp_path):
    settings.TOMBSTONES_FILE = tmp_path / "tombstones.jsonl"
    origin = Origin(Actor.of_user(alice), user=alice)
    consent = VoiceConsent.attest(account, "Alice says that this is her own voice.", origin)
    return Voice.clone(account, "Alice reads", prepared(), consent, origin)


def test_the_voices_of_their_own_account_go_along_and_are_erased(signed_in, voice, tmp_path):
    key = voice.sample.object_key
    answer = signed_in.post("/account/profile/export/")
    names = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()
    assert f"voices/{voice.public_id}-1.zip" in names
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert not default_storage.exists(key)
    assert voice.public_id in (tmp_path / "tombstones.jsonl").read_text()
    assert VoiceConsent.objects.get().deleted_at


def test_long_texts_go_along_and_are_erased(signed_in, account):
    job = Job.objects.create(account=account, title="A book")
    Segment.objects.create(job=job, index=0, text="Once upon a time.", characters=17)
    answer = signed_in.post("/account/profile/export/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert json.loads(archive.read("long-texts.json"))[0]["text"] == ["Once upon a time."]
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert not Job.objects.exists()


def test_who_leaves_while_the_storage_is_down_leaves_nothing_that_nobody_removes(
    signed_in, account
):
    job = Job.objects.create(account=account, title="A book")
    key = default_storage.save(f"{folder(job)}/000000.flac", ContentFile(b"fLaC"))
    with storage_down():
        answer = signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert answer.status_code == 302
    assert not User.objects.filter(username="alice").exists()
    ErasedFolder.objects.update(look_at=timezone.now())
    finish_erasing()
    assert not default_storage.exists(key)


def test_it_takes_ones_own_name_to_erase(signed_in):
    assert signed_in.post("/account/profile/erase/", {"username": "bob"}).status_code == 400
    assert User.objects.filter(username="alice").exists()


def test_nobody_leaves_others_without_an_owner(signed_in, alice, charlie):
    team = Account.objects.create(name="Studio")
    Membership.objects.create(user=alice, account=team, role="owner")
    Membership.objects.create(user=charlie, account=team)
    assert signed_in.post("/account/profile/erase/", {"username": "alice"}).status_code == 400
    assert User.objects.filter(username="alice").exists()


def test_a_shared_account_keeps_what_is_its_own(signed_in, alice, charlie):
    team = Account.objects.create(name="Studio")
    Membership.objects.create(user=alice, account=team, role="owner")
    Membership.objects.create(user=charlie, account=team, role="owner")
    ApiKey.issue(team, "theirs", created_by=alice)
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    team.refresh_from_db()
    assert (team.name, team.keys.get().revoked_at) == ("Studio", None)
