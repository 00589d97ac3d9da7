"""The portal in its four languages: pages, e-mails, errors, scripts, dates."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import OperationalError
from django.utils import formats, translation

from accounts.models import Profile
from speech.models import UsageRecord
from tests.portal.conftest import spoken
from voxplatform.errors import server_error, unavailable

LANGUAGES = {
    "en": {"login": "Sign in", "keys": "API keys", "jobs": "Long texts", "history": "History"},
    "zh-hans": {"login": "登录", "keys": "API 密钥", "jobs": "长文", "history": "历史记录"},
    "zh-hant": {"login": "登入", "keys": "API 金鑰", "jobs": "長文", "history": "歷史紀錄"},
    "ja": {"login": "ログイン", "keys": "API キー", "jobs": "長文", "history": "履歴"},
}
every_language = pytest.mark.parametrize("language", LANGUAGES)


def heading(page):
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.content.decode(), re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip()


def prefer(browser, language):
    assert browser.post("/preferences/", {"language": language}).status_code == 302


@every_language
def test_who_signs_in_reads_their_browsers_language(client, db, language):
    page = client.get("/account/login/", headers={"accept-language": language})
    assert f'<html lang="{language}"' in page.content.decode()
    assert heading(page) == LANGUAGES[language]["login"]


@every_language
def test_pages_are_in_the_language_that_was_chosen(at_alice, language):
    prefer(at_alice, language)
    for name in ("keys", "jobs", "history"):
        page = at_alice.get(f"/{name}/", headers={"accept-language": "fr"})
        title = LANGUAGES[language][name]
        assert heading(page) == title
        assert f"<title>{title} · VoxPlatform</title>" in page.content.decode()
        assert f'<html lang="{language}"' in page.content.decode()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "There is no page here"),
        ("zh-hans", "找不到这个页面"),
        ("zh-hant", "找不到這個頁面"),
        ("ja", "ページが見つかりません"),
    ],
)
def test_a_page_that_is_not_there_says_so(client, db, language, sentence):
    page = client.get("/nowhere/", headers={"accept-language": language})
    assert page.status_code == 404
    assert heading(page) == sentence


@pytest.mark.parametrize(
    ("language", "again"),
    [("en", "Try again"), ("zh-hans", "重试"), ("zh-hant", "重試"), ("ja", "やり直す")],
)
def test_a_page_that_fails_can_be_tried_again(rf, language, again):
    with translation.override(language):
        page = server_error(rf.get("/voices/"))
    assert page.status_code == 500
    assert f'<a class="button" href="">{again}</a>' in page.content.decode()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "This is not available at the moment"),
        ("zh-hans", "暂时无法使用"),
        ("zh-hant", "暫時無法使用"),
        ("ja", "現在ご利用いただけません"),
    ],
)
def test_a_page_whose_database_is_away_says_so_and_our_own_mistakes_are_not_such(
    language, sentence
):
    with translation.override(language):
        page = unavailable(OperationalError("the database is locked"))
    assert (page.status_code, heading(page)) == (503, sentence)
    assert page.headers["retry-after"]
    assert unavailable(ValueError("ours")) is None


@pytest.mark.parametrize(
    ("language", "copied"),
    [("zh-hans", "已复制"), ("zh-hant", "已複製"), ("ja", "コピーしました")],
)
def test_scripts_have_their_words(client, db, language, copied):
    script = client.get("/strings.js", headers={"accept-language": language}).content.decode()
    found = re.search(r"const newcatalog = (\{.*?\n  \});", script, re.DOTALL)
    assert json.loads(found[1])["Copied"] == copied


def test_scripts_have_english_without_a_catalogue(client, db):
    assert b"newcatalog" not in client.get("/strings.js").content


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "Hello"), ("zh-hans", "您好"), ("zh-hant", "您好"), ("ja", "こんにちは")],
)
def test_an_invitation_is_in_the_language_of_who_sends_it(at_alice, account, language, word):
    account.person = None
    account.save()
    prefer(at_alice, language)
    at_alice.post("/account/team/invite/", {"email": "dora@example.com", "role": "member"})
    assert mail.outbox[0].body.startswith(word)
    assert account.name in mail.outbox[0].subject


@every_language
def test_times_are_written_as_the_language_does(at_alice, alice, account, language):
    record = UsageRecord.objects.get(pk=spoken(alice, account, "Hello there."))
    prefer(at_alice, language)
    page = html.unescape(at_alice.get("/history/").content.decode())
    with translation.override(language):
        moment = formats.date_format(record.created_at, "DATETIME_FORMAT")
    assert f'title="{moment}"' in page


def told_at(browser, record, zone):
    """Whether the history tells this record's time as it is in that zone."""
    page = html.unescape(browser.get("/history/").content.decode())
    moment = record.created_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return f'title="{formats.date_format(moment, "DATETIME_FORMAT")}"' in page


def test_times_are_the_readers_own(at_alice, alice, account):
    record = UsageRecord.objects.get(pk=spoken(alice, account, "Hello there."))
    assert told_at(at_alice, record, "UTC")
    at_alice.cookies["timezone"] = "Asia/Tokyo"  # as the browser has it
    assert told_at(at_alice, record, "Asia/Tokyo")
    Profile.objects.update_or_create(user=alice, defaults={"time_zone": "America/Lima"})
    assert told_at(at_alice, record, "America/Lima")
    assert not told_at(at_alice, record, "Asia/Tokyo")


@every_language
def test_numbers_are_written_as_the_language_does(at_alice, alice, account, language):
    spoken(alice, account, "x" * 1234)
    prefer(at_alice, language)
    assert "1,234" in at_alice.get("/usage/").content.decode()


def test_languages_write_dates_differently():
    day = datetime(2026, 11, 27)
    written = set()
    for language in LANGUAGES:
        with translation.override(language):
            written.add(formats.date_format(day, "DATE_FORMAT"))
    assert written == {"Nov. 27, 2026", "2026年11月27日"}


def test_built_in_voices_are_described_in_the_readers_language(at_alice):
    prefer(at_alice, "ja")
    told = {voice["id"]: voice for voice in at_alice.get("/studio/").context["voices"]}
    assert told["ballad"]["description"] == "温かくゆったりとした語り手"
    assert told["ballad"]["description"] in at_alice.get("/voices/?q=ゆったり").content.decode()
