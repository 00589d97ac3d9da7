"""Takes the four pictures of the README anew, of a platform that is made for them and thrown away.

`make pictures` runs it; it wants Chromium and speaks with espeak-ng.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import (  # noqa: E402
    BrowserContext,
    FilePayload,
    Page,
    ViewportSize,
    sync_playwright,
)

from tests.browser.conftest import CHROMIUM  # noqa: E402
from tests.live import LiveServer, manage  # noqa: E402
from tests.voices.recordings import clip  # noqa: E402

SIZE: ViewportSize = {"width": 1280, "height": 800}
ENVIRONMENT = {"SPEECH_ENGINE": "espeak", "REQUIRE_CONSENT": "off", "VOICE_CHECKS": "report"}
SAID = (
    "Good evening. The harbour bridge opens again on Monday, two weeks earlier than planned. "
    "Ferries run until then, every twenty minutes from six in the morning."
)
SENTENCES = (
    "Nobody had expected the ferry before Monday; when it came round the mole at six, half the "
    "town stood waiting.",
    "Behind the customs house somebody had begun to play the accordion.",
    "The pilot said nothing, as he had said nothing for thirty years, and lit his lamp.",
)
BOOK = "\n\n".join(f"Chapter {number}\n\n" + "\n\n".join(SENTENCES * 15) for number in range(1, 11))
VOICES = {
    "Grandmother": "Warm and slow, for bedtime stories",
    "Newsroom": "Clear, brisk, for the eight o'clock news",
    "Harbour pilot": "Rough, for the second book",
}
# Ada, who has spoken every day for four weeks; prints her session.
MAKE_ADA = """
import random, uuid
from datetime import timedelta
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from accounts.models import Account, ApiKey
from speech import usage
from speech.models import UsageRecord
ada = User.objects.create_user("ada", "ada@example.com")
account = Account.objects.for_user(ada)
Account.objects.filter(pk=account.pk).update(monthly_characters=200_000)
_, key = ApiKey.issue(account, "Reading app", created_by=ada)
chance = random.Random(7)
for number in range(330):
    characters, voice = chance.randint(100, 700), chance.choice(["alloy", "nova"])
    entry = usage.Entry(
        request_id=f"req_{uuid.uuid4().hex}", account_id=account.pk, user_id=None, key_id=key.pk,
        user_agent="", face="openai", voice=voice, model="tts-1", model_used="espeak-ng",
        engine="espeak", response_format="mp3", stream_format="audio", characters=characters,
        ceiling_ms=60_000, text_hash="", settings={}, seed=None, keep=None)
    record = usage.open_record(entry, uuid.uuid4().hex, timedelta(minutes=1))
    when = timezone.now() - timedelta(days=chance.triangular(0, 28, 4))
    UsageRecord.objects.filter(pk=record).update(created_at=when)
    usage.close_record(record, usage.Outcome(
        "completed", characters_charged=characters, audio_ms=characters * 60,
        ttfa_ms=chance.choice([22, 27, 31, 70])))
session = SessionStore()
session.update({SESSION_KEY: str(ada.pk), HASH_SESSION_KEY: ada.get_session_auth_hash(),
                BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
session.save()
print(session.session_key)
"""


def keep(page: Page, name: str) -> None:
    """A picture of few colours, which is small."""
    file = ROOT / f"docs/images/{name}.png"
    page.screenshot(path=file, animations="disabled")
    Image.open(file).convert("RGB").quantize(256).save(file, optimize=True)
    print(file.relative_to(ROOT))


def picture_usage(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/usage/")
    keep(page, "usage")
    page.emulate_media(color_scheme="light")


def picture_voices(page: Page, context: BrowserContext) -> None:
    page.goto("/voices/")
    headers = json.loads(page.get_attribute("body", "hx-headers") or "{}")
    for name, description in VOICES.items():
        sample: FilePayload = {"name": "x.wav", "mimeType": "audio/wav", "buffer": clip("wav")}
        answer = context.request.post(
            "/api/voices",
            headers=headers,
            multipart={
                "name": name,
                "description": description,
                "language": "en",
                "audio_sample": sample,
            },
        )
        assert answer.ok, answer.text()
    page.reload()
    keep(page, "voices")


def picture_long_text(page: Page) -> None:
    page.goto("/jobs/new/")
    page.fill("#id_text", BOOK)
    page.fill("#id_title", "The harbour")
    page.click("text=Read it")
    page.click("button:has-text('Start')")
    while not re.search(r"^1\d\d", page.inner_text("#finished")):
        time.sleep(0.05)
    time.sleep(1.5)  # the table follows
    page.locator("#segments:not([aria-busy])").wait_for()
    keep(page, "long-text")
    page.click("#deeds [value=cancel]")


def picture_studio(page: Page) -> None:
    page.goto("/studio/")
    page.fill("#input", SAID)
    page.click("#speak")
    page.locator("#captions mark", has_text="Monday").wait_for()
    keep(page, "studio")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data_dir = Path(folder)
        manage(data_dir, "migrate", timeout=300)
        session = manage(data_dir, "shell", "-c", MAKE_ADA, timeout=300).split()[-1]
        with LiveServer(data_dir, ENVIRONMENT, start_seconds=300) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            context = browser.new_context(base_url=server.url, viewport=SIZE)
            context.add_cookies([{"url": server.url, "name": "sessionid", "value": session}])
            page = context.new_page()
            picture_usage(page)
            picture_voices(page, context)
            picture_long_text(page)
            picture_studio(page)
            browser.close()


if __name__ == "__main__":
    main()
