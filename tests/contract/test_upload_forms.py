"""Forms with recordings, as broken and hostile clients send them: the answer is JSON and says why,
and what a file is called or said to be is never looked at."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.test_voices import WORD
from tests.live import LiveServer
from tests.voices.recordings import clip

URL = "/v1/audio/voices"


@pytest.fixture(scope="module")
def http(server, keys):
    with server.http(keys["good"]) as http:
        yield http


def part(name, data, *more, filename=None):
    disposition = f'form-data; name="{name}"'.encode()
    if filename is not None:
        disposition += b'; filename="' + filename + b'"'
    head = b"\r\n".join([b"--x", b"Content-Disposition: " + disposition, *more])
    return head + b"\r\n\r\n" + data + b"\r\n"


def send(http, *parts):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    return http.post(URL, content=b"".join(parts) + b"--x--\r\n", headers=kind)


def named(*parts):
    return part("name", b"Form"), part("consent", WORD.encode()), *parts


def made(http, answer):
    """That it became a voice, which is erased again; what was told of it."""
    assert answer.status_code == 200, answer.text
    http.delete(f"{URL}/{answer.json()['id']}")
    return answer.text


@pytest.mark.parametrize(
    "filename",
    [b"nul\0.wav", b"%0d%0aset-cookie: a=b", b"voice.wav.exe", b"x" * 5000, b"\xff\xfe.wav", b"."],
)
def test_whatever_a_file_is_called_it_is_taken_by_its_sound(http, filename):
    answer = send(http, *named(part("audio_sample", clip("mp3"), filename=filename)))
    if answer.status_code == 400:  # a header that Django's parser cannot read is no file's
        assert answer.json()["error"]["code"] in ("invalid_body", "missing_required_parameter")
    else:
        assert "exe" not in made(http, answer)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("kind", [b"audio/x-evil", b"text/html", b"nonsense", b"image/svg+xml"])
def test_whatever_it_is_said_to_be_it_is_taken_by_its_sound(http, kind):
    recording = part("audio_sample", clip("ogg/opus"), b"Content-Type: " + kind, filename=b"x")
    made(http, send(http, *named(recording)))


@pytest.mark.parametrize(
    ("parts", "code", "param"),
    [
        ([], "missing_required_parameter", "audio_sample"),
        ([part("audio_sample", b"no file but a field")], "missing_required_parameter",
         "audio_sample"),
        ([part("audio_sample", b"", filename=b"x.wav")], "invalid_audio", "audio_sample"),
        ([part("audio_sample", clip("mp3"), filename=b"1")] * 2, "duplicate_key", "audio_sample"),
        ([part("audio_sample", clip("mp3"), filename=b"1"),
          part("name", clip("mp3"), filename=b"2")], "duplicate_key", "name"),
        ([part("audio_sample", b"!no base64!", b"Content-Transfer-Encoding: base64",
               filename=b"x")], "invalid_body", None),
        ([part("audio_sample", clip("mp3"), filename=b"x"), part("transcript", b"a" * 100_000)],
         "invalid_value", "transcript"),
        ([part("audio_sample", clip("mp3"), filename=b"x"), part("transcript", b"\xff\xfe")],
         "invalid_value", "transcript"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_form_is_said(http, parts, code, param):
    answer = send(http, *named(*parts))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param), answer.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "urls"),
    [
        ("VOICES_PER_ACCOUNT", (URL, "/api/voices")),
        ("VOICE_BYTES_PER_ACCOUNT",
         (URL, "/api/voices", "/v1/audio/voice_consents", "/api/consents")),
    ],
)  # fmt: skip
def test_an_account_that_has_all_it_may_is_told_so_before_its_form_is_looked_at(
    data_dir, keys, limit, urls
):
    with (
        LiveServer(data_dir, {limit: "0"}) as server,
        server.http(keys["good"]) as http,
    ):
        for url in urls:
            answer = http.post(url, content=b"no form at all")
            assert (answer.status_code, answer.json()["error"]["code"]) == (
                *(403, "voice_limit_reached"),
            )


@pytest.mark.parametrize("declared", [True, False])
def test_hours_of_sound_are_refused_before_they_are_sent(http, declared):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 1_700_000_000:
            sent += 65536
            yield bytes(65536)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    if declared:
        headers["content-length"] = "1700000000"
    try:
        answer = http.post(URL, content=endless(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")
    except httpx.WriteError:  # it was cut while it was still being sent
        pass
    assert sent < 64 * 2**20
