"""The log is searched, filtered, paged and exported without trusting what was sent."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from django.test import AsyncClient

from speech.admin import export
from speech.models import UsageRecord

LOG = "/admin/speech/usagerecord/"


def shown(client, query):
    response = client.get(LOG + query)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.mark.parametrize("query", ["?q=req_wanted", "?q=nova", "?q=" + "A" * 64])
def test_it_finds_by_request_voice_and_text(operator, record, query):
    wanted = record(request_id="req_wanted", voice="nova", text_hash="a" * 64)
    record()
    assert shown(operator, query) == {wanted}


@pytest.mark.parametrize(
    "query",
    [
        "?outcome__exact=server_failed",
        "?engine=espeak",
        "?model=tts-1-hd",
        "?face=native",
    ],
)
def test_it_filters(operator, record, query):
    wanted = record("server_failed", engine="espeak", model="tts-1-hd", face="native")
    record()
    assert shown(operator, query) == {wanted}


def test_it_filters_by_account_and_key(operator, record, account, api_key):
    wanted = record(key_id=api_key.pk)
    other = record()
    assert shown(operator, f"?key__id__exact={api_key.pk}") == {wanted}
    assert shown(operator, f"?account__id__exact={account.pk}") == {wanted, other}


def test_it_goes_by_date(operator, record):
    old, new = record(), record()
    UsageRecord.objects.filter(pk=old).update(created_at=datetime(2025, 3, 4, 23, 59, tzinfo=UTC))
    page = operator.get(LOG).content.decode()
    assert "?created_at__year=2025" in page
    assert shown(operator, "?created_at__year=2025") == {old}
    march = operator.get(LOG + "?created_at__year=2025&created_at__month=3").content.decode()
    assert "created_at__day=4" in march
    assert shown(operator, "?created_at__year=2025&created_at__month=3&created_at__day=4") == {old}
    assert shown(operator, "?created_at__year=2026") <= {new}


ODD_QUERIES = pytest.mark.parametrize(
    "query",
    [
        "?p=-1",
        "?p=1000000000",
        "?p=NaN",
        "?o=99",
        "?o=-3.0",
        "?account__keys__digest__startswith=a",
        "?boot=x",
        "?created_at__year=99999",
        "?created_at__year=2025&created_at__month=2&created_at__day=31",
        "?created_at__year=²",
        "?q=" + "x" * 10_240,
        "?q=%00",
    ],
    ids=lambda query: query[:40],
)


@ODD_QUERIES
def test_it_survives_any_query(operator, record, query):
    record()
    response = operator.get(LOG + query, follow=True)
    assert response.status_code in (200, 400)
    assert response.headers["content-type"].startswith("text/html")


def test_a_hidden_column_sorts_nothing(operator, record):
    first, second = record(voice="b"), record(voice="a")
    rows = operator.get(LOG + "?o=5").context["cl"].result_list
    assert [row.pk for row in rows] == [second, first]


async def exported(user, query=""):
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(f"{LOG}export/{query}")
    assert response.status_code == 200
    assert response.headers["content-disposition"] == 'attachment; filename="usage.csv"'
    text = "".join([chunk.decode() async for chunk in response.streaming_content])
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.django_db(transaction=True)
async def test_the_export_holds_what_the_filters_leave_and_no_formula(operator_user, make_records):
    rows = await exported(operator_user, "?model=tts-1")
    assert [row["user_agent"] for row in rows] == ["'=1+1", "'@SUM(A1)", "'-2", "'\tx", "plain"]
    assert {row["model"] for row in rows} == {"tts-1"}


@pytest.fixture
def make_records(record):
    for agent in ("plain", "\tx", "-2", "@SUM(A1)", "=1+1"):
        record(user_agent=agent)
    record(model="tts-1-hd")


@pytest.mark.django_db(transaction=True)
async def test_the_export_is_bounded(operator_user, make_records, monkeypatch):
    monkeypatch.setattr(export, "_PAGE", 2)
    monkeypatch.setattr(export, "MOST_ROWS", 4)
    assert len(await exported(operator_user)) == 4


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "＝1"])
def test_a_cell_is_never_a_formula(value):
    assert export.cell(value) == "'" + value


def test_a_number_stays_one():
    assert export.cell(-1.5) == "-1.5"
