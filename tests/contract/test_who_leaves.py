"""Of a person who has themselves erased no byte is left: not in the storage, the database and a
dump of it, temporary files, or anything a server has logged; what runs for them ends, in accounts
that they shared as well. What stays is numbers under a random name, and their name in the audit
log."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress

import httpx
import pytest

from tests.contract.sockets import watching
from tests.contract.test_no_byte_is_left import dump, found
from tests.live import LiveServer, manage
from tests.voices.recordings import spoken, wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SECRET = "zaubernuss"
NAME = "xanthippe"
PASSWORD = "a password for leaving"
WORDS = f"A {SECRET} flowers in the snow, which nobody else has said."
EVENTS = {"response_format": "pcm", "stream_format": "sse"}
ENDLESS = {"input": "On and on it goes. " * 200, "voice": "alloy", **EVENTS}
# A shared account of its maker and three more, of whom one owns it too.
SHARE = """
import json
from django.contrib.auth.models import User
from accounts.models import Account, Membership
from tests.contract.issue_keys import sign_in
team = Account.objects.get(name="the team")
people = {}
for name in ("ben", "cid", "dora"):
    session = sign_in(name)
    user = User.objects.get(username=name)
    role = "owner" if name == "dora" else "member"
    member = Membership.objects.create(user=user, account=team, role=role)
    people[name] = [session, member.pk]
print(json.dumps([team.pk, people]))
"""
SWITCH_OFF = (
    "from django.contrib.auth.models import User;"
    "User.objects.filter(username='cid').update(is_active=False)"
)


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
    session = browser.cookies["sessionid"]
    with (
        watching(server, session=session, origin=server.url) as socket,
        server.http() as other,
        other.stream("POST", "/api/studio/speech", json=ENDLESS, cookies=browser.cookies,
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


@pytest.fixture
def sharing(server, browser, place):
    """Who shares an account: a browser that acts for it, its session, and the number of their
    part."""
    send(browser, "/account/team/new/", name="the team")
    team, people = json.loads(manage(place, "shell", "-c", SHARE).splitlines()[-1])
    with ExitStack() as stack:
        browsers = {NAME: (browser, browser.cookies["sessionid"], None)}
        for name, (session, member) in people.items():
            http = stack.enter_context(server.http())
            http.cookies.update({"sessionid": session, "csrftoken": "t" * 32})
            http.headers["x-csrftoken"] = "t" * 32
            send(http, "/account/team/", "/account/choose/", account=team)
            browsers[name] = (http, session, member)
        yield browsers


def test_what_they_began_for_others_too_ends_and_what_is_the_account_s_goes_on(
    server, sharing, place
):
    """Who erases themselves, is taken out or switched off; and one who stays."""
    browser = sharing[NAME][0]
    job = ask(browser, "/api/jobs", json={"input": f"{WORDS} " * 200}).json()["id"]
    send(browser, "/account/reauthenticate/", password=PASSWORD)
    with ExitStack() as stack:
        speeches, sockets = {}, {}
        for name, (http, session, _) in sharing.items():
            speech = http.stream("POST", "/api/studio/speech", json=ENDLESS)
            speeches[name] = stack.enter_context(speech).iter_lines()
            assert "data" in next(speeches[name])
            path = f"/ws/progress/{job}/"
            socket = watching(server, session=session, origin=server.url, path=path)
            sockets[name] = stack.enter_context(socket)
            assert sockets[name].hear()["job"]["id"] == job
        manage(place, "shell", "-c", SWITCH_OFF)
        send(browser, "/account/team/", f"/account/team/{sharing['ben'][2]}/remove/")
        send(browser, "/account/profile/erase/", username=NAME)
        left = time.monotonic()
        for name in (NAME, "ben", "cid"):
            with suppress(httpx.TransportError):  # broken off, or ended with an error
                assert "speech.audio.done" not in "".join(speeches[name])
            assert sockets[name].closed_with() in (4401, 4404)
        assert time.monotonic() - left < 10
        wait_for(lambda: ends_of_speech(place)["cancelled", "not_allowed"] == 3)
        assert ends_of_speech(place)["open", ""] == 1, "who stayed is spoken to"
        assert any("speech.audio.delta" in line for line in speeches["dora"])
        began = finished(sockets["dora"])
        wait_for(lambda: finished(sockets["dora"]) > began + 2)
    progress = sharing["dora"][0].get(f"/api/jobs/{job}").json()["progress"]
    assert (progress["state"], progress["segments"]["failed"]) == ("running", 0)


def finished(socket):
    return socket.hear()["job"]["segments"]["finished"]


def ends_of_speech(place):
    """How often speech of people ended how."""
    query = "SELECT outcome, error_code FROM speech_usagerecord WHERE face = 'portal'"
    with closing(sqlite3.connect(place / "voxplatform.sqlite3")) as database:
        return Counter(database.execute(query).fetchall())
