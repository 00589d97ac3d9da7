"""The first page and the charts: the engine's state and sums that follow the ledger."""

from __future__ import annotations

import json

import pytest

from speech.admin import traffic
from speech.models import UsageDay
from speech.runtime import Runtime


def test_it_shows_engine_and_traffic_in_few_queries(
    operator, record, django_assert_max_num_queries
):
    for ttfa_ms in (10, 20, 30):
        record(characters=100, audio_ms=60_000, ttfa_ms=ttfa_ms)
    record("server_failed", characters=100, audio_ms=0, ttfa_ms=None)
    with django_assert_max_num_queries(6):
        response = operator.get("/admin/")
    today = response.context["today"]
    assert (today.requests, today.failed) == (4, 1)
    assert (today.characters, today.audio_minutes) == (300, 3)
    assert response.context["first_audio"] == (20, 30)
    page = response.content.decode()
    assert "stopped" in page
    assert "Restarts" in page


def test_it_says_what_people_should_know_of_the_engine(operator, monkeypatch):
    monkeypatch.setattr(Runtime, "notice", "Speaking with espeak-ng. CUDA graphs are off.")
    assert "espeak-ng. CUDA graphs are off." in operator.get("/admin/").content.decode()


def test_numbers_are_for_those_who_may_read_the_log(staff, record):
    record()
    assert "today" not in staff("view_account").get("/admin/").context


def test_each_record_adds_itself_to_its_day_once(record, api_key):
    record()
    record(voice="nova", key_id=api_key.pk)
    record("client_closed", voice="nova", key_id=api_key.pk, characters=7)
    sums = {
        (day.voice, day.key_id): (day.requests, day.characters) for day in UsageDay.objects.all()
    }
    assert sums == {("alloy", 0): (1, 10), ("nova", api_key.pk): (2, 17)}


def test_charts_have_every_day_and_the_largest_first(record, api_key):
    record(voice="alloy", characters=5)
    record(voice="nova", characters=9, key_id=api_key.pk)
    days = traffic.by_day(30)
    assert len(days) == 30
    assert sum(totals.characters for totals in days.values()) == 14
    assert list(traffic.top("voice", 7)) == ["nova", "alloy"]
    assert list(traffic.top("key_id", 7)) == [f"{api_key.name} …{api_key.last_four}", "no key"]


@pytest.mark.parametrize("days", ["7", "30", "90", "1e9", "-1", ""])
def test_the_charts_page_draws_four(operator, record, days):
    record()
    response = operator.get(f"/admin/speech/usagerecord/charts/?days={days}")
    charts = [json.loads(data) for _, data in response.context["charts"]]
    assert [sum(chart["datasets"][0]["data"]) for chart in charts] == [10] * 4
