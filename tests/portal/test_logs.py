"""What the log says, and what it never says."""

from __future__ import annotations

import logging

import pytest
import structlog
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import URLPattern, get_resolver, reverse

# Routes below /account/ whose parameters open nothing.
HARMLESS = {"team-withdraw", "team-change", "team-remove"}
SECRET = {
    "invitation": {"token": "MQ:1abcde:s3cret"},
    "account_confirm_email": {"key": "MQ:1abcde:s3cret"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "d0-s3cret"},
}


@pytest.fixture
def lines(caplog):
    """All that was logged, as the log has it."""
    caplog.set_level(logging.INFO)
    handlers = logging.root.handlers
    formatters = [one.formatter for one in handlers]
    ours = next(one for one in formatters if isinstance(one, structlog.stdlib.ProcessorFormatter))
    return lambda: "\n".join(ours.format(record) for record in caplog.records)


def named(resolver, before=""):
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from named(pattern, path)
        elif path.startswith("account/") and pattern.pattern.regex.groups:
            yield pattern.name


def test_of_every_link_it_is_known_whether_it_opens_something():
    assert set(named(get_resolver())) == HARMLESS | set(SECRET)


@pytest.mark.parametrize("name", SECRET)
@pytest.mark.parametrize("slip", ["", "cut", "forged"])
def test_no_log_has_what_opens_an_account(db, lines, name, slip):
    path = reverse(name, kwargs=SECRET[name])
    browser = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)
    if slip == "forged":
        async_to_sync(browser.post)(path)
    else:
        async_to_sync(browser.get)(path[:-1] if slip else path)
    assert "s3cret" not in lines()
    assert "[secret]" in lines()
