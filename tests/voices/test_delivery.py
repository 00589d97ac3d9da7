"""What a player asks for it gets: the whole, or a range of it as the standard has it."""

from __future__ import annotations

import asyncio

import pytest
from django.test import RequestFactory

from voices.delivery import byte_range, deliver
from voices.exceptions import StorageUnavailable

SIZE = 1000


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("", (0, SIZE)),
        ("bytes=0-", (0, SIZE)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=990-5000", (990, SIZE)),
        ("bytes=-5", (995, SIZE)),
        ("bytes=-5000", (0, SIZE)),
        ("bytes=1000-", None),
        ("bytes=-0", None),
        # no single range of bytes: the whole
        ("bytes=-", (0, SIZE)),
        ("bytes=9-3", (0, SIZE)),
        ("bytes=0-1,5-6", (0, SIZE)),
        ("lines=1-2", (0, SIZE)),
        ("bytes=a-b", (0, SIZE)),
        ("bytes=" + "9" * 5000 + "-", (0, SIZE)),
    ],
)
def test_a_range_is_read_as_the_standard_says(asked, span):
    assert byte_range(asked, SIZE) == span


def ask(voice, **headers):
    return deliver(RequestFactory(headers=headers).get("/"), voice.sample.object_key)


async def read(answer):
    return [piece async for piece in answer.streaming_content]


def body_of(answer):
    return b"".join(asyncio.run(read(answer)))


@pytest.mark.django_db
def test_the_whole_leaves_in_pieces_and_says_that_ranges_are_taken(voice):
    answer = ask(voice)
    pieces = asyncio.run(read(answer))
    assert b"".join(pieces) == voice.sample.wav()
    assert len(pieces) > 2 and max(map(len, pieces)) <= 64 * 1024
    assert (answer.status_code, answer["accept-ranges"]) == (200, "bytes")
    assert answer["content-length"] == str(voice.sample.size)
    assert answer["cache-control"] == "no-store"
    assert voice.sample.object_key not in str(answer.headers)


@pytest.mark.django_db
def test_a_part_says_which_it_is(voice):
    answer = ask(voice, range="bytes=44-143")
    assert body_of(answer) == voice.sample.wav()[44:144]
    assert (answer.status_code, answer["content-length"]) == (206, "100")
    assert answer["content-range"] == f"bytes 44-143/{voice.sample.size}"


@pytest.mark.django_db
def test_what_lies_outside_is_refused_with_the_size(voice):
    answer = ask(voice, range=f"bytes={voice.sample.size}-")
    assert (answer.status_code, answer["content-range"]) == (416, f"bytes */{voice.sample.size}")


@pytest.mark.django_db
def test_a_part_of_another_recording_is_the_whole_of_this_one(voice):
    tag = ask(voice)["etag"]
    same = {"range": "bytes=0-9", "if-range": tag}
    assert ask(voice, **same).status_code == 206
    assert ask(voice, **same | {"if-range": '"another"'}).status_code == 200


@pytest.mark.django_db
def test_what_is_not_there_is_said_before_anything_is_sent(voice):
    voice.samples.update(object_key="recordings/xx/gone.wav")
    with pytest.raises(StorageUnavailable):
        ask(voice)
