"""The WebSocket of long texts: who may open it, what it tells, and what ends it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.contract.sockets import refused_with, watching
from tests.contract.test_jobs import MISSING, ended
from tests.live import manage

LONG = "A sentence that takes its time to be said, as all of them do. " * 60
SHORT = "A word."


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


def job_of(http, text=LONG, **fields):
    answer = http.post("/api/jobs", json={"input": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


# -- who comes in


def test_a_key_needs_no_origin(server, keys):
    assert refused_with(server, key=keys["good"]) == 101
    assert refused_with(server, key=keys["good"], origin="https://elsewhere.example") == 101


@pytest.mark.parametrize("key", ["revoked", "without jobs", "account off", "elsewhere", "expired"])
def test_a_key_that_may_not_see_jobs_is_refused(server, keys, key):
    assert refused_with(server, key=keys[key]) == 403


def test_nobody_is_refused_and_so_is_what_stands_in_the_url(server, keys, issued):
    assert refused_with(server) == 403
    assert refused_with(server, key="vox_junk") == 403
    for path in (f"/ws/progress/?key={keys['good']}", "/ws/progress/?x", "/ws/", "/ws/other/"):
        assert refused_with(server, key=keys["good"], path=path) == 403
    assert keys["good"] not in server.log
    dora = issued["sessions"]["dora"]
    assert refused_with(server, session=f"{dora}x", origin=server.url) == 403


def test_a_session_needs_this_very_origin(server, issued):
    dora = issued["sessions"]["dora"]
    assert refused_with(server, session=dora, origin=server.url) == 101
    port = server.port
    for origin in (
        None,
        "null",
        "https://elsewhere.example",
        f"http://127.0.0.1.evil:{port}",
        f"http://127.0.0.1:{port}.evil",
        f"http://127.0.0.1:{port + 1}",
        f"https://127.0.0.1:{port}",
        f"HTTP://127.0.0.1:{port}",
        f"http://127.0.0.1:{port}/",
    ):
        assert refused_with(server, session=dora, origin=origin) in (400, 403), origin


def test_one_key_has_so_many_sockets_and_no_more(server, keys):
    key = keys["only jobs"]
    with ThreadPoolExecutor(8) as pool:
        opened = [watching(server, key=key) for _ in range(100)]
        list(pool.map(lambda socket: socket.__enter__(), opened))
        assert refused_with(server, key=key) == 429
        assert refused_with(server, key=keys["good"]) == 101
        list(pool.map(lambda socket: socket.__exit__(None, None, None), opened))
    deadline = time.monotonic() + 10
    while refused_with(server, key=key) != 101:
        assert time.monotonic() < deadline


@pytest.mark.slow
def test_one_job_is_told_to_so_many_sockets_and_no_more(server, keys, http):
    job = job_of(http, SHORT, start=False)
    path = f"/ws/progress/{job}/"
    with ThreadPoolExecutor(8) as pool, ExitStack() as stack:
        opened = [watching(server, key=keys["good"], path=path) for _ in range(50)]
        sockets = list(pool.map(lambda socket: socket.__enter__(), opened))
        for one in opened:
            stack.push(one)
        assert [socket.hear()["job"]["id"] for socket in sockets] == [job] * 50
        assert refused_with(server, key=keys["every scope"], path=path) == 429
        assert refused_with(server, key=keys["stranger"], path=path) == 101, "they learn nothing"
        with watching(server, key=keys["good"]) as socket:
            socket.say(type="subscribe", job=job)
            error = socket.hear()["error"]
            assert (error["code"], error["param"]) == ("concurrency_limit_exceeded", "job")
        sockets[0].say(type="unsubscribe", job=job)
        deadline = time.monotonic() + 10
        while refused_with(server, key=keys["good"], path=path) != 101:
            assert time.monotonic() < deadline
    http.delete(f"/api/jobs/{job}")


# -- what is told


def test_a_job_in_the_url_is_told_at_once_and_to_its_end(server, keys, http):
    job = job_of(http, SHORT)
    with watching(server, key=keys["good"], path=f"/ws/progress/{job}/") as socket:
        assert socket.hear()["job"]["id"] == job
        assert socket.closed_with() == 1000


def test_a_job_in_the_url_that_is_not_theirs_closes_it_as_a_missing_one(server, keys, http):
    job = job_of(http, SHORT, start=False)
    for key, name in [("stranger", job), ("good", MISSING), ("good", "x"), ("good", "%00")]:
        with watching(server, key=keys[key], path=f"/ws/progress/{name}/") as socket:
            assert socket.closed_with() == 4404
    assert refused_with(server, path=f"/ws/progress/{job}/") == 403
    assert refused_with(server, key=keys["without jobs"], path=f"/ws/progress/{job}/") == 403


@pytest.mark.slow
def test_it_tells_the_present_state_and_each_change_to_the_end(server, keys, http):
    with watching(server, key=keys["good"]) as socket:
        began = time.monotonic()  # what is told waits for us to hear it
        socket.say(type="subscribe", job=(job := job_of(http)))
        told = [socket.hear()]
        while told[-1]["job"]["state"] != "completed":
            told.append(socket.hear(60))
        assert socket.closed_with() == 1000
    assert all(message["type"] == "job.progress" for message in told)
    finished = [message["job"]["segments"]["finished"] for message in told]
    assert finished == sorted(finished)
    assert finished[-1] == told[-1]["job"]["segments"]["total"]
    assert len(told) <= 10 * (time.monotonic() - began) + 5
    assert told[-1]["job"] == http.get(f"/api/jobs/{job}").json()["progress"]
    running = [message["job"] for message in told if message["job"]["seconds_left"]]
    assert running
    assert all(job["rtf"] > 0 for job in running)


def test_it_tells_a_waiting_job_its_place(server, keys, http):
    job = job_of(http)
    http.post(f"/api/jobs/{job}/action", json={"action": "pause"})
    with watching(server, key=keys["good"]) as socket:
        socket.say(type="subscribe", job=job)
        assert socket.hear()["job"]["state"] == "paused"
        http.patch(f"/api/jobs/{job}/segments/0", json={"text": SHORT})
        assert socket.hear()["job"]["characters"]["total"] < len(LONG) - 20
        http.post(f"/api/jobs/{job}/action", json={"action": "cancel"})
        while socket.hear()["job"]["state"] != "cancelled":
            pass
        assert socket.closed_with() == 1000


def test_a_finished_job_is_told_once(server, keys, http):
    job = ended(http, job_of(http, SHORT))["id"]
    with watching(server, key=keys["good"]) as socket:
        socket.say(type="subscribe", job=job)
        assert socket.hear()["job"]["state"] == "completed"
        assert socket.closed_with() == 1000


def test_what_is_not_there_or_not_theirs_closes_it_alike(server, keys, http, issued):
    job = job_of(http, SHORT, start=False)
    asked = [("good", MISSING), ("stranger", job), ("good", "../x"), ("good", "\x00")]
    for key, wanted in [*asked, ("good", "job_" + "x" * 500)]:
        with watching(server, key=keys[key]) as socket:
            socket.say(type="subscribe", job=wanted)
            assert socket.closed_with() == 4404
    dora = issued["sessions"]["dora"]
    with watching(server, session=dora, origin=server.url) as socket:
        socket.say(type="subscribe", job=job)
        assert socket.closed_with() == 4404


def test_a_job_that_is_erased_closes_it(server, keys, http):
    job = job_of(http, SHORT, start=False)
    with watching(server, key=keys["good"]) as socket:
        socket.say(type="subscribe", job=job)
        assert socket.hear()["job"]["state"] == "draft"
        http.delete(f"/api/jobs/{job}")
        assert socket.closed_with() == 4404


# -- what they send


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[]", "{}", '{"type": "dance"}', "[" * 10_000, '{"type": 1e999}', b"\x00\x01",
     '{"type": "subscribe", "job": 5}', '{"type": "subscribe", "type": "x"}'],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_and_the_third_time_ends_it(server, keys, message):
    with watching(server, key=keys["good"]) as socket:
        for _ in range(3):
            socket.socket.send(message)
        told = socket.hear()
        assert told["type"] == "error"
        assert set(told["error"]) == {"message", "type", "param", "code"}
        assert socket.closed_with() == 1008


def test_a_large_message_ends_it(server, keys):
    with watching(server, key=keys["good"]) as socket:
        socket.socket.send("x" * (2 * 2**20))
        assert socket.closed_with() == 1009


@pytest.mark.slow
def test_one_socket_watches_so_many_jobs_and_no_more(server, keys, http):
    jobs = [job_of(http, SHORT, start=False) for _ in range(51)]
    with watching(server, key=keys["good"]) as socket:
        for job in jobs:
            socket.say(type="subscribe", job=job)
        kinds = [socket.hear()["type"] for _ in jobs]
        assert kinds == ["job.progress"] * 50 + ["error"]
        for _ in range(20):  # far below what counts as a flood
            socket.say(type="unsubscribe", job=jobs[0])
            socket.say(type="subscribe", job=jobs[0])
            assert socket.hear()["type"] == "job.progress"
    for job in jobs:
        http.delete(f"/api/jobs/{job}")


# -- what ends it


@pytest.mark.slow
def test_it_ends_within_ten_seconds_of_key_session_and_person(server, data_dir, http):
    script = (
        "from tests.contract.issue_keys import sign_in\nfrom accounts.models import *\n"
        "print(ApiKey.issue(Account.objects.default(), 'brief')[0], sign_in('brief'),"
        " sign_in('barred'))"
    )
    key, session, barred = manage(data_dir, "shell", "-c", script).split()[-3:]
    end = (
        "from accounts.models import ApiKey\nfrom django.contrib.auth.models import User\n"
        "from django.contrib.sessions.models import Session\n"
        f"ApiKey.objects.get(name='brief').revoke(); Session.objects.get(pk='{session}').delete()\n"
        "User.objects.filter(username='barred').update(is_active=False)"
    )
    with (
        watching(server, key=key) as by_key,
        watching(server, session=session, origin=server.url) as signed_out,
        watching(server, session=barred, origin=server.url) as switched_off,
    ):
        manage(data_dir, "shell", "-c", end)
        began = time.monotonic()
        for one in (by_key, signed_out, switched_off):
            assert one.closed_with() == 4401
        assert time.monotonic() - began < 10
