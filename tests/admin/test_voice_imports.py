"""Voices are imported at the admin: sent as a zip, watched, reported, cancelled."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.voices.archives import archive, honest, table
from tests.voices.conftest import *  # noqa: F403  # its fixtures are these tests' too
from voices.imports import advance
from voices.models import Voice, VoiceImport

IMPORTS = "/admin/voices/voiceimport/"
WORD = "The owners of these voices agree."


@pytest.fixture
def send(account):
    def send(client, packed, statement=WORD):
        upload = SimpleUploadedFile("voices.zip", packed.getvalue())
        form = {"account": account.pk, "statement": statement, "archive": upload}
        return client.post(f"{IMPORTS}add/", form, follow=True)

    return send


def test_a_zip_is_sent_watched_and_reported(operator, operator_user, send):
    page = send(operator, honest("Alice", "=HYPERLINK"))
    made = VoiceImport.objects.get()
    assert page.status_code == 200
    assert (made.state, made.created_by, made.asked_by) == ("waiting", operator_user, "operator")
    assert "0 of 2" in operator.get(IMPORTS).content.decode()
    advance()
    assert Voice.objects.get(name="Alice").created_by == operator_user
    page = operator.get(f"{IMPORTS}{made.pk}/change/").content.decode()
    assert "2 of 2, 0 refused" in page
    answer = operator.get(f"{IMPORTS}{made.pk}/report/")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [line["state"] for line in lines] == ["done", "done"]
    assert lines[1]["name"] == "'=HYPERLINK"


def test_what_cannot_be_imported_is_said_where_it_was_sent(operator, send):
    page = send(operator, archive({"voices.csv": table("a.wav")}))
    assert "cells" in page.content.decode()
    assert not VoiceImport.objects.exists()


def test_an_import_is_cancelled(operator, send):
    send(operator, honest("Alice"))
    made = VoiceImport.objects.get()
    operator.post(f"{IMPORTS}{made.pk}/cancel/")
    made.refresh_from_db()
    assert made.state == "cancelled"
    assert not advance()


def test_who_may_only_look_imports_and_cancels_nothing(operator, staff, send):
    send(operator, honest("Alice"))
    made = VoiceImport.objects.get()
    clerk = staff("view_voiceimport")
    assert send(clerk, honest("Bob")).status_code == 403
    assert clerk.post(f"{IMPORTS}{made.pk}/cancel/").status_code == 403
    assert clerk.get(f"{IMPORTS}{made.pk}/change/").status_code == 200
    assert VoiceImport.objects.get().state == "waiting"
