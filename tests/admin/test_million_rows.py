"""A million records slow no page of the admin down, on SQLite and in one file."""

from __future__ import annotations

import time

import pytest
from django.db import connection

MOST_SECONDS = 2
ROWS = 1_000_000
# All of them today, which is the worst day for the first page.
FILL = f"""
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < {ROWS - 1})
INSERT INTO speech_usagerecord (
    request_id, account_id, user_agent, face, voice, model, model_used, engine, response_format,
    stream_format, settings, characters, text_hash, audio_ms, bytes_sent, ttfa_ms, outcome,
    finish_reason, error_code, month, reserved_characters, reserved_ms, characters_charged,
    ms_charged, boot, created_at)
SELECT 'req_' || LOWER(HEX(RANDOMBLOB(16))), %s, 'OpenAI/Python 3.54', 'openai',
    'voice-' || (n %% 13), 'tts-' || (n %% 3), 'espeak-ng', 'espeak', 'mp3', 'audio', '{{}}', 100,
    LOWER(HEX(RANDOMBLOB(32))), 8000, 64000, n %% 997,
    CASE WHEN n %% 99 THEN 'completed' ELSE 'server_failed' END, 'stop', '', '2026-11', 0, 0,
    100, 8000, '', DATETIME('now', 'start of day', (n / 12) || ' seconds')
FROM number
"""
ADD_UP = """
INSERT INTO speech_usageday
    (day, account_id, key_id, voice, model, requests, failed, characters, audio_ms)
SELECT DATE(created_at), account_id, 0, voice, model, COUNT(*), SUM(outcome = 'server_failed'),
    SUM(characters_charged), SUM(audio_ms)
FROM speech_usagerecord GROUP BY 1, 2, 4, 5
"""
LOG = "/admin/speech/usagerecord/"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_page_takes_two_seconds(operator, account):
    with connection.cursor() as cursor:
        cursor.execute(FILL, [account.pk])
        cursor.execute(ADD_UP)
        cursor.execute("SELECT request_id FROM speech_usagerecord LIMIT 1")
        (known,) = cursor.fetchone()
    assert operator.get("/admin/").context["today"].requests == ROWS
    took = {}
    for page in (
        "/admin/",
        LOG,
        f"{LOG}charts/",
        f"{LOG}?p=1000",
        f"{LOG}?p=1000000000",
        f"{LOG}?q={known}",
        f"{LOG}?q={'x' * 10_240}",
        f"{LOG}?q=voice-1",
        f"{LOG}?outcome__exact=server_failed",
        f"{LOG}?engine=tone",
        f"{LOG}?face=native",
        f"{LOG}?model=tts-1",
        f"{LOG}?account__id__exact={account.pk}",
        f"{LOG}?created_at__year=2026&created_at__month=11",
        "/admin/accounts/account/",
        "/admin/accounts/apikey/",
    ):
        began = time.perf_counter()
        assert operator.get(page, follow=True).status_code == 200, page
        took[page[:80]] = round(time.perf_counter() - began, 2)
    assert max(took.values()) < MOST_SECONDS, took
    print(took)
