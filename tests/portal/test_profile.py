"""What a person prefers; and how they leave, with everything, and for good."""

from __future__ import annotations

import io
import json
import random
import zipfile
from copy import copy

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.utils import timezone

from accounts.audit import Actor
from accounts.exceptions import InvalidKey
from accounts.models import Account, ApiKey, Invitation, Membership, Profile
from portal import taking_along
from speech import history
from speech.longform.storage import finish_erasing, folder
from speech.models import ErasedFolder, HistoryItem, Job, Segment, UsageRecord
from tests.forms import send
from tests.longform.conftest import storage_down
from tests.portal.conftest import spoken
from tests.voices.conftest import prepared
from voices.models import Origin, Voice, VoiceConsent, VoiceDesign
from voices.tombstones import reapply

pytestmark = pytest.mark.usefixtures("tombstones_file")


@pytest.fixture
def signed_in(at_alice):
    """Alice has shown again, a moment ago, who she is."""
    answer = at_alice.post("/account/reauthenticate/", {"password": "alice's password"})
    assert answer.status_code == 302
    return at_alice


def taken_along(browser):
    """The zip, as a server sends it: piece by piece."""
    asynchronous = AsyncClient()
    asynchronous.cookies = browser.cookies

    @async_to_sync
    async def pieces():
        answer = await asynchronous.post("/account/profile/export/")
        return [piece async for piece in answer]

    return zipfile.ZipFile(io.BytesIO(b"".join(pieces())))


def test_preferences_are_kept_and_hold(at_alice, alice):
    form = {"language": "zh-hant", "theme": "dark", "time_zone": "Asia/Taipei"}
    answer = send(at_alice, "/account/profile/", {**form, "default_format": "opus"})
    assert answer.status_code == 302
    profile = Profile.objects.get(user=alice)
    assert (profile.time_zone, profile.default_format) == ("Asia/Taipei", "opus")
    assert b'lang="zh-hant" data-theme="dark"' in at_alice.get("/account/profile/").content


def test_the_studio_begins_with_the_voice_of_the_person_then_of_the_account(
    at_alice, alice, account
):
    def begins_with(query=""):
        return at_alice.get(f"/studio/{query}").context["voice"]["id"]

    account.default_voice = "nova"
    account.save()
    assert begins_with() == "nova"
    form = {"theme": "dark", "default_format": "mp3"}
    send(at_alice, "/account/profile/", {**form, "default_voice": "echo"})
    assert begins_with() == "echo"
    assert begins_with("?voice=onyx") == "onyx"
    assert send(at_alice, "/account/profile/", {**form, "default_voice": "x"}).status_code == 400
    Profile.objects.update(default_voice="voice_of_another_account")
    assert begins_with() == "nova"
    kept = {**form, "default_voice": "voice_of_another_account"}
    assert send(at_alice, "/account/profile/", kept).status_code == 302


def test_the_studio_is_as_the_person_prefers_it(at_alice):
    form = {"language": "ja", "theme": "dark", "default_voice": "echo", "default_format": "opus"}
    assert send(at_alice, "/account/profile/", form).status_code == 302
    at_alice.cookies.pop("django_language")  # what counts is the profile
    at_alice.cookies.pop("theme")
    studio = at_alice.get("/studio/").content.decode()
    assert '<html lang="ja" data-theme="dark"' in studio
    assert "<option selected>opus</option>" in studio
    assert 'id="voice" value="echo"' in studio
    send(at_alice, "/account/profile/", {**form, "language": "", "theme": "auto"})
    studio = at_alice.get("/studio/", headers={"accept-language": "zh-hant"}).content.decode()
    assert '<html lang="zh-hant">' in studio


def test_a_wrong_preference_is_named(at_alice):
    form = {"theme": "dark", "time_zone": "Mars/Base", "default_format": "wav"}
    answer = send(at_alice, "/account/profile/", form)
    assert answer.status_code == 400
    assert "time_zone" in answer.context["form"].errors


def test_everything_that_is_theirs_goes_along(signed_in, alice, account, api_key):
    spoken(alice, account, "something private")
    archive = taken_along(signed_in)
    person = json.loads(archive.read("person.json"))
    assert (person["username"], person["keys"][0]["name"]) == ("alice", "Alice's laptop")
    assert json.loads(archive.read("history.json"))[0]["text"] == "something private"
    assert "alloy" in archive.read("usage.csv").decode()


def test_a_recording_that_is_missing_is_named_and_the_rest_goes_along(signed_in, alice, account):
    there, gone = (spoken(alice, account, text) for text in ("there", "gone"))
    HistoryItem.objects.filter(pk=gone).update(audio_key="history/no/such.flac")
    history.add_audio(there, "history/th/there.flac", ContentFile(b"fLaC" * 1000))
    archive = taken_along(signed_in)
    assert archive.read(f"history/{there}.flac") == b"fLaC" * 1000
    assert f"history/{gone}.flac" in archive.read("missing.txt").decode().splitlines()
    assert f"history/{gone}.flac" not in archive.namelist()
    assert archive.testzip() is None


