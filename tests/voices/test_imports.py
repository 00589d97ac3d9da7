"""Many recordings become voices, each by the same check and policy as one that comes alone; what
interrupts it makes nothing twice and loses nothing."""

from __future__ import annotations

import io

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from accounts.audit import AuditEntry
from tests.voices.archives import archive, honest, table
from tests.voices.recordings import clip, noise, wav
from voices import imports, storage
from voices.bundle import RefusedBundle
from voices.exceptions import InvalidVoiceField, StorageUnavailable
from voices.imports import advance, begin
from voices.models import Erasure, ImportedFile, UnclaimedObject, Voice, VoiceImport

pytestmark = pytest.mark.django_db
WORD = "The owners of these voices agree."


def reports():
    return dict(ImportedFile.objects.values_list("name", "report"))


def after(files):
    """Something that wants to stop when so many files are done."""
    return lambda: ImportedFile.objects.exclude(state="waiting").count() >= files


def test_every_line_becomes_a_voice_or_says_why_not(account, origin):
    lines = [
        'a.wav,Alice reads,,en-GB,calm,"She told me so, in words.",',
        "b.wav,Bob,,,,,",
        "c.wav,Nobody,,,,,",
        "d.wav,alloy,,,,,",
        "missing.wav,Missing,,,,,",
        "a.mp3,Foreign,,,,cons_000000000000000000000000,",
        "e.wav,Words,These are some other words than those that are spoken here at all,,,,",
    ]
    files = {"a.wav": clip("wav"), "b.wav": clip("mp3"), "c.wav": wav(noise(3))}
    files |= {"d.wav": clip("wav"), "a.mp3": clip("mp3"), "e.wav": clip("wav", 2.0)}
    made = begin(account, archive({"voices.csv": table(*lines), **files}), origin, WORD)
    assert advance() and not advance()
    assert set(Voice.objects.owned().values_list("name", flat=True)) == {"Alice reads", "Bob"}
    alice = Voice.objects.get(name="Alice reads")
    assert (alice.account, alice.language, alice.created_by) == (account, "en-GB", origin.user)
    assert alice.consent.statement == "She told me so, in words."
    assert Voice.objects.get(name="Bob").consent.statement == WORD
    said = reports()
    assert said["Alice reads"] == said["Bob"] == ""
    assert "speech" in said["Nobody"]
    assert "built-in" in said["alloy"]
    assert "no such file" in said["Missing"]
    assert "consent" in said["Foreign"]
    assert "transcript" in said["Words"].lower()
    made.refresh_from_db()
    assert (made.state, made.archive_key) == ("done", "")
    assert made.count() == {"waiting": 0, "done": 2, "failed": 5}
    assert AuditEntry.objects.filter(action="voices.import").count() == 1


def test_the_archive_is_gone_at_the_end(account, origin):
    made = begin(account, honest("Alice"), origin, WORD)
    assert default_storage.exists(made.archive_key)
    advance()
    assert storage.sweep() == 0
    assert not default_storage.exists(made.archive_key)
    assert not UnclaimedObject.objects.exists()


def test_where_nobody_answers_for_the_owner_nothing_is_imported(account, origin):
    begin(account, honest("Alice"), origin)
    advance()
    assert not Voice.objects.owned().exists()
    assert "owner of the voice agrees" in reports()["Alice"]


def test_a_word_is_not_enough_where_the_policy_asks_for_more(account, origin, settings):
    settings.REQUIRE_CONSENT = "recording"
    begin(account, honest("Alice"), origin, WORD)
    advance()
    assert not Voice.objects.owned().exists()


def test_what_is_interrupted_goes_on_and_nothing_is_made_twice(account, origin):
    begin(account, honest("A", "B", "C"), origin, WORD)
    advance(after(1))
    assert Voice.objects.owned().count() == 1
    advance(after(3))
    assert not advance()
    assert sorted(Voice.objects.owned().values_list("name", flat=True)) == ["A", "B", "C"]


def test_a_voice_whose_line_was_not_marked_before_a_kill_is_not_made_again(account, origin):
    made = begin(account, honest("A"), origin, WORD)
    advance()
    # As a kill leaves it that comes between the voice and its line.
    UnclaimedObject.objects.all().delete()
    ImportedFile.objects.update(state="waiting")
    VoiceImport.objects.update(
        state="running", ended_at=None, archive_key=made.archive_key, lease_until=made.created_at
    )
    assert advance()
    assert Voice.objects.owned().count() == 1
    assert ImportedFile.objects.get().state == "done"


