"""The admin in the reader's language: no page shows an English word of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.models import Profile
from speech.models import EngineMeasurement, ModelDownload, Notice, SpeechModel
from speech.runtime import NOT_STARTED
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from tests.voices.conftest import prepared
from voices.import_rows import ImportedFile, VoiceImport
from voices.models import BuiltInTake, Voice, VoiceConsent, VoiceReport
from voices.presets import PRESETS
from voxplatform.model_words import OURS

ENGLISH = re.compile(r"[A-Za-z]{3,}")
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
# Names and values are the same in every language, and so is what people and the engine said.
DATA = re.compile(
    r"VoxPlatform|English|Hugging Face|ModelScope|SHA-256|UTC|\w+_\w{8,}(?:_?…\w+)?|[0-9a-f]{32}"
    r"|\b(?:operator|espeak|voxcpm|tone|openai|native|mcp|say|alloy|mp3|test|audio|attestation)\b"
    r"|\{.*\}|\b(?:gpt|tts)-\S+|\b[a-z]+\.[a-z]+\b|\b(?:user|system|kind)\b"
    rf"|{re.escape(NOT_STARTED)}|{PRESETS['alloy'].description}"
    r"|Alice('s laptop| reads| says that this is her own voice)?",
    re.IGNORECASE,
)


class Words(HTMLParser):
    """Every piece of text that a page shows or has read aloud."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self._shown = True
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        icon = "material-symbols" in (told.get("class") or "")
        self._shown = tag not in ("script", "style", "code", "kbd") and not icon
        names = ("title", "aria-label", "placeholder", "alt")
        self.found += [told[name] for name in names if told.get(name)]

    def handle_endtag(self, tag):
        self._shown = True

    def handle_data(self, data):
        if self._shown and data.strip():
            self.found.append(" ".join(data.split()))


def english(page):
    return {
        text
        for text in Words(page.content.decode()).found
        if text.startswith("('")  # a pair of value and words, shown as it is
        or (not JAPANESE.search(text) and ENGLISH.search(DATA.sub("", text)))
    }


@pytest.fixture
def reader(operator, operator_user):
    Profile.objects.create(user=operator_user, language="ja")
    return operator


@pytest.fixture
def rows(voice, account, api_key, record, origin):
    """One of everything that has a page."""
    record()
    VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")
    VoiceReport.objects.create(voice=voice, account=account, reason="-")
    made = VoiceImport.objects.create(account=account, archive_key="x", asked_by="operator")
    ImportedFile.objects.create(of=made, number=1, file="a.wav")
    Voice.objects.built_in().exclude(public_id="alloy").delete()  # the others have the same pages
    BuiltInTake.objects.want_all("tone")
    take = BuiltInTake.objects.get(preset="alloy")
    assert take.claim("here") and take.keep("here", prepared(), "-", 7)
    Notice.objects.create(text="-")
    SpeechModel.objects.get_or_create(name="tts-1")
    ModelDownload.objects.create(name="tone", model="tone", hub="huggingface")
    EngineMeasurement.objects.create(engine="tone", model="tone", clients=1, requests=1)


def pages_of(model):
    """The list, the form for a new one, and all pages of each row."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    page = admin.site.get_model_admin(model)
    each = ("change", "history", "delete", *(page.actions_detail or ()))
    rows = list(model.objects.all())
    assert rows, model
    return [
        *(reverse(f"{name}_changelist"), reverse(f"{name}_add")),
        *(reverse(f"{name}_{verb}", args=[row.pk]) for row in rows for verb in each),
    ]


OUR_PAGES = ["auditentry", "apikey", "account", "voiceconsent", "voiceimport", "voicereport"]
OUR_PAGES += ["voice", "notice", "enginemeasurement", "usagerecord", "speechmodel", "modeldownload"]


def registered():
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    return {m._meta.model_name: m for m in models if admin.site.is_registered(m)}


def test_every_page_of_ours_is_walked():
    assert set(registered()) == set(OUR_PAGES)


@pytest.mark.slow
@pytest.mark.parametrize("name", OUR_PAGES)
def test_pages_of_rows_say_nothing_in_english(reader, rows, name):
    seen = 0
    for url in pages_of(registered()[name]):
        page = reader.get(url)
        if page.status_code == 200 and page["content-type"].startswith("text/html"):
            assert english(page) == set(), url
            seen += 1
    assert seen > 2


@pytest.mark.parametrize("name", ["index", "speech_engine", "speech_usagerecord_charts"])
def test_other_pages_say_nothing_in_english(reader, rows, name):
    page = reader.get(reverse(f"admin:{name}"))
    assert page.status_code == 200
    assert english(page) == set()


def test_english_is_noticed(operator, rows):
    found = english(operator.get(reverse("admin:accounts_apikey_add")))
    assert {"API keys", "Monthly characters", "Limits (empty: none)"} <= found


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "Voices"), ("zh-hans", "音色"), ("zh-hant", "金鑰"), ("ja", "監査ログ")],
)
def test_it_speaks_the_language_of_the_profile_before_the_browsers(
    operator, operator_user, language, word
):
    Profile.objects.create(user=operator_user, language=language)
    page = operator.get("/admin/", headers={"accept-language": "fr"}).content.decode()
    assert f'<html lang="{language}"' in page
    assert word in page


def test_without_a_choice_it_speaks_the_browsers_language(operator, client):
    asked = {"accept-language": "ja"}
    assert "監査ログ" in operator.get("/admin/", headers=asked).content.decode()
    sign_in = client.get("/admin/login/", headers=asked, follow=True).content.decode()
    assert '<html lang="ja"' in sign_in
    assert "ログイン" in sign_in
