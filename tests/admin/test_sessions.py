"""Forms come from our own pages, redirects stay here, and sessions end when they should."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.models import Account

ADD = "/admin/accounts/account/add/"
LOGIN = "/account/login/"
CREDENTIALS = {"login": "operator", "password": "operator's password"}


@pytest.fixture
def strict(operator_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator_user)
    return client


@pytest.mark.parametrize(
    "options",
    [
        {"data": {"name": "x"}},
        {"data": {"name": "x", "csrfmiddlewaretoken": "x" * 64}},
        {"data": {"name": "x"}, "headers": {"origin": "https://evil.example"}},
        {"data": json.dumps({"name": "x"}), "content_type": "application/json"},
    ],
    ids=["none", "wrong", "foreign page", "JSON"],
)
def test_a_form_from_elsewhere_changes_nothing(strict, options):
    response = strict.post(ADD, **options)
    assert response.status_code == 403
    assert response.headers["content-type"].startswith("text/html")
    assert not Account.objects.filter(name="x").exists()


@pytest.mark.parametrize("target", ["//evil.example", "javascript:alert(1)", "\\\\evil.example"])
def test_a_login_stays_on_the_site(operator_user, target):
    response = Client().post(f"{LOGIN}?next={target}", {**CREDENTIALS, "next": target})
    assert (response.status_code, response.headers["location"]) == (302, "/")


def test_the_admin_asks_at_the_same_door(operator_user):
    client = Client()
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith(LOGIN)
    response = client.post(response.redirect_chain[-1][0], {**CREDENTIALS, "next": "/admin/"})
    assert response.headers["location"] == "/admin/"


def test_who_is_no_operator_is_told_so(client, charlie):
    client.force_login(charlie)
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_login_takes_a_new_session_in_safe_cookies(operator_user, settings):
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    client.cookies["sessionid"] = "chosen-by-somebody-else-0123456789"
    response = client.post(LOGIN, CREDENTIALS)
    cookie = response.cookies["sessionid"]
    assert cookie.value != "chosen-by-somebody-else-0123456789"
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


def test_a_new_password_ends_the_other_sessions(operator_user):
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post(LOGIN, CREDENTIALS)
    form = {
        "old_password": CREDENTIALS["password"],
        "new_password1": "quite another word",
        "new_password2": "quite another word",
    }
    assert here.post("/admin/password_change/", form).status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def test_pages_of_the_admin_run_no_script_of_the_page_itself(operator):
    policy = operator.get("/admin/").headers["content-security-policy"]
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in script
