"""Single sign-on: whom the provider knows comes in, with a login of their own."""

from __future__ import annotations

import html
import json
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import AuditEntry
from tests.live import LiveServer

PERSON = {
    "sub": "4711",
    "preferred_username": "edith",
    "email": "edith@example.com",
    "email_verified": True,
}
CALLBACK = "/account/oidc/sso/login/callback/"


class Provider(BaseHTTPRequestHandler):
    """As much of OpenID Connect as a login takes. What was posted is in ``server.posted``."""

    def do_GET(self):
        here = f"http://127.0.0.1:{self.server.server_port}"
        answers = {
            "/.well-known/openid-configuration": {
                "issuer": here,
                "authorization_endpoint": f"{here}/authorize",
                "token_endpoint": f"{here}/token",
                "userinfo_endpoint": f"{here}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
            "/userinfo": PERSON,
        }
        self._answer(answers[self.path])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.posted = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer({"access_token": "a-token", "token_type": "Bearer"})

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def provider(db, settings):
    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        app = {"provider_id": "sso", "name": "Company", "client_id": "vox", "secret": "hush"}
        app["settings"] = {"server_url": f"http://127.0.0.1:{server.server_port}"}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def live(migrated_dir, tmp_path, provider):
    """The platform with the settings that an operator writes, and no others."""
    data_dir = shutil.copytree(migrated_dir, tmp_path / "data")
    environment = {
        "OIDC_URL": f"http://127.0.0.1:{provider.server_port}",
        "OIDC_CLIENT_ID": "vox",
        "OIDC_CLIENT_SECRET": "hush",
        "OIDC_NAME": "Company login",
    }
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.mark.slow
def test_four_settings_are_all_it_takes(live):
    with live.http() as browser:
        door = browser.get("/account/login/").text
        button = re.search(r'href="([^"]*/oidc/sso/login/[^"]*)"[^>]*>\s*Company login', door)[1]
        there = browser.get(html.unescape(button)).headers["location"]
        asked = parse_qs(urlsplit(there).query)
        browser.get(CALLBACK, params={"code": "a-code", "state": asked["state"][0]})
        assert "edith" in browser.get("/keys/").text


def come_in(browser):
    there = browser.get("/account/oidc/sso/login/").headers["location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert asked["client_id"] == "vox"
    assert asked["redirect_uri"].endswith(CALLBACK)
    return browser.get(CALLBACK, {"code": "a-code", "state": asked["state"]})


def test_whom_the_provider_knows_comes_in(provider):
    browser = Client()
    assert come_in(browser).status_code == 302
    edith = User.objects.get(email="edith@example.com")
    assert not edith.has_usable_password()
    assert browser.get("/keys/").status_code == 200
    assert (provider.posted["client_secret"], provider.posted["code"]) == ("hush", "a-code")
    assert AuditEntry.objects.filter(action="user.signup", actor_id=edith.pk).exists()


def test_who_comes_again_is_the_same(provider):
    come_in(Client())
    come_in(Client())
    assert User.objects.count() == 1


def test_nobody_new_comes_where_sign_up_is_closed(provider, settings):
    settings.SIGN_UP = "closed"
    come_in(Client())
    assert not User.objects.exists()


def test_an_answer_that_was_not_asked_for_opens_nothing(provider):
    browser = Client()
    browser.get(CALLBACK, {"code": "a-code", "state": "made-up"})
    assert not User.objects.exists()
    assert browser.get("/keys/").status_code == 302


def test_an_address_that_somebody_has_is_not_taken_over(provider, django_user_model):
    known = django_user_model.objects.create_user("edith", "edith@example.com", "her password")
    browser = Client()
    come_in(browser)
    assert browser.get("/keys/").status_code == 302
    assert not known.socialaccount_set.exists()
