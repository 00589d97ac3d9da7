"""What an account used: its own alone, by day, key, voice, model and member; CSV that is safe."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models import F
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import Account
from portal.usage import AccountUsage
from speech.models import UsageDay, UsageRecord
from tests.portal.conftest import spoken


def test_it_adds_up_by_everything(at_alice, alice, bob, account, api_key):
    spoken(alice, account, "x" * 100)
    spoken(bob, account, "x" * 50, voice="nova")
    spoken(alice, account, "x" * 10, key_id=api_key.pk, model="voxcpm-2", keep=None)
    page = at_alice.get("/usage/")
    assert page.context["total"].characters == 160
    tables = {
        title: {row.name: row.characters for row in rows} for title, rows in page.context["tables"]
    }
    assert tables["By voice"] == {"alloy": 110, "nova": 50}
    assert tables["By model"] == {"tts-1": 150, "voxcpm-2": 10}
    assert tables["By key"] == {
        "people in a browser": 150,
        f"{api_key.name} …{api_key.last_four}": 10,
    }
    assert tables["By member"]["bob"] == 50
    assert sum(bar.characters for bar in page.context["bars"]) == 160
    assert page.context["first_audio"] == (40.0, 40.0)


def test_every_row_tells_how_soon_it_was_heard_and_what_failed(at_alice, alice, bob, account):
    spoken(alice, account, "x" * 50)
    spoken(bob, account, "x" * 40, voice="nova")
    spoken(bob, account, "x" * 30, outcome="server_failed", voice="nova")
    records = UsageRecord.objects.filter(account=account)
    for number, ms in enumerate((40.0, 100.0, 300.0)):
        records.filter(pk=records.order_by("pk")[number].pk).update(ttfa_ms=ms)
    page = at_alice.get("/usage/")
    tables = {title: {row.name: row for row in rows} for title, rows in page.context["tables"]}
    voices, members = tables["By voice"], tables["By member"]
    assert (voices["alloy"].first_audio, voices["alloy"].failed) == ((40.0, 40.0), 0)
    for row in (voices["nova"], members["bob"]):
        assert (row.first_audio, row.failed) == ((200.0, 300.0), 1)
    today = page.context["days"][0][1]
    for row in (today, tables["By model"]["tts-1"], tables["By key"]["people in a browser"]):
        assert (row.first_audio, row.failed, row.requests) == ((100.0, 300.0), 1, 3)
    shown = page.content.decode()
    assert "200 / 300 ms" in shown and "100 / 300 ms" in shown


def test_it_counts_errors_by_code(at_alice, alice, account):
    spoken(alice, account, "hello", outcome="server_failed")
    assert at_alice.get("/usage/").context["total"].failed == 1


def test_a_strangers_use_is_not_in_it(at_charlie, alice, account):
    spoken(alice, account, "hello there")
    page = at_charlie.get("/usage/")
    assert page.context["total"].requests == 0
    assert b"Nothing was spoken" in page.content


@pytest.mark.parametrize(
    ("asked", "days"), [("7", 7), ("90", 90), ("-1", 30), ("1e9", 30), ("", 30)]
)
def test_it_shows_spans_that_one_may_ask_for(at_alice, account, asked, days):
    assert len(at_alice.get(f"/usage/?days={asked}").context["days"]) == days


def test_a_limit_that_is_reached_shows_so(at_alice, alice, account):
    account.monthly_characters = 20
    account.save()
    spoken(alice, account, "x" * 20)
    assert at_alice.get("/usage/").context["limits"][0]["is_full"]


async def exported(user, query=""):
    """What the CSV holds, as rows by column."""
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(f"/usage/usage.csv{query}")
    text = "".join([part.decode() async for part in answer.streaming_content])
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.django_db(transaction=True)
async def test_the_csv_adds_up_to_what_the_page_shows(alice, bob, charlie, account, api_key):
    def use():
        spoken(alice, account, "x" * 100)
        spoken(bob, account, "x" * 50, voice="nova", outcome="server_failed")
        spoken(alice, account, "x" * 10, key_id=api_key.pk, keep=None)
        spoken(charlie, Account.objects.for_user(charlie), "x" * 7)
        spoken(alice, account, "x" * 9)
        long_ago = timezone.now() - timedelta(days=40)
        UsageRecord.objects.filter(characters=9).update(created_at=long_ago)
        UsageDay.objects.filter(voice="alloy", key_id=0, account=account).update(
            characters=F("characters") - 9,
            requests=F("requests") - 1,
            audio_ms=F("audio_ms") - 1500,
        )
        return AccountUsage(account, 30)

    usage = await sync_to_async(use)()
    rows = await exported(alice)
    records = [record async for record in usage.records.order_by("-pk")]
    assert [row["request_id"] for row in rows] == [record.request_id for record in records]
    assert [int(row["characters_charged"]) for row in rows] == [10, 0, 100]
    total = await sync_to_async(usage.total)()
    shown = (total.requests, total.failed, total.characters, total.audio_ms)
    assert shown == (
        len(rows),
        sum(row["outcome"] == "server_failed" for row in rows),
        sum(int(row["characters_charged"]) for row in rows),
        sum(int(row["audio_ms"]) for row in rows),
    )
    for name, column in (("by_voice", "voice"), ("by_model", "model")):
        for one in await sync_to_async(getattr(usage, name))():
            mine = [row for row in rows if row[column] == one.name]
            assert (one.requests, one.characters) == (
                len(mine),
                sum(int(row["characters_charged"]) for row in mine),
            )


@pytest.mark.django_db(transaction=True)
async def test_a_spreadsheet_computes_nothing_of_it(alice, account):
    await sync_to_async(spoken)(alice, account, "hello", user_agent="=1+1", voice="@nova")
    rows = await exported(alice)
    assert (rows[0]["user_agent"], rows[0]["voice"]) == ("'=1+1", "'@nova")
