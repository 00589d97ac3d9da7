"""Headless Chromium in front of a live platform, with what its console complained about."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders

from tests.browser.listening import LISTEN
from tests.live import LiveServer, free_port, manage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "a password for tests"
AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text(encoding="utf-8")
# What fades in has its colours, and their contrast, when it is there.
SETTLED = """() => Promise.all(
  document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished.catch(() => null))
).then(() => null)"""
ASK_AXE = """rules => axe.run({ exclude: "#swagger-ui" }, {
  runOnly: rules,
  rules: { "landmark-no-duplicate-main": { enabled: !document.querySelector("#swagger-ui") } },
}).then((told) => told.violations.map((one) => one.id + ": " + one.nodes.map(
  (node) => node.html + " " + (node.any[0]?.message ?? "")).join(" | ")))"""
COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# An admin with a first key, as on a first start, and two people who know nothing of each other.
MAKE_PEOPLE = f"""
import json
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.conf import settings
from accounts.models import Account, ApiKey
admin = User.objects.create_superuser("admin", "admin@example.com", "{PASSWORD}")
key, _ = ApiKey.issue(Account.objects.for_user(admin), "first key", created_by=admin)
sessions = {{}}
for name in ("ada", "grace"):
    user = User.objects.create_user(name, name + "@example.com", "{PASSWORD}")
    Account.objects.for_user(user)
    session = SessionStore()
    session.update({{SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]}})
    session.save()
    sessions[name] = session.session_key
print(json.dumps({{"key": key, "sessions": sessions}}))
"""


@pytest.fixture(scope="session")
def site_dir(made_once, migrated_dir, tmp_path_factory):
    """A data directory with people, and with static files as they are: compressing them takes half
    a minute."""

    def make(folder):
        shutil.copytree(migrated_dir, folder)
        for finder in get_finders():
            for path, storage in finder.list(["*.map", "redoc"]):
                target = folder / "static" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(storage.path(path), target)
        told = manage(folder, "shell", "-c", MAKE_PEOPLE)
        (folder / "people.json").write_text(told.splitlines()[-1])

    return shutil.copytree(made_once("site", make), tmp_path_factory.mktemp("browser") / "data")


@pytest.fixture(scope="session")
def people(site_dir):
    return json.loads((site_dir / "people.json").read_text())


@pytest.fixture(scope="session")
def key(people):
    """The admin's."""
    return people["key"]


@pytest.fixture(scope="session")
def sessions(people):
    """The session cookies of Ada and Grace."""
    return people["sessions"]


@pytest.fixture(scope="session")
def site(site_dir):
    """The platform with its static files in place."""
    port = free_port()
    environment = {
        "SITE_URL": f"http://127.0.0.1:{port}",
        # Faster than it is heard, but not all at once.
        "ENGINE_CONFIG": '{"speed": 4.0}',
    }
    with LiveServer(site_dir, environment, port=port) as server:
        yield server


@pytest.fixture(scope="module")
def launch():
    """Open a browser with these arguments. All are closed with their module: while one is open an
    event loop runs in this thread, and tests that start one of their own cannot."""
    from playwright.sync_api import sync_playwright

    always = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:

        def launch(*arguments):
            return playwright.chromium.launch(executable_path=CHROMIUM, args=[*always, *arguments])

        yield launch


@pytest.fixture(scope="module")
def browser(launch):
    with launch() as browser:
        yield browser


@pytest.fixture
def open_page(browser, site):
    """Open a page in a fresh context. ``page.complaints`` are errors and requests that left us."""
    contexts = []

    def open_one(path="/", cookies=(), **options):
        context = browser.new_context(base_url=site.url, **options)
        context.add_cookies([{"url": site.url, **cookie} for cookie in cookies])
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: page.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((site.url, "blob:", "data:"))
                else page.complaints.append(request.url)
            ),
        )
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def open_as(open_page, sessions):
    """Open a page as Ada, or as Grace, who are signed in: ``open_as("ada", "/keys/")``."""

    def open_one(name, path="/", **options):
        cookie = {"name": "sessionid", "value": sessions[name]}
        return open_page(path, cookies=[cookie], **options)

    return open_one


def assert_accessible(page, rules=(*WCAG, "best-practice")):
    """No rule (by default: of WCAG 2.2 AA) is broken by what the page shows now, Swagger UI apart,
    which is not ours to mend and has a main landmark of its own. Asks axe-core."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    page.evaluate(SETTLED)
    found = page.evaluate(ASK_AXE, rules)
    assert found == []


@pytest.fixture
def open_studio(open_as):
    """Somebody's studio, with a listener at the loudspeaker, which the page's policy would not
    let in."""

    def open_one(name="ada", path="/studio/", **options):
        page = open_as(name, "/livez", bypass_csp=True, **options)
        page.add_init_script(LISTEN)
        page.goto(path)
        page.wait_for_function("window.heard.rate > 0")
        page.complaints.clear()  # of the page without an icon, by which we came
        return page

    return open_one


@pytest.fixture
def studio(open_studio):
    page = open_studio()
    yield page
    assert page.complaints == []
