"""Forms of the admin: what is to be written has its fields, and what is not has no button."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from voices.models import VoiceReport

ADD_USER = "/admin/auth/user/add/"


def test_somebody_is_given_a_login(operator):
    fields = operator.get(ADD_USER).context["adminform"].form.fields
    assert {"username", "password1", "password2"} <= set(fields)
    password = "a password of their own"
    told = {"username": "dora", "password1": password, "password2": password}
    made = operator.post(ADD_USER, told | {"usable_password": "true"})
    assert made.status_code == 302
    assert User.objects.get(username="dora").check_password(password)


@pytest.mark.parametrize("name", ["voice", "voiceconsent"])
def test_where_nothing_can_be_written_nothing_is_saved(
    operator, operator_user, voice, consent, name
):
    pk = {"voice": voice, "voiceconsent": consent}[name].pk
    page = operator.get(f"/admin/voices/{name}/{pk}/change/").content.decode()
    assert 'name="_save"' not in page
    assert "Close" in page
    own = f"/admin/auth/user/{operator_user.pk}/change/"
    assert 'name="_save"' in operator.get(own).content.decode()


def test_a_report_is_looked_at_and_settled_once(operator, voice, charlies, origin):
    report = VoiceReport.file(voice, charlies, "This is my voice!", origin.actor)
    page = f"/admin/voices/voicereport/{report.pk}/"
    shown = operator.get(f"{page}change/").content.decode()
    assert "Alice reads" in shown
    assert f"{page}settle/" in shown
    assert operator.get(f"{page}settle/").status_code == 200
    report.refresh_from_db()
    assert report.settled_at is None  # looking settles nothing
    operator.post(f"{page}settle/")
    report.refresh_from_db()
    first = report.settled_at
    assert first
    assert f"{page}settle/" not in operator.get(f"{page}change/").content.decode()
    operator.post(f"{page}settle/")
    report.refresh_from_db()
    assert report.settled_at == first


def test_names_keep_their_letters_above_a_page(operator, voice):
    page = operator.get(f"/admin/voices/voice/{voice.pk}/change/").content.decode()
    assert voice.public_id in page
    assert voice.public_id.capitalize() not in page
