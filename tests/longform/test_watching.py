"""Those who watch a long text: how little they cost, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import OperationalError

from accounts.models import ApiKey
from speech import consumers, watcher
from speech.consumers import ProgressConsumer, _watched
from speech.longform.news import group_of
from speech.longform.progress import progress_of
from speech.watcher import _open

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 10_000 if os.environ.get("SOAK") == "1" else 1000


async def watching(raw_key):
    headers = [(b"authorization", f"Bearer {raw_key}".encode())]
    socket = WebsocketCommunicator(ProgressConsumer.as_asgi(), "/ws/progress/", headers)
    socket.scope |= {"client": ["127.0.0.1", 5], "url_route": {"kwargs": {}}}
    assert (await socket.connect(10))[0]
    return socket


async def say(socket, kind, job):
    await socket.send_to(text_data=json.dumps({"type": kind, "job": job.public_id}))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_coming_and_going_leaves_no_group_behind(make_job, account):
    raw_key = (await sync_to_async(ApiKey.issue)(account, "watcher"))[0]
    job, other = [await sync_to_async(make_job)(start=False) for _ in range(2)]
    layer = get_channel_layer()
    before = dict(layer.groups)
    socket = await watching(raw_key)
    for _ in range(TIMES):
        await say(socket, "subscribe", job)
        assert (await socket.receive_json_from(10))["job"]["id"] == job.public_id
        await say(socket, "unsubscribe", job)
    await say(socket, "subscribe", other)
    # News of the former may still be on their way.
    while (await socket.receive_json_from(10))["job"]["id"] != other.public_id:
        pass
    assert [name for name in layer.groups if name not in before] == [f"job.{other.public_id}"]
    assert len(_open) == 1
    assert dict(_watched) == {other.public_id: 1}
    await socket.disconnect()
    assert layer.groups == before
    assert not _open and not _watched


async def test_a_socket_that_ends_in_an_error_leaves_its_place_too(make_job, account, monkeypatch):
    raw_key = (await sync_to_async(ApiKey.issue)(account, "watcher"))[0]
    job = await sync_to_async(make_job)(start=False)
    socket = await watching(raw_key)
    assert len(_open) == 1

    def gone(*_):
        raise OperationalError("the database is gone")

    monkeypatch.setattr(consumers, "progress_of", gone)
    await say(socket, "subscribe", job)
    with pytest.raises(OperationalError):
        await socket.wait(10)
    assert not _open and not _watched
    assert group_of(job.public_id) not in get_channel_layer().groups


async def test_an_older_state_is_never_told_after_a_newer_one(make_job, account, monkeypatch):
    """Both who asks and who looks by itself look at the same time, and the first takes longer."""
    raw_key = (await sync_to_async(ApiKey.issue)(account, "watcher"))[0]
    job = await sync_to_async(make_job)(start=False)
    looked = threading.Event()

    def slowly(job):
        found = progress_of(job)
        if not looked.is_set():
            looked.set()
            time.sleep(0.5)
        return found

    monkeypatch.setattr(consumers, "progress_of", slowly)
    monkeypatch.setattr(watcher, "LOOK_SECONDS", 0.05)
    socket = await watching(raw_key)
    await say(socket, "subscribe", job)
    await asyncio.to_thread(looked.wait, 10)
    job.message = "newer"
    await job.asave()
    told = [(await socket.receive_json_from(10))["job"]["message"] for _ in range(2)]
    assert told == ["", "newer"]
    await socket.disconnect()


class Slow:
    """The other end of a socket that takes nothing while it is not ``reading``."""

    def __init__(self, raw_key, *messages):
        headers = [(b"authorization", f"Bearer {raw_key}".encode())]
        self.scope = {"type": "websocket", "path": "/ws/progress/", "headers": headers}
        self.scope |= {"query_string": b"", "client": ["127.0.0.1", 5]}
        self.scope |= {"url_route": {"kwargs": {}}}
        self.coming = asyncio.Queue()
        for message in ({"type": "websocket.connect"}, *messages):
            self.coming.put_nowait(message)
        self.reading = asyncio.Event()
        self.told = []

    async def send(self, message):
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"])["job"])
            await self.reading.wait()


async def test_who_reads_late_is_told_the_newest_state_and_nothing_of_what_was_between(
    make_job, account
):
    raw_key = (await sync_to_async(ApiKey.issue)(account, "watcher"))[0]
    job = await sync_to_async(make_job)(start=False)
    asked = {"type": "subscribe", "job": job.public_id}
    late = Slow(raw_key, {"type": "websocket.receive", "text": json.dumps(asked)})
    socket = asyncio.create_task(ProgressConsumer.as_asgi()(late.scope, late.coming.get, late.send))
    while not late.told:
        await asyncio.sleep(0.01)
    for number in range(200):
        job.message = f"change {number}"
        await job.asave()
        ring = {"type": "job.changed", "id": job.public_id}
        await get_channel_layer().group_send(group_of(job.public_id), ring)
    late.reading.set()
    while late.told[-1]["message"] != "change 199":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    assert len(late.told) == 2
    late.coming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await socket
