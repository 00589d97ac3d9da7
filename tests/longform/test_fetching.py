"""Files of long texts on their way out: by a signed link where the storage gives one, unread."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import AsyncClient

from speech.job_parts import Output
from speech.longform.storage import folder
from tests.longform.conftest import storage_of

pytestmark = pytest.mark.django_db(transaction=True)


class Signing(FileSystemStorage):
    """Gives links; nobody copies a whole object to answer with a part of it."""

    def signed_url(self, name, content_type, disposition):
        return f"https://bucket.example/{name}?type={content_type}&disposition={disposition}"

    def _open(self, name, mode="rb"):
        raise AssertionError("it was read")


@pytest.fixture
def urls(job):
    """Where a segment and a file of a job are fetched."""
    key = default_storage.save(f"{folder(job)}/a.flac", ContentFile(b"fLaC"))
    job.segments.filter(index=0).update(audio=key)
    output = Output.objects.create(job=job, format="mp3", state="ready", file=key)
    base = f"/api/jobs/{job.public_id}"
    return f"{base}/segments/0/audio", f"{base}/outputs/{output.public_id}"


def test_the_storage_itself_is_asked_where_it_gives_links(urls, alice):
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # where middleware looks
    client = AsyncClient()
    client.force_login(alice)
    get = async_to_sync(client.get)
    with storage_of(Signing(default_storage.location)):
        answers = [get(url, headers={"range": "bytes=0-0"}) for url in urls]
    assert [answer.status_code for answer in answers] == [302, 302]
    places = [answer.headers["location"] for answer in answers]
    assert all(place.startswith("https://bucket.example/jobs/job_") for place in places)
    assert "type=audio/flac" in places[0] and "type=audio/mpeg" in places[1]
    assert all("attachment" in place for place in places)