def test_consents_drafts_and_the_audio_of_long_texts_go_along(signed_in, account, origin, sample):
    consent = VoiceConsent.record(account, sample, origin, name="Alice", language="en")
    design = VoiceDesign.draft(account, origin, "A calm voice", "Something to hear it by, at last.")
    design.add(sample, design.text, 7, "tone")
    job = Job.objects.create(account=account, title="A book")
    audio = default_storage.save(f"jobs/{job.public_id}/0.flac", ContentFile(b"fLaC"))
    Segment.objects.create(job=job, index=0, text="Once.", characters=5, audio=audio)
    archive = taken_along(signed_in)
    assert json.loads(archive.read("consents.json"))[0]["public_id"] == consent.public_id
    assert archive.read(f"consents/{consent.public_id}.wav") == sample.wav
    assert json.loads(archive.read("designs.json"))[0]["description"] == "A calm voice"
    assert archive.read(f"designs/{design.public_id}-1.wav") == sample.wav
    assert archive.read(f"long-texts/{job.public_id}/000000.flac") == b"fLaC"
    assert "missing.txt" not in archive.namelist()


def test_what_is_taken_along_is_never_in_memory_as_a_whole(signed_in, alice, account):
    noise = random.Random(1).randbytes(4_000_000)  # that does not become smaller
    history.add_audio(spoken(alice, account, "loud"), "history/lo/loud.flac", ContentFile(noise))

    @async_to_sync
    async def sizes():
        pieces = taking_along.export(alice, Actor.of_user(alice))
        return [len(piece) async for piece in pieces]

    assert sum(sizes()) > len(noise)
    assert max(sizes()) < 300_000


def test_who_signed_in_long_ago_shows_who_they_are_first(at_alice):
    for path in ("export/", "erase/"):
        answer = at_alice.post(f"/account/profile/{path}", {"username": "alice"})
        assert "/account/reauthenticate/" in answer.headers["location"]
    assert User.objects.filter(username="alice").exists()


def test_what_was_asked_for_goes_on_once_they_have(at_alice):
    where = at_alice.post("/account/profile/export/").headers["location"]
    answer = at_alice.post(where, {"password": "alice's password"})
    assert answer.headers["content-type"] == "application/zip"


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


def test_who_left_is_erased_again_when_an_older_backup_brings_them_back(
    signed_in, alice, charlie, account, tombstones_file
):
    before = copy(alice)
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert "alice" not in tombstones_file.read_text()
    assert reapply() == 0
    # As a restore leaves it: the rows of before.
    before.save(force_insert=True)
    Account.objects.filter(pk=account.pk).update(name="alice", personal_of=before, is_active=True)
    Membership.objects.create(user=before, account=account, role="owner")
    spoken(before, account, "something private")
    assert reapply() == 1
    assert [user.username for user in User.objects.all()] == ["charlie"]
    assert not HistoryItem.objects.exists()
    assert reapply() == 0


@pytest.fixture
def voice(alice, account):
    origin = Origin(Actor.of_user(alice), user=alice)
    consent = VoiceConsent.attest(account, "Alice says that this is her own voice.", origin)
    return Voice.clone(account, "Alice reads", prepared(), consent, origin)


def test_the_voices_of_their_own_account_go_along_and_are_erased(signed_in, voice, tombstones_file):
    key = voice.sample.object_key
    names = taken_along(signed_in).namelist()
    assert f"voices/{voice.public_id}-1.zip" in names
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert not default_storage.exists(key)
    assert voice.public_id in tombstones_file.read_text()
    assert VoiceConsent.objects.get().deleted_at


def test_long_texts_go_along_and_are_erased(signed_in, account):
    job = Job.objects.create(account=account, title="A book")
    Segment.objects.create(job=job, index=0, text="Once upon a time.", characters=17)
    archive = taken_along(signed_in)
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


def test_erasing_takes_the_invitations_to_verified_addresses_alone(signed_in, alice, charlie):
    team = Account.objects.create(name="Studio")
    for email, verified in (("alice@example.com", True), ("boss@example.com", False)):
        EmailAddress.objects.update_or_create(
            user=alice, email=email, defaults={"verified": verified}
        )
        Invitation.send(team.pk, email, "member", charlie, Actor.of_user(charlie))
    User.objects.filter(pk=alice.pk).update(email="boss@example.com")
    signed_in.post("/account/profile/erase/", {"username": "alice"})
    assert [one.email for one in Invitation.objects.all()] == ["boss@example.com"]


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
