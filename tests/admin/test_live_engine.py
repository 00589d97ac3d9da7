"""The live engine page: for staff to see, for superusers to steer; notices for everybody."""

from __future__ import annotations

import os
import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import AuditEntry
from speech.operations import Notice
from tests.admin.conftest import *  # noqa: F403
from tests.portal.conftest import *  # noqa: F403
from tests.portal.conftest import browser_of

pytestmark = pytest.mark.django_db
LIVE = "admin:speech_engine"


@pytest.fixture
def at_admin(admin_user):
    return browser_of(admin_user)


@pytest.fixture
def at_staff(django_user_model):
    user = django_user_model.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_usagerecord"))
    return browser_of(user)


def test_staff_see_what_the_engine_does(at_staff):
    page = at_staff.get(reverse(LIVE)).content.decode()
    assert ">stopped</dd>" in page
    assert "live/restart" not in page


@pytest.mark.parametrize(
    ("driver", "shown"),
    [
        ('echo "NVIDIA H200, 37, 91840, 143771"', "37 %, 91840 / 143771 MiB"),
        ('echo "NVIDIA H200, [N/A], 91840, 143771"', "[N/A] %, 91840 / 143771 MiB"),
        ('echo "the driver is not loaded"; exit 9', None),
        ("echo nonsense", None),
    ],
)
def test_cards_are_shown_as_their_driver_tells(at_staff, tmp_path, monkeypatch, driver, shown):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{driver}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    page = at_staff.get(reverse(LIVE))
    assert page.status_code == 200
    told = re.search(r"<dt>NVIDIA H200</dt><dd data-gpu=\"0\">(.*?)</dd>", page.content.decode())
    assert (told[1] if told else None) == shown


def test_one_entry_of_the_menu_is_where_one_is(at_admin):
    live = reverse(LIVE)
    for path in (live, live.removesuffix("live/"), "/admin/speech/notice/"):
        menu = at_admin.get(path).context["sidebar_navigation"]
        active = [str(item["link"]) for group in menu for item in group["items"] if item["active"]]
        assert active == [path]


def test_others_do_not(client, at_charlie, django_user_model):
    """Nor do staff who may not read the usage log: it tells who speaks with which voice."""
    clerk = browser_of(django_user_model.objects.create_user("clerk", is_staff=True))
    assert "Live engine" not in clerk.get("/admin/").content.decode()
    for browser in (client, at_charlie, clerk):
        assert browser.get(reverse(LIVE)).status_code in (302, 403)


@pytest.mark.parametrize("deed", ["load", "unload", "restart", "measure", "stop"])
def test_only_superusers_steer(at_staff, deed):
    assert at_staff.post(reverse(f"{LIVE}_steer", args=[deed])).status_code == 403


def test_what_cannot_be_done_is_said(at_admin):
    answer = at_admin.post(reverse(f"{LIVE}_steer", args=["load"]), follow=True)
    assert "not started" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="engine.load").exists()


@pytest.mark.parametrize("deed", ["dance", "load"])
def test_looking_steers_nothing(at_admin, deed):
    assert at_admin.get(reverse(f"{LIVE}_steer", args=[deed])).status_code == 404


def test_a_notice_stands_on_the_portals_pages_until_its_time(at_alice):
    notice = Notice.objects.create(text="We restart <at> noon.")
    assert "We restart &lt;at&gt; noon." in at_alice.get("/jobs/").content.decode()
    Notice.objects.filter(pk=notice.pk).update(until="2020-01-01T00:00Z")
    assert "noon" not in at_alice.get("/jobs/").content.decode()
