"""The first visit: who signs up is heard at once, in four languages."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, assert_accessible
from tests.browser.listening import LISTEN, heard
from tests.browser.studio import say, wait_until_said
from tests.live import LiveServer

pytestmark = pytest.mark.browser
PAGES = ["/studio/", "/voices/", "/jobs/new/", "/keys/", "/usage/", "/account/profile/"]
SCRIPT = {"en": r"^[^぀-ヿ一-鿿]+$", "zh-hans": "[一-鿿]", "zh-hant": "[一-鿿]", "ja": "[぀-ヿ一-鿿]"}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(site_dir, key, sessions, tmp_path_factory):
    """Anybody may come in."""
    own_dir = shutil.copytree(site_dir, tmp_path_factory.mktemp("open") / "data")
    with LiveServer(own_dir, {"SIGN_UP": "open", "ENGINE_CONFIG": '{"speed": 4.0}'}) as server:
        yield server


def sign_up(page, name):
    page.click("a:has-text('Sign up') >> nth=0")
    assert_accessible(page)
    page.fill("[name=username]", name)
    page.fill("[name=email]", f"{name}@example.com")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.press("[name=password2]", "Enter")
    page.wait_for_url(re.compile(r"/$|/studio/$"))


@pytest.mark.slow
def test_who_signs_up_is_heard_at_once(open_page):
    page = open_page("/livez", bypass_csp=True)
    page.add_init_script(LISTEN)
    page.goto("/")
    page.complaints.clear()  # of the page without an icon, by which we came
    sign_up(page, "nell")
    page.goto("/studio/")
    page.wait_for_function("window.heard.rate > 0")
    say(page, "Good evening.", seed=None)
    wait_until_said(page)
    samples = heard(page)
    assert len(samples) > page.evaluate("window.heard.rate") / 4
    assert np.abs(samples).max() > 0.01
    assert page.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("language", SCRIPT)
def test_it_speaks_the_readers_language_on_a_phone(open_as, language):
    region = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}.get(language, language)
    page = open_as("ada", PAGES[0], locale=region, viewport=PHONE)
    for path in PAGES:
        page.goto(path)
        assert page.get_attribute("html", "lang") == language
        assert re.search(SCRIPT[language], page.inner_text("h1")), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    expect(page.locator("h1")).to_be_visible()
    assert page.complaints == []
