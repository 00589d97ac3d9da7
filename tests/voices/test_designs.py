"""A draft belongs to an account, is few, and goes after a day with all that was spoken for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.audit import AuditEntry
from voices import storage
from voices.designs import drop_expired
from voices.erasure import finish_all, tombstones
from voices.exceptions import InvalidVoiceField, StorageUnavailable, VoiceLimitReached
from voices.models import DesignCandidate, Erasure, Voice, VoiceDesign
from voices.presets import PRESETS
from voices.tombstones import reapply

pytestmark = pytest.mark.django_db
TEXT = PRESETS["alloy"].sentence


@pytest.fixture
def design(account, origin, sample):
    design = VoiceDesign.draft(account, origin, "A calm old man", TEXT, "en-gb")
    for seed in (5, 6):
        design.add(sample, TEXT, seed, "voxcpm2")
    return design


def test_nothing_is_stored_before_the_first_candidate(account, origin):
    VoiceDesign.draft(account, origin, "A calm old man", TEXT)
    assert not VoiceDesign.objects.exists()


def test_the_kept_candidate_is_a_voice_and_the_others_are_erased(design, origin):
    first, second = design.candidates.all()
    voice = Voice.keep(second, origin, name="Grandpa")
    assert (voice.kind, voice.state, voice.language) == ("designed", "ready", "en-GB")
    assert (voice.description, voice.sample.transcript) == ("A calm old man", TEXT)
    assert voice.sample.wav()
    with pytest.raises(StorageUnavailable):
        storage.read(first.object_key)
    assert not VoiceDesign.objects.exists() and not DesignCandidate.objects.exists()
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["voice.design"]


@pytest.mark.parametrize("policy", ["off", "attestation", "recording", "recording+review"])
def test_nobody_is_asked_for_consent(settings, design, origin, policy):
    settings.REQUIRE_CONSENT = policy
    Voice.keep(design.candidates.first(), origin, name="Grandpa").check_usable()


def test_what_cannot_be_kept_leaves_the_draft(settings, design, origin):
    with pytest.raises(InvalidVoiceField):
        Voice.keep(design.candidates.first(), origin, name="nova")
    settings.VOICES_PER_ACCOUNT = 0
    with pytest.raises(VoiceLimitReached):
        Voice.keep(design.candidates.first(), origin, name="Grandpa")
    assert [candidate.wav() for candidate in design.candidates.all()]


def test_what_is_undone_on_its_way_leaves_the_draft_also_after_a_start(design, origin, monkeypatch):
    def full(self):
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as database, pytest.raises(OperationalError):
        database.setattr(VoiceDesign, "delete", full)
        Voice.keep(design.candidates.first(), origin, name="Grandpa")
    assert (tombstones(), reapply()) == (set(), 0)
    assert [candidate.wav() for candidate in design.candidates.all()]


def test_a_tombstone_that_a_kill_left_out_is_written_before_anything_is_deleted(
    design, origin, monkeypatch
):
    first, second = design.candidates.all()
    with monkeypatch.context() as killed:
        killed.setattr(Erasure, "finish_if_possible", lambda erasure: None)
        Voice.keep(second, origin, name="Grandpa")
    assert (tombstones(), bool(first.wav())) == (set(), True)
    assert finish_all() == 0
    assert tombstones() == {("design", design.public_id)}
    with pytest.raises(StorageUnavailable):
        first.wav()


def test_a_designed_voice_takes_no_recording_of_a_person(design, origin, sample):
    voice = Voice.keep(design.candidates.first(), origin, name="Grandpa")
    with pytest.raises(InvalidVoiceField):
        voice.rerecord(sample, origin)
    assert voice.version == 1


def test_a_draft_goes_after_a_day(design, account, sample):
    keys = list(design.candidates.values_list("object_key", flat=True))
    drop_expired()
    assert VoiceDesign.objects.living(account).get() == design
    VoiceDesign.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not VoiceDesign.objects.living(account).exists()
    drop_expired()
    assert not VoiceDesign.objects.exists()
    for key in keys:
        with pytest.raises(StorageUnavailable):
            storage.read(key)
    assert Erasure.objects.get().finished_at
