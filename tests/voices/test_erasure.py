"""What is erased is gone: from storage, from the database's bytes, and again after the restore of
an older backup; whatever interrupts it is made up for."""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path

import pytest
from django.conf import settings as configuration
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.audit import Actor
from tests.voices.recordings import RATE, noise, speech
from voices import storage
from voices.designs import drop_expired
from voices.erasure import Erasure, finish_all
from voices.exceptions import StorageUnavailable
from voices.models import DesignCandidate, Voice, VoiceDesign, VoiceSample
from voices.presets import PRESETS
from voices.samples import Cut, prepare
from voices.tombstones import reapply

pytestmark = pytest.mark.django_db
ACTOR = Actor.of_command("test")
SECRET = "Xanthippe"


def test_an_erased_voice_is_as_if_it_had_never_been(voice, account, sample):
    voice.change(ACTOR, name=SECRET, description=SECRET, tags=[SECRET])
    key = voice.sample.object_key
    receipt = voice.erase(ACTOR)
    assert Voice.objects.find(voice.public_id, account) is None
    assert Voice.objects.find(SECRET, account) is None
    assert not VoiceSample.objects.exists()
    with pytest.raises(StorageUnavailable):
        storage.read(key)
    assert receipt.finished_at and receipt.waiting == []
    assert len(receipt.hashes) == 1


def test_its_name_is_free_again(voice, make_voice):
    name = voice.name
    voice.erase(ACTOR)
    make_voice(name)


def test_a_tombstone_holds_an_id_and_hashes_only(voice, tombstones_file):
    receipt = voice.erase(ACTOR)
    [stone] = [json.loads(line) for line in tombstones_file.read_text().split("\n") if line]
    assert set(stone) == {"kind", "id", "sha256", "at"}
    assert (stone["id"], stone["sha256"]) == (voice.public_id, receipt.hashes)
    assert tombstones_file.stat().st_mode & 0o077 == 0


def test_without_a_tombstone_nothing_is_erased(voice, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.TOMBSTONES_FILE = tmp_path / "file" / "tombstones.jsonl"
    with pytest.raises(StorageUnavailable):
        voice.erase(ACTOR)
    assert Voice.objects.owned().get().state == "ready"
    assert voice.sample.wav()


def test_what_the_storage_cannot_delete_now_is_deleted_later(voice, monkeypatch):
    def gone(*args):
        raise OSError(5, "Input/output error")

    key = voice.sample.object_key
    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", gone)
        receipt = voice.erase(ACTOR)
        assert Voice.objects.owned().get().state == "erased"
        assert (receipt.finished_at, receipt.waiting) == (None, [key])
        assert finish_all() == 1
    assert finish_all() == 0
    assert Erasure.objects.get().finished_at
    assert not default_storage.exists(key)


def test_what_an_older_backup_brings_back_is_erased_again(voice, consent, account):
    name, public_id = voice.name, voice.public_id
    wav, key = voice.sample.wav(), voice.sample.object_key
    voice.erase(ACTOR)
    consent.erase(ACTOR)
    # As a restore leaves it: the rows and the objects of before.
    Voice.objects.filter(public_id=public_id).update(name=name, name_key=name, state="ready")
    VoiceSample.objects.create(
        voice=voice, version=1, object_key=key, sha256="", size=1, sample_rate=1
    )
    default_storage.save(key, ContentFile(wav))
    type(consent).objects.update(state="active", deleted_at=None)
    assert reapply() == 2
    assert Voice.objects.owned().get().state == "erased"
    assert not default_storage.exists(key)
    assert reapply() == 0


@pytest.mark.parametrize("end", ["discarded", "kept", "expired"])
def test_a_draft_of_a_design_that_an_older_backup_brings_back_is_erased_again(
    account, origin, sample, end
):
    design = VoiceDesign.draft(account, origin, "A calm old man", PRESETS["alloy"].sentence)
    candidates = [design.add(sample, "What was said.", seed, "voxcpm2") for seed in (5, 6)]
    before = copy(design), [copy(candidate) for candidate in candidates]
    if end == "expired":
        VoiceDesign.objects.update(expires_at=timezone.now())
        drop_expired()
    elif end == "kept":
        Voice.keep(candidates[0], origin, name="Grandpa").erase(ACTOR)
    else:
        design.discard(ACTOR)
    # As a restore leaves it: the rows and the objects of before.
    before[0].save(force_insert=True)
    for candidate in before[1]:
        default_storage.save(candidate.object_key, ContentFile(sample.wav))
        candidate.design = before[0]
        candidate.save(force_insert=True)
    assert reapply() == 1
    assert not VoiceDesign.objects.exists() and not DesignCandidate.objects.exists()
    assert not any(default_storage.exists(candidate.object_key) for candidate in before[1])
    assert reapply() == 0


def test_a_line_that_a_crash_cut_short_hides_no_other(voice, make_voice, tombstones_file):
    tombstones_file.write_text('{"kind": "voice", "id": "voi')
    voice.erase(ACTOR)
    Voice.objects.update(state="ready", name="again", name_key="again")
    assert reapply() == 1


@pytest.mark.django_db(transaction=True)
def test_no_byte_of_it_is_left_in_database_storage_or_log(account, origin, consent):
    words = f"{SECRET} says what nobody else says, in a voice of her own."
    sample = prepare(speech(5) + noise(5, 0.002, seed=77), RATE, Cut.BEST)  # like no other test's
    voice = Voice.clone(
        account, SECRET, sample, consent, origin, transcript=words, description=f"{SECRET} herself"
    )
    wav = voice.sample.wav()
    piece = wav[20_000:20_400]
    assert found(SECRET.encode()) and found(piece)
    voice.erase(ACTOR)
    assert found(SECRET.encode()) == []
    assert found(piece) == []


def found(needle):
    """Every file of the platform that holds these bytes."""
    return [
        path
        for path in Path(configuration.DATA_DIR).rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]
