"""The frame of the portal: its theme, its menu on a phone, its way to the content."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_theme_is_there_at_once_and_stays(open_as):
    page = open_as("grace", "/account/email/", color_scheme="light")
    page.click("[popovertarget=person]")
    page.click("#person [name=theme][value=dark]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert_accessible(page)
    page.wait_for_load_state("networkidle")
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.slow
def test_the_menu_opens_on_a_phone_and_closes_with_escape(open_as):
    page = open_as("ada", "/account/email/", viewport={"width": 390, "height": 844})
    menu = page.locator("#side")
    expect(menu).to_be_hidden()
    page.click("[popovertarget=side]")
    expect(menu).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


@pytest.mark.slow
def test_the_content_is_one_key_away(open_as):
    page = open_as("ada", "/account/email/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