def test_a_line_that_fails_its_worker_blocks_no_other_and_is_reported_in_the_end(
    account, origin, monkeypatch
):
    begin(account, honest("A", "B"), origin, WORD)
    make = imports._make

    def fail(file, *rest):
        if file.name == "A":
            raise RuntimeError("nobody foresaw this")
        make(file, *rest)

    monkeypatch.setattr(imports, "_make", fail)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            advance()
    assert [voice.name for voice in Voice.objects.owned().all()] == ["B"]
    assert advance() and not advance()
    assert "3 times" in reports()["A"]
    assert VoiceImport.objects.get().state == "done"


def test_a_storage_that_is_down_is_no_fault_of_a_line(account, origin, monkeypatch):
    begin(account, honest("A"), origin, WORD)

    def fail(*_):
        raise StorageUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(imports, "_make", fail)
        for _ in range(5):
            with pytest.raises(StorageUnavailable):
                advance()
    assert advance()
    assert Voice.objects.owned().get().name == "A"


def test_two_who_look_at_once_do_not_work_on_the_same(account, origin):
    begin(account, honest("A"), origin, WORD)
    first = VoiceImport.claim()
    assert first and VoiceImport.claim() is None
    first.release()
    second = VoiceImport.claim()
    assert second and not first.renew()
    first.finish()
    second.refresh_from_db()
    assert second.state == "running"


def test_what_is_cancelled_stops_before_the_next_file(account, origin):
    made = begin(account, honest("A", "B"), origin, WORD)

    def cancel():
        if Voice.objects.owned().exists():
            made.cancel(origin.actor)
        return False

    advance(cancel)
    made.refresh_from_db()
    assert made.state == "cancelled"
    assert made.count()["done"] == 1
    assert not advance()


def test_an_erased_voice_leaves_no_name_in_the_report(account, origin):
    begin(account, honest("Philippa"), origin, WORD)
    advance()
    Voice.objects.owned().get().erase(origin.actor)
    file = ImportedFile.objects.get()
    assert (file.name, file.file, file.consent) == ("", "", "")


def test_a_refused_archive_leaves_nothing(account, origin):
    with pytest.raises(RefusedBundle):
        begin(account, io.BytesIO(b"no zip"), origin)
    with pytest.raises(InvalidVoiceField):
        begin(account, honest("A"), origin, "short")
    assert not VoiceImport.objects.exists() and not UnclaimedObject.objects.exists()


def test_what_was_erased_is_not_imported_by_an_older_database(account, origin):
    begin(account, honest("A", "B"), origin, WORD)
    Erasure.begin("voice", ImportedFile.objects.get(name="A").voice_id, {})
    advance()
    assert [voice.name for voice in Voice.objects.owned().all()] == ["B"]
    assert not ImportedFile.objects.filter(name="A").exists()


# -- the command


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "alice.wav").write_bytes(clip("wav"))
    (tmp_path / "voices.csv").write_bytes(table("alice.wav,Alice,,,,,"))
    return tmp_path


def run(*arguments):
    out, errors = io.StringIO(), io.StringIO()
    call_command("importvoices", *map(str, arguments), stdout=out, stderr=errors)
    return out.getvalue(), errors.getvalue()


def test_a_folder_is_imported_in_front_of_ones_eyes(folder, account):
    out, errors = run(folder, "--account", account.name, "--statement", WORD)
    voice = Voice.objects.owned().get()
    assert out.split("\t") == ["1", "alice.wav", "Alice", f"{voice.public_id}\n"]
    assert "0 of 1" in errors
    assert voice.consent.given_as == "importvoices"


def test_what_is_refused_is_said_and_the_command_fails(folder, account):
    with pytest.raises(CommandError, match="Not every line"):
        run(folder, "--account", account.name)
    with pytest.raises(CommandError, match="no account"):
        run(folder, "--account", "nobody")
    with pytest.raises(CommandError, match="No such file"):
        run(folder / "missing.zip", "--account", account.name)


def test_a_zip_can_be_left_to_the_server(tmp_path, account):
    (tmp_path / "many.zip").write_bytes(honest("A").getvalue())
    run(tmp_path / "many.zip", "--account", account.name, "--statement", WORD, "--background")
    assert VoiceImport.objects.get().state == "waiting"
    assert not Voice.objects.owned().exists()
