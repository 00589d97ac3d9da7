"""Requests as well-known clients really send them, and what each of them needs of the answer."""

from __future__ import annotations

import base64
import http.client as http_client
import io
import json

import av
import pytest

TEXT = "Good evening, everybody."


@pytest.fixture
def anonymous(server):
    with server.http() as http:
        yield http


@pytest.fixture
def http(server, live_key):
    with server.http(live_key) as http:
        yield http


def decoded_seconds(body):
    with av.open(io.BytesIO(body)) as container:
        rate = container.streams.audio[0].rate
        return sum(frame.samples for frame in container.decode(audio=0)) / rate


# -- Open WebUI: probes without a key, speaks without a format


@pytest.mark.parametrize("base", ["/v1", ""])
def test_open_webui_finds_models_and_voices_without_a_key(anonymous, base):
    audio_models = anonymous.get(f"{base}/audio/models").json()["models"]
    assert {"tts-1", "tone"} <= {model["id"] for model in audio_models}
    models = anonymous.get(f"{base}/models").json()["data"]
    assert {model["id"] for model in models} == {model["id"] for model in audio_models}
    voices = anonymous.get(f"{base}/audio/voices").json()["voices"]
    assert len(voices) == 13
    assert all(voice["id"] and voice["name"] for voice in voices)


def test_open_webui_gets_mp3_without_asking_for_it(http):
    body = {"input": TEXT, "voice": "alloy", "model": "tts-1"}
    answer = http.post("/v1/audio/speech", json=body, headers={"X-OpenWebUI-User-Id": "7"})
    assert answer.headers["content-type"] == "audio/mpeg"


# -- SillyTavern: an empty bearer token; its browser part reads the first piece as a WAV header


@pytest.mark.parametrize("token", ["", "   "])
def test_silly_tavern_without_a_key_is_told_so(server, token):
    body = {"input": TEXT, "response_format": "mp3", "voice": "alloy", "speed": 1, "model": "tts-1"}
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    # httpx would not send a header that ends in a space.
    connection = http_client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/v1/audio/speech", json.dumps(body), headers)
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    assert (answer.status, error["code"]) == (401, None)
    assert "API key" in error["message"]


@pytest.mark.parametrize("base", ["/v1", ""])
def test_silly_tavern_asks_for_the_voices_of_its_model(anonymous, base):
    for model in ("tts-1", "tone"):
        voices = anonymous.get(f"{base}/audio/voices/{model}").json()["voices"]
        assert len(voices) == 13
        assert all(voice["value"] and voice["label"] for voice in voices)
    unknown = anonymous.get(f"{base}/audio/voices/nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")


def test_silly_tavern_finds_the_wav_header_in_the_first_piece(http):
    extras = {"stream": True, "params": {"seed": 1, "temperature": 0.8}}
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav", **extras}
    with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        first = next(answer.iter_raw())
    assert first[:4] == b"RIFF"
    assert first[36:40] == b"data"
    assert len(first) > 44


# -- LibreChat: no voice, a field of its own, several answers joined


def test_libre_chat_speaks_without_a_voice_and_with_a_backend(http):
    answer = http.post(
        "/v1/audio/speech", json={"input": TEXT, "model": "tts-1", "backend": "local"}
    )
    assert answer.status_code == 200
    assert "backend" in answer.headers["warning"]


def test_libre_chat_joins_three_answers_into_one_that_plays_fully(http):
    body = {"input": TEXT, "model": "tts-1"}
    parts = [http.post("/v1/audio/speech", json=body).content for _ in range(3)]
    alone = decoded_seconds(parts[0])
    assert decoded_seconds(b"".join(parts)) == pytest.approx(3 * alone, abs=0.01)


# -- Home Assistant: a full stop as probe, the word None as instructions


def test_home_assistant_probes_with_a_full_stop(http):
    body = {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"}
    answer = http.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200
    assert 0.15 < decoded_seconds(answer.content) < 0.35


def test_home_assistant_has_no_instructions_and_says_none(http):
    body = {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "marin", "seed": 1}
    said = http.post("/v1/audio/speech", json={**body, "instructions": "None"})
    assert said.content == http.post("/v1/audio/speech", json=body).content


# -- Wyoming OpenAI: finds out what it talks to by what is not there


@pytest.mark.parametrize("path", ["/v1/readyz", "/v1/test", "/v1/", "/v1"])
def test_wyoming_does_not_take_us_for_another_server(anonymous, path):
    answer = anonymous.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"


def test_wyoming_reads_our_health_as_json(anonymous):
    answer = anonymous.get("/health")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == "ok"


# -- n8n: tests its credentials with an empty organisation, and always sends five fields


@pytest.mark.parametrize("base", ["/v1", ""])
def test_n8n_tests_its_credentials_and_speaks(http, base):
    assert http.get(f"{base}/models", headers={"OpenAI-Organization": ""}).status_code == 200
    for model in ("tts-1", "tts-1-hd"):
        body = {"model": model, "input": TEXT, "voice": "onyx", "response_format": "opus"}
        answer = http.post(f"{base}/audio/speech", json={**body, "speed": 1})
        assert answer.headers["content-type"] == "audio/opus"


# -- LiveKit: server-sent events for every model but the oldest two


def test_live_kit_decodes_the_events_of_mp3(http):
    fields = {"voice": "ash", "response_format": "mp3", "speed": 1.0, "stream_format": "sse"}
    body = {"input": TEXT, "model": "gpt-4o-mini-tts", **fields}
    lines = http.post("/v1/audio/speech", json=body).text.splitlines()
    assert all(line.startswith("data: ") for line in lines if line)
    *deltas, done = [json.loads(line[6:]) for line in lines if line]
    audio = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert decoded_seconds(audio) == pytest.approx(len(TEXT) * 0.06, abs=0.1)
    assert all(
        type(done["usage"][f"{kind}_tokens"]) is int for kind in ("input", "output", "total")
    )


def test_live_kit_warms_up_at_the_root(anonymous):
    assert anonymous.get("/v1/").status_code == 404


def test_live_kit_gets_audio_where_the_model_has_no_events(http):
    body = {"input": TEXT, "model": "tts-1", "voice": "ash", "stream_format": "sse"}
    assert http.post("/v1/audio/speech", json=body).headers["content-type"] == "audio/mpeg"


# -- others


def test_open_reader_wants_the_voices_as_strings(http):
    voices = http.get("/v1/audio/voices", params={"legacy": "true"}).json()["voices"]
    assert len(voices) == 13
    assert all(isinstance(voice, str) for voice in voices)


def test_obsidian_aloud_may_send_an_empty_voice(http):
    body = {"model": "tts-1", "voice": "", "input": TEXT, "speed": 1, "response_format": "pcm"}
    assert http.post("/v1/audio/speech", json=body).status_code == 200


@pytest.mark.parametrize("accept", ["application/octet-stream", "application/xml", "text/html"])
def test_an_odd_accept_header_is_no_reason_to_refuse(http, accept):
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT}
    answer = http.post("/v1/audio/speech", json=body, headers={"accept": accept})
    assert answer.headers["content-type"] == "audio/mpeg"


def test_audio_is_never_compressed(http):
    body = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "wav"}
    answer = http.post("/v1/audio/speech", json=body, headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in answer.headers
