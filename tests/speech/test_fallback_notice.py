"""Without VoxCPM's weights ``SPEECH_ENGINE=auto`` speaks with espeak-ng, and says so everywhere."""

from __future__ import annotations

import sqlite3
from html import unescape
from io import BytesIO

import numpy as np
import pytest
import soundfile

from speech.runtime import FALLBACK_NOTICE
from tests.live import LiveServer, manage

PASSWORD = "the operator's password"
OPERATOR = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("operator", password={PASSWORD!r})
"""


@pytest.fixture(scope="module")
def server(data_dir, live_key):
    with LiveServer(data_dir, {"SPEECH_ENGINE": "auto"}) as server:
        yield server


@pytest.fixture
def speak(server, live_key):
    """Ask the native API for speech: fields of its body beside the text."""
    with server.http(live_key) as http:

        def speak(text, **fields):
            body = {"input": text, "response_format": "wav", **fields}
            return http.post("/api/speech", json=body)

        yield speak


def test_it_is_in_the_log(server):
    assert FALLBACK_NOTICE in server.log


@pytest.mark.parametrize("path", ["/readyz", "/health", "/api/engine"])
def test_programs_are_told(server, live_key, path):
    answer = server.get(path, live_key)
    assert answer.status_code == 200
    assert answer.json()["notice"] == FALLBACK_NOTICE


def test_visitors_read_it(server):
    assert FALLBACK_NOTICE in unescape(server.get("/").text)


@pytest.mark.slow
def test_operators_read_it(server, data_dir):
    manage(data_dir, "shell", "-c", OPERATOR)
    with server.http(follow_redirects=True) as browser:
        browser.get("/account/login/")
        form = {
            "login": "operator",
            "password": PASSWORD,
            "next": "/admin/",
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        page = browser.post("/account/login/", data=form)
    assert page.url.path == "/admin/"
    assert FALLBACK_NOTICE in unescape(page.text)


def test_every_answer_and_its_usage_row_name_what_spoke(speak, data_dir):
    answer = speak("Who is speaking?", model="tts-1")
    assert answer.headers["x-engine"] == "espeak"
    assert answer.headers["x-model"] == "espeak-ng"
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        query = "SELECT model, model_used, engine FROM speech_usagerecord ORDER BY id DESC LIMIT 1"
        assert database.execute(query).fetchone() == ("tts-1", "espeak-ng", "espeak")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, how are you today?", "en"),
        ("你好，今天怎么样？", "zh"),
        ("你好，今日點呀？", "yue"),
        ("Guten Tag, wie geht es Ihnen heute?", "de"),
        ("Bonjour, comment allez-vous ?", "fr"),
        ("Hola, ¿cómo está usted hoy?", "es"),
        ("こんにちは、おげんきですか。", "ja"),
    ],
)
def test_it_speaks_the_languages_it_promises(speak, text, language):
    answer = speak(text, language=language)
    assert answer.status_code == 200, answer.text
    samples, rate = soundfile.read(BytesIO(answer.content))
    assert 1 < len(samples) / rate < 6
    assert 0.1 < np.abs(samples).max() <= 1


def test_it_speaks_cantonese_and_not_mandarin_when_asked_to(speak):
    assert speak("你好世界", language="yue").content != speak("你好世界", language="zh").content


@pytest.mark.parametrize("fields", [{}, {"language": "ja"}])
def test_it_refuses_japanese_with_kanji_by_name(speak, fields):
    answer = speak("とうきょうは東京", **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unsupported_by_model"
    assert answer.json()["error"]["param"] == "input"
