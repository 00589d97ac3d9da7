"""No form of the portal takes what another site's page sends: each asks for its token."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from accounts.models import Account, ApiKey, Invitation, Profile
from portal.urls import urlpatterns

ROUTES = sorted({str(pattern.pattern) for pattern in urlpatterns if "allauth" not in str(pattern)})
FORM = {
    "name": "forged",
    "scopes": ["speech"],
    "email": "evil@example.com",
    "role": "owner",
    "theme": "dark",
    "default_format": "wav",
    "history": "audio",
}
SENT = {
    "none": {"data": FORM},
    "wrong": {"data": {**FORM, "csrfmiddlewaretoken": "x" * 64}},
    "foreign page": {"data": FORM, "headers": {"origin": "https://evil.example"}},
    "JSON": {"data": json.dumps(FORM), "content_type": "application/json"},
}


def paths():
    values = {"number": "1", "slug": "x" * 10, "str": "mp3"}
    for route in ROUTES:
        if not route.startswith(("^", "api/")) and route != "account/":
            yield "/" + re.sub(r"<(\w+):\w+>", lambda found: values[found[1]], route)


@pytest.mark.parametrize(
    "sent", [pytest.param(one, marks=[] if one == "none" else [pytest.mark.slow]) for one in SENT]
)
def test_a_form_from_elsewhere_changes_nothing(alice, account, api_key, sent):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    asked = list(paths())
    for path in asked:
        assert browser.post(path, **SENT[sent]).status_code == 403, path
    assert len(asked) > 40
    account.refresh_from_db()
    assert (account.name, account.history) == (Account.objects.get().name, "")
    assert [key.pk for key in ApiKey.objects.all()] == [api_key.pk]
    assert not Invitation.objects.exists() and not Profile.objects.exists()
