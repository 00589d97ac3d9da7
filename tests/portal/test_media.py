"""Every address that gives audio, opened on its own: it is a file of its type, and never a page;
one range of it is given and no more; and nobody opens it by a link that was forged or has ended."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.urls import URLResolver, get_resolver

from speech import heard, history
from speech.api import spoken as lent
from speech.job_parts import Output
from speech.longform.storage import folder
from tests.longform.conftest import job, make_job  # noqa: F401  # pytest finds them here
from tests.portal.conftest import spoken
from voices.models import VoiceDesign

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "Good evening, dear listeners."
AUDIO = b"fLaC and so on, for a while"
RANGES = {
    "bytes=0-": (200, AUDIO),
    "bytes=3-5": (206, AUDIO[3:6]),
    "bytes=-0": (416, b""),
    "bytes=0-1,5-6": (200, AUDIO),
    ",".join(["bytes=0-0"] + ["2-2"] * 99): (200, AUDIO),
}


@pytest.fixture
def made(alice, account, voice, origin, sample, job, settings, tmp_path):  # noqa: F811
    """An address of each kind, by the name of its route; all but the take hold AUDIO."""
    settings.DATA_DIR = tmp_path

    def stored(key):
        return default_storage.save(key, ContentFile(AUDIO))

    job.segments.filter(index=0).update(audio=stored(f"{folder(job)}/a.flac"))
    output = Output.objects.create(
        job=job, format="mp3", state="ready", file=stored(f"{folder(job)}/b.mp3")
    )
    voice.samples.update(object_key=stored("recordings/aa/c.wav"))
    account.history = "audio"
    account.save()
    pk = spoken(alice, account, "hello")
    history.add_audio(pk, "history/aa/d.flac", ContentFile(AUDIO))
    take = heard.Recorder(alice.pk, 24_000)
    take.write(np.zeros(2_400, np.float32))
    take.keep()
    design = VoiceDesign.draft(account, origin, "A calm old man", WORDS)
    design.add(sample, WORDS, 5, "voxcpm2")
    return {
        "candidate": f"/api/voices/designs/{design.public_id}/candidates/1/audio",
        "recording": f"/api/voices/{voice.public_id}/versions/1/recording",
        "segment": f"/api/jobs/{job.public_id}/segments/0/audio",
        "output": f"/api/jobs/{job.public_id}/outputs/{output.public_id}",
        "history": f"/history/{pk}/audio/",
        "take": f"/api/studio/takes/{take.name}.wav",
        "lent": re.sub("^https?://[^/]+", "", lent.lend(io.BytesIO(AUDIO), "flac").url),
    }


def get(path, user=None, **headers):
    """What an async client gets; these views are at home on a loop."""
    client = AsyncClient()
    if user:
        client.force_login(user)
    return async_to_sync(client.get)(path, headers=headers)


def body_of(answer):
    if not answer.streaming:
        return answer.content

    async def read():
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(read)()


def addresses(resolver, before=""):
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one, before + str(one.pattern))
        else:
            yield before + str(one.pattern)


def test_no_address_of_audio_is_forgotten(made):
    """Those of the admin give what ``deliver`` does, and what is lent has a token for a name."""
    audio = re.compile(r"^(?!admin).*(/audio|/recording|<str:output>|takes/.*format>)/?$")
    found = {address.rstrip("/") for address in addresses(get_resolver()) if audio.match(address)}
    assert len(found) == len(made) - 1, found


def test_it_is_a_file_of_its_type_and_no_page(made, alice):
    for path in made.values():
        answer = get(path, alice)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith("audio/"), path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["content-disposition"].startswith("attachment; filename"), path
        assert answer.headers["content-security-policy"] == "default-src 'none'", path
        assert "no-store" in answer.headers["cache-control"], path


@pytest.mark.parametrize("kind", ["recording", "output"])
def test_one_range_is_given_and_no_more(made, alice, kind):
    for asked, expected in RANGES.items():
        answer = get(made[kind], alice, range=asked)
        assert (answer.status_code, body_of(answer)) == expected, asked


def test_what_knows_no_ranges_gives_the_whole(made, alice):
    for kind in ("history", "take", "candidate"):
        whole = get(made[kind], alice).content
        for asked in RANGES:
            answer = get(made[kind], alice, range=asked)
            assert (answer.status_code, answer.content) == (200, whole)


def test_the_address_alone_opens_nothing(made, charlie):
    for kind, path in made.items():
        if kind != "lent":  # whose signature is the credential
            assert get(path).status_code in (302, 401), path
            assert get(path, charlie).status_code == 404, path


def test_a_link_that_was_forged_or_has_ended_opens_nothing(made, settings):
    link = made["lent"]
    assert get(link).status_code == 200
    head, _, signature = link.rpartition(":")
    key, _, time = head.rpartition("/")[2].partition(":")
    other = signing.dumps(["recordings/aa/c.wav", "wav"], salt="speech.spoken", key="x" * 50)
    for forged in (
        f"{head}:{signature[::-1]}",
        f"{head}:",
        f"/mcp/audio/{key}x:{time}:{signature}",
        f"/mcp/audio/{other}",
    ):
        assert get(forged).status_code == 403, forged
    settings.TAKE_MINUTES = 0
    assert get(link).status_code == 403
