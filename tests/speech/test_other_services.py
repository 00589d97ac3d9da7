"""The platform on PostgreSQL, and its events through Redis: what larger installations run on."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from tests.choosing import REDIS
from tests.live import ROOT, LiveServer, child_environment, manage

pytestmark = pytest.mark.slow

SECRETS = {"SECRET_KEY": "a secret of a test " * 4, "KEY_PEPPER": "a pepper of a test " * 4}
TEXT = "Good evening from PostgreSQL."
EVENTS = """
import asyncio, django
django.setup()
from channels.layers import get_channel_layer

async def main():
    layer = get_channel_layer()
    assert type(layer).__name__ == "RedisPubSubChannelLayer", layer
    channel = await layer.new_channel()
    await layer.group_add("job-1", channel)
    await layer.group_send("job-1", {"type": "job.progress", "done": 3})
    print((await asyncio.wait_for(layer.receive(channel), 5))["done"])

asyncio.run(main())
"""


@pytest.mark.postgres
def test_it_speaks_and_meters_on_postgresql(postgres_url, tmp_path):
    environment = {"DATABASE_URL": postgres_url, **SECRETS}
    key = manage(tmp_path, "createapikey", "tests", **environment).strip()
    with LiveServer(tmp_path, environment) as server, server.http(key) as http:
        body = {"model": "tts-1", "input": TEXT, "response_format": "wav"}
        assert http.post("/v1/audio/speech", json=body).status_code == 200
        refused = http.post("/v1/audio/speech", json={**body, "voice": "nobody"})
        assert refused.json()["error"]["code"] == "unknown_voice"
        assert http.get("/api/usage", headers={}).json()["account"]["characters"]["limit"] is None
    with psycopg.connect(postgres_url) as database:
        query = "SELECT outcome, characters_charged FROM speech_usagerecord"
        assert database.execute(query).fetchall() == [("completed", len(TEXT))]
        counted = database.execute(
            "SELECT characters_used, characters_reserved FROM accounts_counter"
        ).fetchall()
    assert counted == [(len(TEXT), 0), (len(TEXT), 0)]


@pytest.mark.postgres
def test_a_shared_database_needs_secrets_that_are_shared(postgres_url, tmp_path):
    with pytest.raises(AssertionError, match="SECRET_KEY must come from the environment"):
        manage(tmp_path, "check", DATABASE_URL=postgres_url)
    assert not list(tmp_path.iterdir())


@pytest.mark.redis
def test_events_travel_through_redis_when_it_is_configured(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", EVENTS],
        cwd=ROOT,
        env=child_environment(
            tmp_path, REDIS_URL=REDIS, DJANGO_SETTINGS_MODULE="voxplatform.settings"
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "3", done.stderr
