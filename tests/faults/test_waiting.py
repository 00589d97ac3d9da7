"""What a request hears that must wait: for the model, for its turn, for an engine that hangs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from tests.faults.invariants import Trace
from tests.live import LiveServer

QUEUE_SECONDS = 2
STEP_SECONDS = 2
ANSWER_SECONDS = 2
SHORT = "A good request."
LONG = "one sentence that takes ten seconds and more " * 4  # a single utterance
# Clients of this machine share two cores with the server: what a deadline may be late by.
LATE = 3


@pytest.fixture(scope="module")
def narrow(data_dir):
    """One slot in real time, two places to wait in, and little patience."""
    config = '{"speed": 1.0, "slots": 1, "max_waiting": 2}'
    environment = {"ENGINE_CONFIG": config, "QUEUE_SECONDS": str(QUEUE_SECONDS)}
    with LiveServer(data_dir, environment) as server:
        yield server


@pytest.fixture(scope="module")
def wide(data_dir):
    """As anybody runs it, but that a hung step is noticed soon."""
    with LiveServer(data_dir, {"ENGINE_STEP_SECONDS": str(STEP_SECONDS)}) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_left(request, data_dir):
    """Whatever a test did, no stream and no reservation stays open."""
    yield
    Trace.at_rest(data_dir)


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def fields(text=SHORT):
    return {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}


def speak(server, key, text=SHORT):
    with server.http(key) as http:
        return http.post("/v1/audio/speech", json=fields(text))


def engine(server, key):
    return server.get("/api/engine", key).json()


def switch(server, key, action):
    with server.http(key) as http:
        assert http.post(f"/api/engine/{action}").status_code == 200


def refusal(answer):
    """Status, code and the seconds after which to come back."""
    error = answer.json()["error"]
    assert error["type"] == "service_unavailable_error"
    return answer.status_code, error["code"], int(answer.headers["retry-after"])


def unload(server, key, load_seconds):
    """Give the model back and have the next load take so long."""
    server.set_faults(load_seconds=load_seconds)
    eventually(lambda: engine(server, key)["running"] == 0)
    switch(server, key, "unload")
    assert engine(server, key)["state"] == "cold"


@pytest.mark.slow
def test_it_loads_an_unloaded_model_and_waits_for_it(narrow, live_key):
    unload(narrow, live_key, load_seconds=0.5)
    begin = time.monotonic()
    assert speak(narrow, live_key).status_code == 200
    assert time.monotonic() - begin >= 0.5


@pytest.mark.slow
def test_it_tells_whoever_cannot_wait_for_the_load_and_loads_on(narrow, live_key):
    unload(narrow, live_key, load_seconds=3)
    begin = time.monotonic()
    status, code, _ = refusal(speak(narrow, live_key))
    assert (status, code) == (503, "engine_unavailable")
    assert QUEUE_SECONDS <= time.monotonic() - begin < QUEUE_SECONDS + LATE
    assert "loading" in narrow.get("/readyz").json()["reasons"][0]
    assert narrow.get("/livez").status_code == 200
    eventually(lambda: engine(narrow, live_key)["state"] == "ready")
    assert time.monotonic() - begin >= 2.9
    assert speak(narrow, live_key).status_code == 200
    # The next one who cannot wait hears how long the last load took.
    unload(narrow, live_key, load_seconds=3)
    status, code, retry_after = refusal(speak(narrow, live_key))
    assert (status, code) == (503, "engine_unavailable")
    assert 4 <= retry_after <= 5
    eventually(lambda: engine(narrow, live_key)["state"] == "ready")


@pytest.mark.slow
def test_it_refuses_at_once_when_the_queue_is_full_and_later_who_waited_too_long(narrow, live_key):
    with (
        narrow.http(live_key) as http,
        ThreadPoolExecutor(2) as pool,
        http.stream("POST", "/v1/audio/speech", json=fields(LONG)) as speaking,
    ):
        audio = speaking.iter_raw(1000)
        assert next(audio)
        begin = time.monotonic()
        waiting = [pool.submit(speak, narrow, live_key) for _ in range(2)]
        eventually(lambda: engine(narrow, live_key)["waiting"] == 2, QUEUE_SECONDS)
        status, code, retry_after = refusal(speak(narrow, live_key))
        assert (status, code) == (503, "server_is_overloaded")
        assert 1 <= retry_after <= 60
        assert time.monotonic() - begin < QUEUE_SECONDS
        for answer in waiting:
            status, code, retry_after = refusal(answer.result())
            assert (status, code) == (503, "queue_timeout")
            assert 1 <= retry_after <= 60
        assert QUEUE_SECONDS <= time.monotonic() - begin < QUEUE_SECONDS + LATE
    # Those who gave up are not spoken to, and whoever left makes room.
    eventually(lambda: engine(narrow, live_key)["running"] == 0, ANSWER_SECONDS)
    assert speak(narrow, live_key).status_code == 200


@pytest.mark.slow
def test_a_storm_of_retries_stays_within_three_times_the_requests(narrow, live_key, data_dir):
    rows = Trace.of(data_dir).usage_rows
    sent = Counter()
    most_waiting = 0

    async def client(number):
        async def count(request):
            sent[number] += 1

        async with (
            httpx.AsyncClient(event_hooks={"request": [count]}, verify=False) as http,
            openai.AsyncOpenAI(
                api_key=live_key, base_url=f"{narrow.url}/v1", max_retries=2, http_client=http
            ) as sdk,
        ):
            try:
                await sdk.audio.speech.create(**fields())
            except openai.APIStatusError as error:
                return error.status_code
            return 200

    async def storm():
        nonlocal most_waiting
        clients = asyncio.gather(*(client(number) for number in range(50)))
        while not clients.done():
            state = await asyncio.to_thread(engine, narrow, live_key)
            most_waiting = max(most_waiting, state["waiting"])
            await asyncio.sleep(0.1)
        return await clients

    outcomes = Counter(asyncio.run(storm()))
    assert set(outcomes) == {200, 503}
    assert sum(sent.values()) <= 150
    assert most_waiting <= 2
    eventually(lambda: engine(narrow, live_key)["running"] == 0, ANSWER_SECONDS)
    assert Trace.at_rest(data_dir).usage_rows - rows < sum(sent.values()) / 2
    assert speak(narrow, live_key).status_code == 200


@pytest.mark.slow
def test_a_step_that_hangs_is_answered_for_and_the_engine_comes_back(wide, live_key):
    wide.set_faults(hang_at=0, match="stuck", times=1)
    begin = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        texts = ["This one is stuck.", *[LONG] * 49]
        answers = [pool.submit(speak, wide, live_key, text) for text in texts]
        while engine(wide, live_key)["running"] == 0 and time.monotonic() - begin < 1:
            time.sleep(0.02)
        asked = time.monotonic()
        assert wide.get("/livez").status_code == 200
        assert wide.get("/health").status_code == 200  # health never asks the engine's queue
        assert time.monotonic() - asked < 1
        stuck = answers[0].result()
        # Who came after the restart is served; who waited in the dead process is told.
        outcomes = Counter(outcome(answer) for answer in answers)
    assert refusal(stuck)[:2] == (503, "engine_unavailable")
    assert set(outcomes) <= {200, 503, "cut"}
    assert time.monotonic() - begin < STEP_SECONDS + ANSWER_SECONDS + LATE
    assert "A step of the engine took too long." in wide.log
    assert "in _step" in wide.log  # where it hung
    eventually(lambda: wide.get("/readyz").status_code == 200)
    assert speak(wide, live_key).status_code == 200


def outcome(answer):
    try:
        return answer.result().status_code
    except httpx.TransportError:
        return "cut"


@pytest.mark.slow
def test_a_load_that_fails_is_told_and_tried_again(wide, live_key):
    wide.set_faults(load_fail=1)
    switch(wide, live_key, "unload")
    switch(wide, live_key, "load")
    eventually(lambda: "The model could not be loaded" in wide.get("/readyz").text)
    assert wide.get("/readyz").status_code == 503
    assert wide.get("/livez").status_code == 200
    eventually(lambda: wide.get("/readyz").status_code == 200)
    assert speak(wide, live_key).status_code == 200


def test_it_serves_without_an_engine_and_says_why_it_cannot_speak(data_dir, live_key):
    with LiveServer(data_dir, {"SPEECH_ENGINE": "voxcpm"}, ready_status=503) as server:
        assert server.get("/livez").status_code == 200
        ready = server.get("/readyz")
        assert ready.status_code == 503
        assert "no VoxCPM weights" in ready.json()["reasons"][0]
        assert refusal(speak(server, live_key))[:2] == (503, "engine_unavailable")
        assert server.get("/v1/models", live_key).status_code == 200


@pytest.mark.slow
def test_300_requests_at_once_are_all_answered(wide, live_key):
    async def ask(http):
        answer = await http.post("/v1/audio/speech", json=fields())
        if answer.status_code != 200:
            assert refusal(answer)[:2] == (503, "server_is_overloaded")
        return answer.status_code

    async def storm():
        limits = httpx.Limits(max_connections=300)
        headers = {"authorization": f"Bearer {live_key}"}
        async with httpx.AsyncClient(
            base_url=wide.url, headers=headers, limits=limits, timeout=30
        ) as http:
            return await asyncio.gather(*(ask(http) for _ in range(300)))

    statuses = Counter(asyncio.run(storm()))
    assert sum(statuses.values()) == 300
    assert statuses[200] >= 150
    assert "internal_error" not in wide.log
