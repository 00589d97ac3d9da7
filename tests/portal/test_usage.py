"""What an account used: its own alone, by day, key, voice, model and member; CSV that is safe."""

from __future__ import annotations

import csv
import io

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

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


@pytest.mark.django_db(transaction=True)
async def test_a_spreadsheet_computes_nothing_of_it(alice, account):
    await sync_to_async(spoken)(alice, account, "hello", user_agent="=1+1", voice="@nova")
    client = AsyncClient()
    await client.aforce_login(alice)
    answer = await client.get("/usage/usage.csv")
    text = "".join([part.decode() async for part in answer.streaming_content])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (rows[0]["user_agent"], rows[0]["voice"]) == ("'=1+1", "'@nova")
