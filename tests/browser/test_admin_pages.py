"""The admin in a real browser: no page complains, and a key can be issued."""

from __future__ import annotations

import pytest
from django.contrib.admin import site
from django.urls import reverse
from playwright.sync_api import Error, expect

from tests.browser.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Besides the list of every model.
PAGES = [
    "/admin/",
    "/admin/speech/usagerecord/charts/",
    "/admin/speech/enginemeasurement/live/",
    "/admin/speech/speechmodel/1/change/",
    "/admin/speech/modeldownload/add/",
    "/admin/speech/notice/add/",
    "/admin/accounts/account/1/change/",
    "/admin/accounts/apikey/add/",
    "/admin/accounts/apikey/1/change/",
    "/admin/accounts/apikey/1/rotate/",
    "/admin/accounts/auditentry/1/change/",
    "/admin/auth/user/1/change/",
    "/admin/auth/group/add/",
]


def lists():
    named = (f"admin:{one._meta.app_label}_{one._meta.model_name}" for one in site._registry)
    return [reverse(f"{name}_changelist") for name in named]


@pytest.fixture
def admin(open_page):
    def sign_in(**options):
        page = open_page("/account/login/?next=/admin/", **options)
        page.fill("[name=login]", "admin")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/admin/")
        return page

    return sign_in


def test_no_page_complains_or_is_wider_than_a_screen_or_a_phone(admin):
    page = admin()
    wide, phone = page.viewport_size, {"width": 390, "height": 844}
    assert len(lists()) > 15
    for path in PAGES + lists():
        page.set_viewport_size(wide)
        assert page.goto(path).status == 200, path
        page.wait_for_load_state("load")
        assert page.evaluate("typeof Alpine") == "object"
        for size in (wide, phone):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, size)
    assert page.complaints == []


def test_a_key_is_issued_shown_once_and_forgotten(admin):
    page = admin()
    page.goto("/admin/accounts/apikey/add/")
    page.click(".select2-selection")
    page.click(".select2-results__option:has-text('admin')")
    page.fill("[name=name]", "from a browser")
    page.click("button[name=_save]")
    raw = page.inner_text("#raw-key")
    assert raw.startswith("vox_")
    page.click("[data-copies]")
    expect(page.locator("#copied")).not_to_be_empty()
    page.click("text=I have copied it")
    page.wait_for_url("**/change/")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser has not kept the page
        page.go_back()
    assert page.complaints == []
