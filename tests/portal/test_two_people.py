"""One who has something of everything, and two who must not see it: no page, list or address shows
them any of it. All routes of the portal and of the API are walked, so that none is forgotten."""

from __future__ import annotations

import re

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.urls import get_resolver

from accounts.audit import Actor
from accounts.models import ApiKey, Invitation
from speech import history
from speech.job_parts import Output
from speech.longform.storage import folder
from tests.longform.conftest import job, make_job  # noqa: F401  # pytest finds them here
from tests.portal.conftest import spoken
from tests.portal.test_media import addresses, body_of
from voices.models import VoiceConsent, VoiceDesign

SECRET = "zaubernuss"
# What is the same for everybody, or is no page: the API's description is public.
OURS = re.compile(r"(account/(?!team|profile|choose)|admin|docs|schema|strings|favicon|static|mcp)")


@pytest.fixture
def things(alice, account, voice, origin, sample, job):  # noqa: F811
    """Alice's, by what stands for them in an address."""
    voice.name = voice.description = SECRET
    voice.save()
    consent = VoiceConsent.record(account, sample, origin, name=SECRET, language="en")
    design = VoiceDesign.draft(account, origin, f"A {SECRET}", f"One {SECRET}, to hear it by.")
    design.add(sample, design.text, 7, "tone")
    ApiKey.issue(account, SECRET, created_by=alice)
    Invitation.send(account.pk, f"{SECRET}@example.com", "member", alice, Actor.of_user(alice))
    item = spoken(alice, account, f"Under the {SECRET}", voice=voice.public_id)
    audio = ContentFile(b"fLaC" + SECRET.encode())
    history.add_audio(item, "history/aa/d.flac", audio)
    job.title = SECRET
    job.save()
    stored = default_storage.save(f"{folder(job)}/a.flac", audio)
    job.segments.update(
        text=SECRET, audio=stored, state="finished", samples=24_000, sample_rate=24_000
    )
    output = Output.objects.create(job=job, format="mp3", state="ready", file=stored)
    ids = {
        "voices/designs": design.public_id,
        "voices": voice.public_id,
        "consents": consent.public_id,
        "voice_consents": consent.public_id,
        "jobs": job.public_id,
        "keys": ApiKey.objects.get().public_id,
        "history": str(item),
        "output": output.public_id,
        "invitations": str(Invitation.objects.get().pk),
        "team": str(account.memberships.get(user=alice).pk),
    }
    return ids


def filled(route, ids):
    """The address of Alice's thing."""
    kind = next((kind for kind in ids if f"{kind}/<" in route), "voices")
    route = re.sub(r"<[^>]*output[^>]*>", ids["output"], route)
    route = re.sub(r"<number:version>|<(int|number):number>", "1", route)
    route = re.sub(r"<[^>]*(index|number)>", "0", route)
    return "/" + re.sub(r"<[^>]+>", ids[kind], route).strip("^$")


def paths(ids):
    for route in sorted(set(addresses(get_resolver("voxplatform.urls")))):
        if "(?P" not in route and not OURS.match(route.strip("^")):
            yield filled(route, ids)


def walk(user, ids):
    """Every address, and what this person gets there."""
    browser = AsyncClient()
    browser.force_login(user)
    for path in paths(ids):
        answer = async_to_sync(browser.get)(path)
        yield path, answer.status_code, body_of(answer)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_nothing_of_one_is_seen_by_others(things, alice, bob, charlie):
    seen = {path for path, _, content in walk(alice, things) if SECRET.encode() in content}
    assert {"/voices/", "/jobs/", "/history/", "/keys/", "/account/team/", "/studio/"} <= seen
    assert {"/api/voices", "/api/consents", "/api/jobs"} <= seen
    assert sum(any(thing in path for thing in things.values()) for path in seen) > 10
    for other in (charlie, bob):  # who is a member, and acts for his own account
        for path, status, content in walk(other, things):
            assert SECRET.encode() not in content, path
            if path in seen and any(len(thing) > 8 and thing in path for thing in things.values()):
                assert status == 404, path
