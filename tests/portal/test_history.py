"""A person's history: theirs alone, as much as their account keeps, gone without a trace."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Account
from speech import history
from speech.models import HistoryItem, UsageRecord
from tests.forms import send
from tests.portal.conftest import spoken


def rule(account, keeps, days=None):
    account.history, account.history_days = keeps, days
    account.save()
    return account


@pytest.mark.parametrize(
    ("keeps", "text"),
    [("off", None), ("hash", ""), ("text", "hello there"), ("audio", "hello there")],
)
def test_it_keeps_what_the_account_says(alice, account, keeps, text):
    spoken(alice, rule(account, keeps), "hello there")
    item = HistoryItem.objects.first()
    assert (item and item.text) == text
    assert UsageRecord.objects.count() == 1


def test_without_a_rule_it_is_as_the_platform_says(alice, account, settings):
    settings.HISTORY, settings.HISTORY_DAYS = "hash", 3
    spoken(alice, account, "hello there")
    item = HistoryItem.objects.get()
    assert item.text == ""
    assert item.expires_at - timezone.now() < timedelta(days=3)


def test_nobody_else_sees_it(at_alice, at_bob, at_charlie, alice, account):
    pk = spoken(alice, account, "something private")
    at_bob.post("/account/choose/", {"account": account.pk})
    assert b"something private" in at_alice.get("/history/").content
    for other in (at_bob, at_charlie):
        assert b"something private" not in other.get("/history/").content
        assert other.get(f"/history/{pk}/settings.json").status_code == 404
        assert other.get(f"/history/{pk}/audio/").status_code == 404
        assert other.post(f"/history/{pk}/forget/").status_code == 404


def test_it_is_found_by_text_and_by_voice(at_alice, alice, account):
    spoken(alice, account, "the sun over the harbour")
    spoken(alice, account, "a quiet evening", voice="nova")
    assert b"harbour" not in at_alice.get("/history/?q=quiet").content
    assert b"quiet evening" in at_alice.get("/history/?q=NOVA").content
    assert b"Nothing found" in at_alice.get("/history/?q=%25zzz").content


@pytest.mark.parametrize("query", ["page=-1", "page=1e9", "page=NaN", "q=" + "x" * 10_000, "q=%00"])
def test_odd_queries_answer_with_a_page(at_alice, alice, account, query):
    spoken(alice, account, "hello there")
    assert at_alice.get(f"/history/?{query}").status_code == 200


def test_it_can_be_said_again_as_it_was(at_alice, alice, account):
    pk = spoken(alice, account, "hello there")
    assert at_alice.get(f"/history/{pk}/settings.json").json() == {
        "input": "hello there",
        "voice": "alloy",
        "model": "tts-1",
        "response_format": "mp3",
        "seed": 7,
        "speed": 1.5,
        "language": "en",
    }


def test_what_was_heard_is_heard_again(at_alice, alice, account):
    pk = spoken(alice, rule(account, "audio"), "hello there")
    assert at_alice.get(f"/history/{pk}/audio/").status_code == 404
    history.add_audio(pk, "history/aa/test.flac", ContentFile(b"fLaC and so on"))
    answer = at_alice.get(f"/history/{pk}/audio/")
    assert (answer.content, answer.headers["content-type"]) == (b"fLaC and so on", "audio/flac")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_forgotten_is_gone(at_alice, alice, account):
    pk = spoken(alice, account, "hello there")
    spoken(alice, account, "and goodbye")
    at_alice.post(f"/history/{pk}/forget/")
    assert HistoryItem.objects.get().text == "and goodbye"
    at_alice.post("/history/forget/")
    assert not HistoryItem.objects.exists()
    assert UsageRecord.objects.count() == 2


def test_a_stricter_rule_holds_for_what_is_there(at_alice, alice, account):
    pk = spoken(alice, rule(account, "audio"), "hello there")
    history.add_audio(pk, "history/bb/test.flac", ContentFile(b"heard"))
    form = {"default_voice": "", "history": "hash", "history_days": ""}
    assert send(at_alice, "/account/team/", form, "/account/team/rules/").status_code == 302
    item = HistoryItem.objects.get()
    assert (item.text, item.audio_key) == ("", "")
    assert not default_storage.exists("history/bb/test.flac")
    send(at_alice, "/account/team/", {**form, "history": "off"}, "/account/team/rules/")
    assert not HistoryItem.objects.exists()


def test_fewer_days_hold_for_what_is_there(at_alice, alice, account):
    pk = spoken(alice, account, "hello there")
    UsageRecord.objects.filter(pk=pk).update(created_at=timezone.now() - timedelta(days=5))
    form = {"default_voice": "", "history": "text", "history_days": "4"}
    send(at_alice, "/account/team/", form, "/account/team/rules/")
    assert not HistoryItem.objects.exists()


def test_another_rule_costs_no_query_for_each_row(
    alice, account, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr("speech.history._AT_ONCE", 6)
    pks = [spoken(alice, rule(account, "audio"), "hello there") for _ in range(12)]
    for pk in pks:
        history.add_audio(pk, f"history/dd/{pk}.flac", ContentFile(b"heard"))
    rule(account, "text", days=3)
    with django_assert_max_num_queries(15):
        history.obey(account)
    for item in HistoryItem.objects.select_related("record"):
        assert (item.audio_key, item.expires_at) == ("", item.record.created_at + timedelta(days=3))
        assert not default_storage.exists(f"history/dd/{item.pk}.flac")


def test_what_the_storage_does_not_give_up_is_tried_again(alice, account):
    pks = [spoken(alice, rule(account, "audio"), "hello there") for _ in range(2)]
    for pk in pks:
        history.add_audio(pk, f"history/ee/{pk}", ContentFile(b"heard"))
    stuck = Path(default_storage.path(f"history/ee/{pks[1]}"))
    stuck.unlink()
    (stuck / "in the way").mkdir(parents=True)
    rule(account, "text")
    with pytest.raises(OSError, match="not empty"):
        history.obey(account)
    kept = HistoryItem.objects.exclude(audio_key="")
    assert [item.pk for item in kept] == [pks[1]]
    (stuck / "in the way").rmdir()
    history.obey(account)
    assert not HistoryItem.objects.exclude(audio_key="").exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_due_leaves_no_byte_behind(alice, account, settings):
    """Not in the database, its log, or the storage."""
    canary = "canary-4b1f-in-a-history"
    rule(account, "audio", days=1)
    due, kept = spoken(alice, account, canary), spoken(alice, account, "stays here")
    history.add_audio(due, "history/cc/due.flac", ContentFile(canary.encode()))
    assert bytes_anywhere(settings, canary)
    HistoryItem.objects.filter(pk=due).update(expires_at=timezone.now())
    assert history.purge() == 1
    assert not bytes_anywhere(settings, canary)
    assert HistoryItem.objects.get().pk == kept
    assert Account.objects.get(pk=account.pk).usage.count() == 2


def bytes_anywhere(settings, text):
    """Files under the data directory that hold the text."""
    files = [path for path in settings.DATA_DIR.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]
