"""A model is asked for in a real browser, and the page shows by itself how it comes."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

from speech.engine.voxcpm.checkpoint import is_whole
from tests.browser.conftest import PASSWORD
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def own_site(site_dir, key, tmp_path, hub_server):
    there = shutil.copytree(site_dir, tmp_path / "data")
    with LiveServer(there, {"HF_ENDPOINT": hub_server.url}) as site:
        yield site


@pytest.fixture
def page(browser, own_site):
    context = browser.new_context(base_url=own_site.url)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto("/account/login/?next=/admin/")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    yield page
    context.close()


def test_it_is_asked_for_watched_cancelled_and_resumed(page, own_site, hub_server):
    hub_server.hold_after = 300_000
    page.goto("/admin/speech/modeldownload/add/")
    page.fill("[name=model]", "voxcpm2")
    page.click("button[name=_save]")
    page.wait_for_url("**/admin/speech/modeldownload/")
    expect(page.locator("#result_list")).to_contain_text("301 kB of 961 kB", timeout=10_000)
    page.click("#result_list a:has-text('voxcpm2')")
    page.click("a:has-text('Cancel')")
    page.click("button:has-text('Stop fetching')")
    expect(page.locator("body")).to_contain_text("Cancelled")
    hub_server.hold_after = None
    hub_server.go_on.set()
    page.click("a:has-text('Resume')")
    page.click("button:has-text('Resume')")
    expect(page.locator("body")).to_contain_text("Installed", timeout=15_000)
    assert is_whole(own_site.data_dir / "models" / "voxcpm2")
    assert page.complaints == []
