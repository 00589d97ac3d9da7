"""Recordings in an S3 storage: private, under random names, heard by signed links that end; and
whatever that storage does, what was there stays and nothing half is left."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.conf import settings as configuration
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages

from accounts.audit import Actor, AuditEntry
from tests.voices.conftest import prepared
from tests.voices.object_store import BUCKET, REFUSALS, ObjectStore
from voices import storage
from voices.erasure import Erasure, finish_all
from voices.exceptions import StorageUnavailable
from voices.models import UnclaimedObject, Voice, VoiceConsent

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ACTOR = Actor.of_command("test")
UNWILLING = [*REFUSALS, "slow", "down"]


@pytest.fixture(scope="module")
def object_store():
    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def backend(object_store):
    return storages.create_storage(object_store.options(seconds=0.3))


@pytest.fixture
def store(object_store, backend, monkeypatch):
    object_store.empty()
    configuration.STATIC_ROOT.mkdir(exist_ok=True)  # where the admin's pages look
    monkeypatch.setattr(default_storage, "_wrapped", backend)
    yield object_store
    object_store.fault = None


def get(url, **headers):
    return httpx.get(url, headers=headers, verify=False)


# -- private


def test_a_recording_lies_in_the_bucket_under_a_name_that_tells_nothing(store, voice, account):
    [key] = store.keys()
    assert key == voice.sample.object_key
    assert store.body(key) == voice.sample.wav()
    for word in (voice.name, voice.public_id, account.name):
        assert word.lower() not in key.lower().split("/")[-1]
    assert len(key.split("/")[-1]) > 32


def test_storing_is_one_request_and_reading_another(store, voice):
    assert [method for method, _ in store.requests] == ["PUT"]
    voice.sample.wav()
    assert [method for method, _ in store.requests] == ["PUT", "GET"]


def test_what_is_large_is_stored_in_one_piece_too(store):
    """Of an upload in parts that is broken off the parts would stay, and nobody would find them."""
    patient = storages.create_storage(store.options(seconds=20))
    patient.save("imports/aa/voices.zip", ContentFile(bytes(9 * 2**20)))
    assert [method for method, _ in store.requests] == ["PUT"]
    assert patient.size("imports/aa/voices.zip") == 9 * 2**20


def test_without_a_signature_nobody_gets_it(store, voice):
    key = voice.sample.object_key
    assert get(f"{store.url}/{BUCKET}/{key}").status_code == 403
    grants = store.client.get_object_acl(Bucket=BUCKET, Key=key)["Grants"]
    assert all(grant["Grantee"]["Type"] == "CanonicalUser" for grant in grants)


def test_a_link_opens_it_in_ranges_as_audio_for_a_short_time(store, voice):
    url = storage.link(voice.sample.object_key, "audio/wav", "inline")
    whole = get(url)
    assert (whole.status_code, whole.content) == (200, voice.sample.wav())
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["cache-control"] == "no-store"
    part = get(url, range="bytes=100-199")
    assert (part.status_code, part.content) == (206, voice.sample.wav()[100:200])
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == ["60"]
    assert "secret" not in url


@pytest.mark.parametrize("place", ["recordings/aa/x.wav", "jobs/job_0/book.m4b"])
@pytest.mark.parametrize(
    "forged",
    [
        lambda link: link.replace("/x.wav", "/y.wav").replace("/book", "/look"),
        lambda link: link.replace("attachment", "inline"),
        lambda link: link.replace("Expires=60", "Expires=600"),
        lambda link: link[:-4] + "0000",
        lambda link: re.sub(r"Date=\d{4}", "Date=2099", link),
        lambda link: re.sub(r"&X-Amz-Signature=.*", "", link),
    ],
    ids=["another", "disposition", "longer", "signature", "later", "none"],
)
def test_a_link_that_was_changed_opens_nothing(store, place, forged):
    for name in (place, place.replace("/x.wav", "/y.wav").replace("/book", "/look")):
        default_storage.save(name, ContentFile(b"audio"))
    link = storage.link(place, "audio/wav", "attachment")
    assert get(link).content == b"audio"
    assert get(forged(link)).status_code == 403


def test_a_link_ends(store, backend, monkeypatch):
    default_storage.save("jobs/job_0/book.m4b", ContentFile(b"audio"))
    monkeypatch.setattr(backend, "querystring_expire", 1)
    link = storage.link("jobs/job_0/book.m4b", "audio/mp4", "attachment")
    assert get(link).status_code == 200
    time.sleep(2.1)
    assert get(link).status_code == 403


def test_the_admin_s_player_follows_a_link(store, voice, admin_client):
    page = admin_client.post(
        f"/admin/voices/voice/{voice.pk}/listen/", {"reason": "To hear whether it is clean."}
    )
    sent = admin_client.get(page.context["audio"])
    assert sent.status_code == 302
    assert "no-store" in sent["cache-control"]
    assert get(sent["location"]).content == voice.sample.wav()
    told = get(sent["location"]).headers
    assert told["content-disposition"].startswith("attachment")


def test_erasing_takes_it_out_of_the_bucket(store, voice):
    assert voice.erase(ACTOR).finished_at
    assert store.keys() == []


def test_a_bucket_that_keeps_versions_keeps_none_of_what_is_erased(store, voice):
    versioning = {"Bucket": BUCKET, "VersioningConfiguration": {"Status": "Enabled"}}
    store.client.put_bucket_versioning(**versioning)
    try:
        key = voice.sample.object_key
        other = storage.lend(ContentFile(b"another"), "recordings", ".wav", timedelta(hours=1))
        store.client.put_object(Bucket=BUCKET, Key=key, Body=b"a second version")
        assert voice.erase(ACTOR).finished_at
        left = store.client.list_object_versions(Bucket=BUCKET)
        assert [version["Key"] for version in left["Versions"]] == [other]
        assert "DeleteMarkers" not in left
    finally:
        versioning["VersioningConfiguration"]["Status"] = "Suspended"
        store.client.put_bucket_versioning(**versioning)


# -- unwilling


@pytest.mark.parametrize("fault", UNWILLING)
def test_what_cannot_be_stored_is_refused_and_leaves_no_trace(store, fault, make_voice, consent):
    entries = AuditEntry.objects.count()
    store.fault = fault
    began = time.monotonic()
    with pytest.raises(StorageUnavailable) as refused:
        make_voice()
    assert time.monotonic() - began < 8
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    assert not Voice.objects.owned().exists()
    assert AuditEntry.objects.count() == entries
    store.fault = None
    make_voice()
    assert Voice.objects.owned().get().sample.wav()


def test_what_arrived_although_it_seemed_not_to_is_swept(store, make_voice, monkeypatch):
    store.fault = "slow"  # the answer comes too late, the bytes are there
    with pytest.raises(StorageUnavailable):
        make_voice()
    store.fault = None
    deadline = time.monotonic() + 10
    while not store.keys():  # the door hands on what it took
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert storage.sweep() == 0
    assert store.keys(), "it may still be wanted"
    monkeypatch.setattr(storage, "_ABANDONED", storage.timedelta(0))
    time.sleep(1.2)  # until the last attempt has come through
    assert storage.sweep() == 0
    assert store.keys() == []
    assert not UnclaimedObject.objects.exists()


@pytest.mark.parametrize("fault", ["cut", "slow down", "down", "slow"])
def test_what_cannot_be_read_is_an_answer_and_no_half_recording(store, voice, fault):
    wav = voice.sample.wav()
    store.fault = fault
    with pytest.raises(StorageUnavailable):
        voice.sample.wav()
    store.fault = None
    assert voice.sample.wav() == wav


def test_a_full_or_read_only_storage_is_still_heard(store, voice):
    for fault in ("full", "read-only"):
        store.fault = fault
        assert voice.sample.wav()


@pytest.mark.parametrize("fault", ["read-only", "down"])
def test_erasing_is_finished_when_the_storage_is_back(store, voice, fault):
    store.fault = fault
    receipt = voice.erase(ACTOR)
    assert Voice.objects.owned().get().state == "erased"
    assert receipt.finished_at is None
    assert finish_all() == 1
    store.fault = None
    assert finish_all() == 0
    assert Erasure.objects.get().finished_at
    assert store.keys() == []


def test_a_consent_that_cannot_be_stored_uses_up_no_phrase(store, account, origin):
    store.fault = "down"
    with pytest.raises(StorageUnavailable):
        VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")
    assert not VoiceConsent.objects.exists()
