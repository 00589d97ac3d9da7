"""The start-up checks: the defaults pass, unsafe settings are refused by name."""

from __future__ import annotations

import ipaddress

import pytest
from django.core.checks import run_checks

from speech.checks import NUMBERS, check_engine


def found():
    ours = ("accounts.", "voxplatform.")
    return {message.id for message in run_checks(tags=["security"]) if message.id.startswith(ours)}


def test_the_defaults_are_safe():
    assert found() == set()


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"DEBUG": True, "SITE_URL": "https://speech.example.com"}, "voxplatform.E001"),
        ({"ALLOWED_HOSTS": ["*"]}, "voxplatform.E002"),
        ({"SECRET_KEY": "short"}, "voxplatform.E003"),
        ({"SECRET_KEY": "ab" * 40}, "voxplatform.E003"),
        ({"TRUSTED_PROXIES": ["*"]}, "voxplatform.E004"),
        ({"SITE_URL": "http://speech.example.com"}, "voxplatform.W001"),
        ({"METRICS_ALLOW": [ipaddress.ip_network("0.0.0.0/0")]}, "voxplatform.W002"),
        ({"KEY_PEPPERS": ["a pepper of sufficient length, yes", "short"]}, "accounts.E001"),
    ],
)
def test_it_refuses_what_is_unsafe(settings, changes, finding):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == {finding}


@pytest.mark.parametrize(
    "site",
    ["http://127.0.0.1:8000", "http://192.168.1.5", "http://nas:8000", "http://nas.local",
     "https://speech.example.com"],
)  # fmt: skip
def test_plain_http_is_fine_at_home(settings, site):
    settings.SITE_URL = site
    assert found() == set()


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("SPEECH_ENGINE", "festival", "speech.E001"),
        ("DEFAULT_VOICE", "nobody", "speech.E002"),
        ("QUEUE_SECONDS", 0, "speech.E003"),
        ("ENGINE_SLOTS", -1, "speech.E004"),
        ("ENGINE_INTERACTIVE_SLOTS", -1, "speech.E004"),
    ],
)
def test_it_refuses_what_no_engine_could_run_with(settings, name, value, finding):
    keys = {named: key for key, named in NUMBERS.items()}
    if name in keys:
        settings.VOXCPM_CONFIG = settings.VOXCPM_CONFIG | {keys[name]: value}
    else:
        setattr(settings, name, value)
    [error] = check_engine()
    assert error.id == finding and name in error.msg
