"""A voice from its recording to its end, by the official SDK and the admin in a real browser:
cloned, spoken with, shared, listened to, withdrawn and erased.

The models are tiny and random, in the true file format; everything else is as people run it.
"""

from __future__ import annotations

import shutil
import time

import httpx
import openai
import pytest

from tests.browser.conftest import PASSWORD
from tests.contract.test_voices import WORD
from tests.contract.test_voxcpm import NAMES, PATCHES, SMALL, TEXT
from tests.live import LiveServer, manage
from tests.voices.recordings import WORDS, spoken, wav

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
FRIENDS = (
    "from accounts.models import Account, ApiKey;"
    "print(ApiKey.issue(Account.objects.create(name='friends'), 'theirs')[0])"
)


@pytest.fixture(scope="module", params=["voxcpm2", "voxcpm1.5"])
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def own_dir(site_dir, key, tmp_path_factory):
    return shutil.copytree(site_dir, tmp_path_factory.mktemp("people") / "data")


@pytest.fixture(scope="module")
def site(own_dir, architecture, tmp_path_factory):
    from tests.engine.voxcpm.checkpoints import build_tiny

    checkpoint = build_tiny(tmp_path_factory.mktemp("models") / architecture, architecture)
    environment = {"SPEECH_ENGINE": "voxcpm", "SPEECH_MODEL": str(checkpoint), **SMALL}
    with LiveServer(own_dir, environment, start_seconds=150) as server:
        yield server


@pytest.fixture(scope="module")
def friends(own_dir):
    return manage(own_dir, "shell", "-c", FRIENDS).splitlines()[-1]


@pytest.fixture
def page(open_page):
    page = open_page("/account/login/?next=/admin/")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    return page


def say(client, architecture, voice):
    """What the SDK hears, as a number of bytes."""
    said = client.audio.speech.create(
        model=NAMES[architecture], input=TEXT, voice=voice, response_format="wav",
        extra_body={"max_new_tokens": PATCHES},
    )  # fmt: skip
    return len(said.content)


def refusal(client, architecture, voice):
    with pytest.raises(openai.APIStatusError) as refused:
        say(client, architecture, voice)
    return refused.value.status_code, refused.value.code


def answer_the_question(page, verb, reason=None):
    page.click(f"a[href$='/{verb}/']")
    page.wait_for_url(f"**/{verb}/")
    if reason:
        page.fill("[name=reason]", reason)
    page.get_by_role("button", name="Do it").click()
    page.wait_for_url("**/change/")


def test_a_voice_lives_from_its_recording_to_its_end(
    site, key, friends, page, architecture, own_dir
):
    recordings_of_others = set((own_dir / "media").rglob("*.wav"))
    owner, friend = site.openai(key), site.openai(friends)
    voice = owner.audio.voices.create(
        name="Grandma", audio_sample=("x.wav", wav(spoken())), consent=WORD,
        extra_body={"transcript": WORDS},
    )  # fmt: skip
    assert say(owner, architecture, voice.id) > 1000
    assert refusal(friend, architecture, voice.id) == (400, "unknown_voice")

    with site.http(key) as http:
        shared = http.post(f"/api/voices/{voice.id}/share", json={"accounts": ["friends"]})
        assert shared.json()["visibility"] == "shared"
        consent = http.get(f"/api/voices/{voice.id}").json()["consent"]
    assert say(friend, architecture, {"id": voice.id}) > 1000

    page.goto("/admin/voices/voice/")
    page.get_by_role("link", name="Grandma").first.click()
    page.wait_for_url("**/change/")
    assert page.get_by_text("shared").first.is_visible()
    voice_url = page.url
    page.click("a[href$='/listen/']")
    page.fill("[name=reason]", "To be sure that it is hers.")
    page.get_by_role("button", name="Do it").click()
    player = page.locator("audio")
    player.evaluate("player => player.play()")
    assert player.evaluate("player => player.duration") > 1

    body = {"model": NAMES[architecture], "voice": voice.id, "input": "On and on it goes. " * 200,
            "response_format": "pcm"}  # fmt: skip
    with (
        pytest.raises(httpx.TransportError),
        site.http(friends) as http,
        http.stream("POST", "/v1/audio/speech", json=body, timeout=60) as speech,
    ):
        pieces = speech.iter_raw()
        assert next(pieces)
        page.goto("/admin/voices/voiceconsent/")
        page.get_by_role("link", name=consent).first.click()
        page.wait_for_url("**/change/")
        answer_the_question(page, "withdraw", reason="Its owner has called.")
        withdrawn = time.monotonic()
        for _ in pieces:
            assert time.monotonic() < withdrawn + 10
    for client in (owner, friend):
        assert refusal(client, architecture, voice.id) == (403, "consent_required")

    page.goto(voice_url)
    answer_the_question(page, "erase")
    assert not page.locator("a[href$='/erase/']").count()
    for client in (owner, friend):
        assert refusal(client, architecture, voice.id) == (400, "unknown_voice")
    assert set((own_dir / "media").rglob("*.wav")) == recordings_of_others
    assert voice.id in (own_dir / "tombstones.jsonl").read_text()
    assert page.complaints == []
