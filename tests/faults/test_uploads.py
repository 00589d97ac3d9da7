"""Uploads that mean harm, against a live server: every one is answered with its reason, and nothing
of them is left in its memory, its files or its storage."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from tests.contract.test_voices import WORD
from tests.live import LiveServer
from tests.voices.bad_recordings import REFUSED
from tests.voices.recordings import clip, wav

pytestmark = pytest.mark.slow
MB = 2**20
GROWTH = 10 * MB


@pytest.fixture(scope="module")
def http(server, live_key):
    with server.http(live_key) as http:
        yield http


def upload(http, data, name="Harm"):
    return http.post(
        "/v1/audio/voices", data={"name": name, "consent": WORD}, files={"audio_sample": data}
    )


def make_and_erase(http, data=None):
    voice = upload(http, data or clip("wav")).json()
    assert http.delete(f"/v1/audio/voices/{voice['id']}").json()["deleted"]


def stored(data_dir):
    return {path for path in (data_dir / "media").rglob("*") if path.is_file()}


def open_files(process):
    return {file.path for file in process.open_files() if "sqlite" not in file.path}


def test_nothing_is_left_of_what_is_refused(server, http, data_dir):
    process = psutil.Process(server.process.pid)
    for _ in range(3):  # what is loaded once
        make_and_erase(http)
    memory, files, kept = process.memory_info().rss, open_files(process), stored(data_dir)
    for name, (make, code) in REFUSED.items():
        answer = upload(http, make())
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), name
        assert process.memory_info().rss < memory + GROWTH, name
    assert stored(data_dir) == kept
    assert open_files(process) <= files
    assert not any("decoder" in " ".join(child.cmdline()) for child in process.children())
    make_and_erase(http)


def test_the_largest_uploads_take_no_more_memory_than_their_result(server, http):
    process = psutil.Process(server.process.pid)
    large = wav(bytes(10 * MB - 100), 192_000, channels=2)
    for _ in range(3):
        assert upload(http, large).json()["error"]["code"] == "audio_silent"
    memory = process.memory_info().rss
    for _ in range(5):
        assert upload(http, large).json()["error"]["code"] == "audio_silent"
    assert process.memory_info().rss < memory + GROWTH


def test_a_client_that_leaves_leaves_nothing(server, http, live_key, data_dir):
    kept, process = stored(data_dir), psutil.Process(server.process.pid)
    files = open_files(process)
    body = wav(bytes(2 * MB))
    for share in (0.1, 0.5, 0.99):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(head(server, live_key, len(body)) + body[: int(len(body) * share)])
    make_and_erase(http)
    assert stored(data_dir) == kept
    assert open_files(process) <= files


def test_a_server_that_is_killed_while_it_listens_leaves_nothing(data_dir, live_key, tmp_path):
    kept = stored(data_dir)
    with (
        LiveServer(data_dir, {"TMPDIR": str(tmp_path)}) as server,
        server.http(live_key) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        process = psutil.Process(server.process.pid)
        sent = pool.submit(upload, http, wav(bytes(10 * MB - 100), 192_000, channels=2))
        while not any("voices.decoder" in child.cmdline() for child in process.children()):
            assert not sent.done()
        children = process.children(recursive=True)
        process.kill()
        with pytest.raises(httpx.TransportError):
            sent.result()
        psutil.wait_procs(children, timeout=10)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert stored(data_dir) == kept
    with LiveServer(data_dir) as server, server.http(live_key) as http:
        make_and_erase(http)


def test_many_at_once_are_answered_and_speech_goes_on(server, http):
    numbers = itertools.count()
    with ThreadPoolExecutor(12) as pool:
        uploads = [
            pool.submit(upload, http, clip("mp3"), f"Many {next(numbers)}") for _ in range(12)
        ]
        said = http.post(
            "/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "Hello."}
        )
        assert said.status_code == 200
        voices = [upload.result() for upload in uploads]
    assert {voice.status_code for voice in voices} == {200}
    for voice in voices:
        http.delete(f"/v1/audio/voices/{voice.json()['id']}")


def test_fifty_of_one_key_at_once_are_few_in_memory_and_the_rest_come_back(
    server, http, live_key, data_dir
):
    """Half of them stop at 99 % and stay; another key's speech goes on meanwhile."""
    large = wav(bytes(10 * MB - 100), 192_000, channels=2)
    for _ in range(2):
        upload(http, large)
    process, kept = psutil.Process(server.process.pid), stored(data_dir)
    files, memory = open_files(process), process.memory_info().rss
    with contextlib.ExitStack() as stack:
        for _ in range(25):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(head(server, live_key, len(large)) + large[: int(len(large) * 0.99)])
        with ThreadPoolExecutor(25) as pool:
            answers = list(pool.map(lambda number: upload(http, large, f"N {number}"), range(25)))
        said = http.post(
            "/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": "Hello."}
        )
        assert said.status_code == 200
        assert process.memory_info().rss < memory + 4 * GROWTH
    codes = {(answer.status_code, answer.json()["error"]["code"]) for answer in answers}
    assert codes == {(400, "audio_silent"), (429, "concurrency_limit_exceeded")}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
    make_and_erase(http)
    assert stored(data_dir) == kept
    assert open_files(process) <= files


def head(server, key, length):
    return (
        f"POST /v1/audio/voices HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode()


def test_an_upload_that_drips_is_timed_out_and_closed(data_dir, live_key):
    with (
        LiveServer(data_dir, {"BODY_SECONDS": "2"}) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.settimeout(0.1)
        client.sendall(head(server, live_key, 10 * MB))
        began, answer = time.monotonic(), b""
        while not answer.startswith(b"HTTP/1.1 408"):
            assert time.monotonic() - began < 10
            with contextlib.suppress(TimeoutError):
                client.sendall(b"x" * 20)
                answer += client.recv(4096)
        client.settimeout(5)
        with contextlib.suppress(ConnectionError):
            while client.recv(4096):
                pass
        assert not list((data_dir / "media").rglob("*.wav"))
