"""What the API does not accept is said in the reader's language: which field it is, by the name
that it has on the page, what it takes, and what to do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.studio import say

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What is said of a field in a request: the codes of the table in docs/api.md that name one.
CODES = ["invalid_value", "unsupported_by_model"]
THEIRS = {"ja": "[ぁ-ん]", "zh-CN": "[一-鿿]", "zh-TW": "[一-鿿]"}
REASONS = """async (codes) => {
  const { reason } = await import("/static/portal/studio/refusals.js");
  const form = document.getElementById("studio");
  const { Fields } = await import("/static/portal/studio/fields.js");
  form.elements.input.value = "Good evening.";
  for (const name of ["instructions", "seed", "cfg_value", "inference_timesteps"]) {
    form.elements[name].value = "1";
  }
  form.elements.language.add(new Option("en"));
  for (const name of ["model", "language"]) form.elements[name].selectedIndex = 1;
  form.elements.normalize.checked = false;
  const fields = new Fields(form);
  fields.keep(true);
  const params = Object.keys(fields.request());
  return params.flatMap((param) => codes.map((code) => (
    [code, param, reason({ code, param, message: "No." }, form)])));
}"""


@pytest.mark.parametrize("locale", THEIRS)
def test_of_every_field_it_is_said_in_the_readers_language(open_as, locale):
    said = open_as("ada", "/studio/", locale=locale).evaluate(REASONS, CODES)
    params = {param for _, param, _ in said}
    assert params >= {"input", "voice", "model", "language", "seed", "speed", "normalize"}
    assert len(params) == 10
    for code, param, words in said:
        assert re.search(THEIRS[locale], words), (code, param, words)
        assert "No." not in words, (code, param, words)


@pytest.fixture
def studio(open_studio):
    """In Japanese."""
    page = open_studio(locale="ja")
    yield page
    assert page.complaints == []


def test_a_number_out_of_bounds_is_said_with_its_bounds(studio):
    say(studio, seed=2**63)
    expect(studio.locator("#error")).to_have_text(
        "「シード」は 0 から 9,223,372,036,854,775,807 までの数値です。直してください。"
    )
    assert studio.evaluate("document.activeElement.id") == "seed"
    studio.complaints.clear()  # the browser's own line about the status


def test_what_the_page_itself_does_not_send_is_said_alike(studio):
    """The browser's own words would be in the browser's language."""
    studio.click(".advanced summary")
    studio.fill("#cfg_value", "11")
    studio.click(".advanced summary")
    say(studio)
    expect(studio.locator("#error")).to_contain_text("「ガイダンス」は 0 から 10 までの数値です")
    assert studio.evaluate("document.activeElement.id") == "cfg_value", "and it can be seen"


def test_signs_that_are_no_text_are_said(studio):
    say(studio, "Good evening.\0")
    expect(studio.locator("#error")).to_contain_text("特殊な記号を取り除く")
    assert studio.evaluate("document.activeElement.id") == "input"
    studio.complaints.clear()  # the browser's own line about the status


def test_what_is_not_used_is_said(studio):
    studio.select_option("#model", "tts-1")
    studio.fill("#instructions", "Softly")
    say(studio)
    expect(studio.locator("#toasts")).to_contain_text(
        "では「指示」は使われません。", timeout=30_000
    )
