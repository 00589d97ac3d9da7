"""A voice belongs to an account: what it is called, who sees it, which recording speaks."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage

from accounts.audit import Actor, AuditEntry, verify
from tests.voices.conftest import prepared
from voices import storage
from voices.exceptions import InvalidVoiceField, StorageUnavailable, VoiceLimitReached
from voices.models import Voice, VoiceConsent, VoiceSample
from voices.names import clean_name
from voices.room import kept_bytes
from voices.wav import read_own

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(alice):
    return Actor.of_user(alice)


# -- made


def test_a_voice_is_a_row_with_an_owner_a_consent_a_recording_and_a_history(
    voice, account, sample, consent
):
    assert voice.public_id.startswith("voice_")
    assert (voice.account, voice.consent, voice.state) == (account, consent, "ready")
    assert (voice.version, voice.visibility) == (1, "private")
    assert voice.sample.wav() == sample.wav
    assert voice.sample.report["measures"]["speech_seconds"] > 1


def test_what_is_stored_is_our_own_wav_under_a_name_that_tells_nothing(voice, sample):
    key = voice.sample.object_key
    assert "alice" not in key.lower() and voice.public_id not in key
    assert len(key) > 30
    samples, rate = read_own(storage.read(key))
    assert rate == sample.sample_rate == voice.sample.sample_rate
    assert len(samples)


def test_nothing_is_left_of_a_voice_that_could_not_be_made(make_voice, voice):
    before = set(all_objects())
    with pytest.raises(InvalidVoiceField):
        make_voice(voice.name)
    assert set(all_objects()) == before
    assert Voice.objects.owned().count() == 1


def all_objects(path="recordings"):
    directories, files = default_storage.listdir(path)
    for name in files:
        yield f"{path}/{name}"
    for name in directories:
        yield from all_objects(f"{path}/{name}")


def test_storage_that_fails_is_told_so_and_leaves_no_row(make_voice, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", full)
    with pytest.raises(StorageUnavailable):
        make_voice()
    assert not Voice.objects.owned().exists()


def test_an_account_has_only_so_many_voices(settings, make_voice):
    settings.VOICES_PER_ACCOUNT = 2
    make_voice("One")
    erased = make_voice("Two")
    with pytest.raises(VoiceLimitReached):
        make_voice("Three")
    erased.erase(Actor.of_command("test"))
    make_voice("Three")


def test_an_account_keeps_only_so_many_bytes_of_recordings(
    settings, account, origin, actor, make_voice, sample
):
    voice, size = make_voice(), len(sample.wav)
    given = VoiceConsent.record(account, sample, origin, name="Alice", language="en")
    assert kept_bytes(account) == 2 * size
    settings.VOICE_BYTES_PER_ACCOUNT = 3 * size
    voice.rerecord(sample, origin)
    for more in (
        lambda: voice.rerecord(sample, origin),
        lambda: make_voice("Another"),
        lambda: VoiceConsent.record(account, sample, origin, name="Bob", language="en"),
    ):
        with pytest.raises(VoiceLimitReached) as refused:
            more()
        assert refused.value.code == "voice_limit_reached"
    assert (voice.samples.count(), VoiceConsent.objects.count()) == (2, 2)
    given.erase(actor)
    voice.rerecord(sample, origin)
    voice.erase(actor)
    assert kept_bytes(account) == 0


# -- names


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("  Grandma   reads ", "Grandma reads"),
        ("Ｆｕｌｌ", "Full"),
        ("声", "声"),
        ("<b>{{7*7}}</b>", "<b>{{7*7}}</b>"),
        ("=cmd()", "=cmd()"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("CON", "CON"),
    ],
)
def test_a_name_is_text_and_nothing_more(name, stored):
    assert clean_name(name) == stored


@pytest.mark.parametrize(
    "name",
    ["", "  ", "x" * 101, "zero\u200bwidth", "right\u202eleft", "nul\x00", "voice_1", "cons_x",
     "alloy", "Alloy", "default", "аlloy", "nоva", "ECHO", "ónyx", "a l l o y"],
)  # fmt: skip
def test_a_name_that_nobody_could_tell_apart_is_refused(name):
    with pytest.raises(InvalidVoiceField) as refused:
        clean_name(name)
    assert refused.value.param == "name"


def test_a_name_is_taken_once_in_an_account_whatever_its_case(make_voice, charlies):
    make_voice("Grandma")
    with pytest.raises(InvalidVoiceField) as refused:
        make_voice("GRANDMA")
    assert refused.value.code == "name_taken"
    make_voice("Grandma", owner=charlies)


# -- who sees it


def test_a_private_voice_is_its_accounts_alone(voice, account, charlies):
    for wanted in (voice.public_id, voice.name, voice.name.upper()):
        assert Voice.objects.find(wanted, account) == voice
        assert Voice.objects.find(wanted, charlies) is None
    assert not Voice.objects.owned().visible_to(None).exists()


def test_a_shared_voice_is_seen_by_those_it_is_shared_with(voice, actor, charlies, account):
    voice.share(actor, [charlies])
    assert Voice.objects.find(voice.name, charlies) == voice
    assert not Voice.objects.owned().visible_to(None).exists()
    voice.share(actor, [])
    assert Voice.objects.find(voice.public_id, charlies) is None


def test_a_public_voice_is_everybodys(voice, actor, charlies):
    voice.change(actor, visibility="public")
    assert Voice.objects.find(voice.public_id, charlies) == voice
    assert list(Voice.objects.owned().visible_to(None)) == [voice]


def test_others_see_no_voice_that_does_not_speak(voice, actor, charlies, account):
    voice.change(actor, visibility="public")
    voice.set_state(actor, "disabled")
    assert Voice.objects.find(voice.public_id, charlies) is None
    assert Voice.objects.find(voice.public_id, account) == voice


def test_a_name_means_ones_own_voice_then_a_shared_then_a_public_one(
    make_voice, account, charlies, actor, django_user_model
):
    from accounts.models import Account

    third = Account.objects.create(name="third")
    public, shared, own = (
        make_voice("Reader", owner=third),
        make_voice("Reader"),
        make_voice("Reader", owner=charlies),
    )
    public.change(actor, visibility="public")
    shared.share(actor, [charlies])
    assert Voice.objects.find("reader", charlies) == own
    own.erase(actor)
    assert Voice.objects.find("reader", charlies) == shared
    shared.share(actor, [])
    assert Voice.objects.find("reader", charlies) == public


# -- versions


def test_a_new_recording_is_a_new_version_and_an_old_one_can_speak_again(voice, origin, actor):
    epoch = voice.epoch
    again = prepared(8.0)
    voice.rerecord(again, origin)
    assert (voice.version, voice.sample.wav()) == (2, again.wav)
    voice.restore_version(actor, 1)
    assert (voice.version, voice.sample.wav()) == (1, prepared().wav)
    assert voice.epoch > epoch + 1
    assert voice.rerecord(again, origin).version == 3
    with pytest.raises(VoiceSample.DoesNotExist):
        voice.restore_version(actor, 9)


def test_two_who_change_a_voice_do_not_undo_each_other(voice, actor):
    other = Voice.objects.get(pk=voice.pk)
    other.set_state(actor, "disabled")
    voice.change(actor, description="A calm reader")
    other.refresh_from_db()
    assert (other.state, other.description) == ("disabled", "A calm reader")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"language": "english please"}, "language"),
        ({"description": "x" * 501}, "description"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"name": "nova"}, "name"),
    ],
)
def test_what_may_not_be_set_is_named(voice, actor, fields, param):
    with pytest.raises(InvalidVoiceField) as refused:
        voice.change(actor, **fields)
    assert refused.value.param == param


def test_a_voice_can_change_hands(voice, actor, account, charlies):
    voice.change(actor, visibility="public")
    voice.transfer(actor, charlies)
    assert Voice.objects.find(voice.public_id, charlies) == voice
    assert Voice.objects.find(voice.public_id, account) is None


# -- the log


def test_everything_that_is_done_is_logged_and_no_name_with_it(voice, origin, actor, charlies):
    voice.change(actor, name="Somebody else")
    voice.share(actor, [charlies])
    voice.rerecord(prepared(8.0), origin)
    voice.restore_version(actor, 1)
    voice.set_state(actor, "disabled")
    voice.transfer(actor, charlies)
    voice.erase(actor)
    actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))
    assert actions == [
        "consent.give", "voice.create", "voice.change", "voice.share", "voice.record",
        "voice.restore", "voice.disabled", "voice.transfer", "voice.erase",
    ]  # fmt: skip
    verify()
    told = "".join(map(str, AuditEntry.objects.values_list("target_name", "details")))
    assert "Somebody" not in told and "Alice reads" not in told
