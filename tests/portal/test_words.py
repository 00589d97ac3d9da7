"""Every refusal that a person can meet is a sentence in their language, not the API's English."""

from __future__ import annotations

import re

import pytest

from portal.job_words import ERRORS
from tests.forms import send
from tests.test_docs import ROOT, error_table
from tests.voices.recordings import RATE, speech
from voices.samples import Cut, Severity, _judgements, prepare

SCRIPTS = ROOT / "portal/static/portal"
# What only a program can do wrong, and what the portal words by itself.
OF_PROGRAMS = {
    *("invalid_json", "invalid_body", "duplicate_key", "unsupported_content_type"),
    *("unsupported_content_encoding", "method_not_allowed", "unknown_url"),
    *("range_not_satisfiable", "audio_too_large"),
}
NO_CODES = {"name", "voice", "error", "requests"}


def worded(script):
    return set(
        re.findall(r"^ +([a-z_]+): (?:\(\) =>|UNREADABLE)", script.read_text(), re.MULTILINE)
    )


def test_every_code_that_people_can_meet_has_a_sentence():
    table = error_table().partition("What is no readable HTTP")[0]
    codes = set(re.findall(r"`([a-z_]+)`", table)) - NO_CODES - OF_PROGRAMS
    sentences = worded(SCRIPTS / "studio/words.js") | worded(SCRIPTS / "voices/refusals.js")
    sentences |= set(ERRORS) | {"recording_has_warnings"}
    assert codes - sentences == set()


def test_every_flaw_of_a_recording_is_known_by_words_of_its_own():
    script = (SCRIPTS / "voices/refusals.js").read_text()
    known = re.findall(r'^  "([a-z ]+)": ', script, re.MULTILINE)
    report = prepare(speech(5), RATE, Cut.BEST).report
    rules = _judgements(report.measures, 5, Cut.BEST)
    flaws = [words for severity, _, _, words in rules if severity is Severity.WARNING]
    assert len(flaws) == len(known)
    for words in flaws:
        assert sum(one in words for one in known) == 1, words


def test_no_page_shows_what_the_api_says_where_there_is_a_sentence():
    for script in SCRIPTS.rglob("*.js"):
        assert ").error.message" not in script.read_text(encoding="utf-8"), script.name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "alloy"),
        ("description", "x" * 501),
        ("language", "klingon!"),
        ("tags", "x" * 41),
    ],
)
def test_what_may_not_be_said_of_a_voice_is_said_in_the_readers_language(
    at_alice, voice, field, value
):
    form = {"name": "Reader", "description": "", "language": "", "tags": "", field: value}
    headers = {"accept-language": "ja"}
    shown = send(at_alice, f"/voices/{voice.public_id}/", form, headers=headers)
    [words] = shown.context["form"].errors[field]
    assert re.search("[ぁ-ん]", words), words
