"""Keys, history and members in a browser: what people do there, by keyboard as well."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_key_is_made_copied_and_revoked(open_as):
    page = open_as("grace", "/keys/new/")
    page.fill("[name=name]", "from a browser")
    page.keyboard.press("Enter")
    assert re.fullmatch(r"vox_\w{10}_\w+", page.inner_text("#raw-key"))
    assert_accessible(page)
    page.click("[data-copies]")
    expect(page.locator("[data-copies]")).to_have_text(re.compile("Copied|Selected"))
    page.click("text=I have copied it")
    page.click("tr:has-text('from a browser') a")
    page.click("[commandfor=revoke-dialog][command=show-modal]")
    expect(page.locator("#revoke-dialog")).to_be_visible()
    assert_accessible(page)
    page.click("#revoke-dialog button.danger")
    expect(page.locator(".toast.success")).to_contain_text("is revoked")
    assert page.complaints == []


@pytest.mark.slow
def test_history_is_searched_while_one_types(open_as):
    page = open_as("ada", "/history/")
    page.fill("#search", "nothing of the kind")
    expect(page.locator("#found")).to_contain_text("Nothing found")
    page.wait_for_url("**/history/?q=nothing*")
    assert page.complaints == []


@pytest.mark.slow
def test_a_team_is_made_and_chosen_by_keyboard(open_as):
    page = open_as("grace", "/account/team/new/")
    page.focus("[name=name]")
    page.keyboard.type("Radio")
    page.keyboard.press("Enter")
    expect(page.locator("[popovertarget=accounts]")).to_contain_text("Radio")
    page.focus("[popovertarget=accounts]")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#accounts button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[popovertarget=accounts]")).to_contain_text("grace")


SPEAK = """async (text) => {
  const { "x-csrftoken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const headers = { "x-csrftoken": token, "content-type": "application/json" };
  const body = JSON.stringify({ input: text, voice: "nova", speed: 1.25 });
  const answer = await fetch("/api/speech", { method: "POST", headers, body });
  await answer.arrayBuffer();
  return answer.status;
}"""
HEARD = """async () => {
  const answer = await fetch(document.querySelector("audio").src);
  return new TextDecoder().decode((await answer.arrayBuffer()).slice(0, 4));
}"""


@pytest.mark.slow
def test_what_was_spoken_is_found_and_heard_again(open_as):
    page = open_as("grace", "/account/team/")
    page.select_option("[name=history]", "audio")
    page.click("[aria-labelledby=rules] button")
    expect(page.locator(".toast.success")).to_be_visible()
    assert page.evaluate(SPEAK, "The first lights came on along the quay.") == 200
    page.goto("/history/")
    expect(page.locator(".said")).to_contain_text("along the quay")
    expect(page.locator(".said")).to_contain_text("1.25×")
    for _ in range(50):
        if page.locator("audio").count():
            break
        page.wait_for_timeout(100)
        page.reload()
    assert page.evaluate(HEARD) == "fLaC"
    assert_accessible(page)
    page.click(".said button.danger")
    expect(page.locator("#found")).to_contain_text("Nothing yet")
    assert page.complaints == []
