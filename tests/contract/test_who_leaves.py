"""Of a person who has themselves erased no byte is left: not in the storage, the database and a
dump of it, temporary files, or anything a server has logged; what runs for them ends. What stays is
numbers under a random name, and their name in the audit log."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import suppress

import httpx
import pytest

from tests.contract.sockets import watching
from tests.contract.test_no_byte_is_left import dump, found
from tests.live import LiveServer
from tests.voices.recordings import spoken, wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SECRET = "zaubernuss"
NAME = "xanthippe"
PASSWORD = "a password for leaving"
WORDS = f"A {SECRET} flowers in the snow, which nobody else has said."
EVENTS = {"response_format": "pcm", "stream_format": "sse"}


@pytest.fixture
def place(migrated_dir, tmp_path):
    return shutil.copytree(migrated_dir, tmp_path / "data")


@pytest.fixture
def server(place, tmp_path):
    (tmp_path / "tmp").mkdir()
    environment = {
        "ENGINE_CONFIG": json.dumps({"speed": 4, "also": ["clone", "design"]}),
        "VOICE_CHECKS": "report",
        "SIGN_UP": "open",
        "HISTORY": "audio",
        "EMAIL_URL": "dummymail://",  # else the log has the letters, as it is their mailbox
        "TMPDIR": str(tmp_path / "tmp"),
    }
    with LiveServer(place, environment) as server:
        yield server


@pytest.fixture
def browser(server):
    with server.http() as http:
        http.headers["user-agent"] = f"Browser/{SECRET}"
        send(http, "/account/signup/", email=f"{SECRET}@example.com", username=NAME,
             password1=PASSWORD, password2=PASSWORD)  # fmt: skip
        http.headers["x-csrftoken"] = http.cookies["csrftoken"]
        yield http


def send(http, path, to=None, **fields):
    """The form of a page, with what is hidden in it."""
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', http.get(path).text))
    answer = http.post(to or path, data={**hidden, **fields})
    assert answer.status_code in (200, 302), answer.text
    return answer


def ask(http, path, **body):
    answer = http.post(path, **body)
    assert answer.status_code == 200, answer.text
    return answer


def leave_traces(http):
    """Something of everything that a person may leave; a piece of each recording."""
    recording = wav(spoken(WORDS))
    said = {"input": WORDS, "voice": "nova", "instructions": f"As a {SECRET}", **EVENTS}
    events = ask(http, "/api/studio/speech", json=said).text
    take = json.loads(events.strip().split("data: ")[-1])["take"]
    consent = ask(
        http,
        "/api/consents",
        data={"name": SECRET, "language": "en"},
        files={"recording": recording},
    ).json()["id"]
    form = {"name": SECRET, "description": SECRET, "transcript": WORDS, "consent": consent}
    voice = ask(http, "/api/voices", data=form, files={"audio_sample": recording}).json()["id"]
    ask(http, "/api/voices/designs", json={"description": f"A {SECRET}", "text": WORDS})
    job = ask(
        http,
        "/api/jobs",
        json={"input": WORDS, "title": SECRET, "voice": "nova", "outputs": [{"format": "flac"}]},
    ).json()["id"]
    send(http, "/keys/new/", name="a key", scopes="speech")
    send(http, "/account/team/", "/account/team/invite/", role="member",
         email=f"friend-of-{SECRET}@example.com")  # fmt: skip
    wait_for(lambda: http.get(f"/api/jobs/{job}").json()["progress"]["state"] == "completed")
    history = re.search(r'src="(/history/\d+/audio/)"', wait_for(lambda: heard_by(http)))[1]
    addresses = (
        f"/api/studio/takes/{take}.pcm",
        f"/api/voices/{voice}/versions/1/recording",
        f"/api/jobs/{job}/segments/0/audio",
        history,
    )
    return [middle_of(http.get(address).content) for address in addresses]


def middle_of(content):
    piece = content[len(content) // 2 :][:400]
    assert len(set(piece)) > 20
    return piece


def heard_by(http):
    page = http.get("/history/").text
    return page if "/audio/" in page else None


def wait_for(question, seconds=30):
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def test_nothing_tells_of_them(server, browser, place, tmp_path):
    pieces = leave_traces(browser)
    for needle in (SECRET.encode(), *pieces):
        assert found(needle, place)
    send(browser, "/account/reauthenticate/", password=PASSWORD)
    endless = {"input": "On and on it goes. " * 200, "voice": "alloy", **EVENTS}
    session = browser.cookies["sessionid"]
    with (
        watching(server, session=session, origin=server.url) as socket,
        server.http() as other,
        other.stream("POST", "/api/studio/speech", json=endless, cookies=browser.cookies,
                     headers={"x-csrftoken": browser.cookies["csrftoken"]}) as speech,
    ):  # fmt: skip
        lines = speech.iter_lines()
        assert "data" in next(lines)
        send(browser, "/account/profile/erase/", username=NAME)
        left = time.monotonic()
        with suppress(httpx.TransportError):  # broken off, or ended with an error
            assert "speech.audio.done" not in "".join(lines)
        assert socket.closed_with() == 4401
        assert time.monotonic() - left < 12
    for needle in (SECRET.encode(), *pieces):
        wait_for(lambda needle=needle: not found(needle, place, tmp_path / "tmp"))
    rows = dump(place)
    assert SECRET not in rows
    assert SECRET not in server.log
    named = [row for row in rows.splitlines() if NAME in row]
    assert named and all('INTO "accounts_auditentry"' in row for row in named)
    assert "erased-" in rows
