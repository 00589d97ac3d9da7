"""Voices in a real browser: recorded with a microphone, uploaded, and nobody else's."""

from __future__ import annotations

import time

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible
from tests.browser.listening import LISTEN, heard
from tests.live import LiveServer
from tests.voices.recordings import RATE, clip, silence, speech, spoken, wav

pytestmark = pytest.mark.browser

READ = "Please call the bakery before noon and ask whether they still have two loaves of dark rye."


@pytest.fixture(scope="module")
def microphone(tmp_path_factory):
    """Somebody who reads, over and over."""
    file = tmp_path_factory.mktemp("microphone") / "reading.wav"
    samples = np.concatenate([spoken(READ), silence(0.4)])
    loud = np.resize(0.8 * samples / np.abs(samples).max(), len(samples))
    file.write_bytes(wav(loud, RATE))
    return file


@pytest.fixture(scope="module")
def browser(launch, microphone):
    """One with that microphone."""
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]
    with launch(*arguments) as browser:
        yield browser


@pytest.fixture(scope="module")
def cloning_site(site_dir, key, sessions, tmp_path_factory):
    """A model that clones, tiny and random, where the owner of a voice has to say so."""
    from tests.engine.voxcpm.checkpoints import build_tiny

    checkpoint = build_tiny(tmp_path_factory.mktemp("models") / "voxcpm2", "voxcpm2")
    environment = {
        "REQUIRE_CONSENT": "recording",
        "VOICE_CHECKS": "report",  # what random weights say is no speech
        "SPEECH_ENGINE": "voxcpm",
        "SPEECH_MODEL": str(checkpoint),
        "ENGINE_THREADS": "1",
        "ENGINE_SLOTS": "2",
        "ENGINE_MAX_LENGTH": "512",
    }
    with LiveServer(site_dir, environment) as server:
        yield server


@pytest.fixture
def at_cloning_site(browser, cloning_site, sessions):
    """Ada's or Grace's page there; with a listener at its loudspeaker."""
    contexts = []

    def open_one(name, path):
        context = browser.new_context(base_url=cloning_site.url, bypass_csp=True)
        cookie = {"url": cloning_site.url, "name": "sessionid", "value": sessions[name]}
        context.add_cookies([cookie])
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


def record(page, purpose, seconds):
    recorder = page.locator(f"[data-purpose={purpose}]")
    recorder.locator(".record").click()
    expect(recorder).to_have_attribute("data-state", "recording", timeout=15_000)
    page.wait_for_timeout(1000)
    level = float(recorder.locator(".level").get_attribute("aria-valuenow"))
    page.wait_for_timeout(1000 * (seconds - 1))
    recorder.locator(".record").click()
    expect(recorder.locator("audio")).to_be_visible()
    return level


def arrive(page):
    """At the page of a voice; what went wrong is told sooner than by waiting."""
    page.wait_for_selector("ul.check, #error:visible", timeout=60_000)
    assert not page.locator("#error").is_visible(), page.inner_text("#error")


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_voice_is_recorded_with_consent_speaks_and_is_nobody_elses(at_cloning_site):
    page = at_cloning_site("ada", "/voices/new/")
    expect(page.locator("[data-purpose=consent] .reading")).to_contain_text("My number is")
    page.click("#make")
    expect(page.locator("#error")).to_have_text("Record something first.")
    assert record(page, "voice", 6) > -60  # somebody is heard
    assert page.input_value("#transcript").startswith("Please call the bakery")
    page.fill("#transcript", "")  # the microphone reads less than that
    page.click("#make")
    expect(page.locator("#error")).to_have_text("Give the voice a name.")
    page.fill("#name", "Ada's evening voice")
    page.click("#make")
    expect(page.locator("#error")).to_contain_text("Record the consent")
    record(page, "consent", 10)
    page.fill("#owner", "Ada Lovelace")
    page.click("#make")
    arrive(page)
    assert page.inner_text("h1") == "Ada's evening voice"
    assert "My number is" in page.inner_text("blockquote")
    expect(page.locator(".check li")).to_have_count(5)
    assert_accessible(page)

    page.click("text=Speak with it")
    assert page.inner_text("#voice-name") == "Ada's evening voice"
    voice = page.input_value("#voice")
    page.wait_for_function("window.heard.rate > 0")
    page.fill("#input", "Hi.")
    page.click("#speak")
    page.wait_for_function("window.heard.at !== null", timeout=60_000)
    page.click("#speak")
    assert np.abs(heard(page)).max() > 0.001

    others = at_cloning_site("grace", "/voices/")
    assert "Ada's evening voice" not in others.inner_text("main")
    assert others.goto(f"/voices/{voice}/").status == 404

    page.goto(f"/voices/{voice}/")
    page.click("text=Erase this voice")
    assert_accessible(page)
    page.click("text=Erase for good")
    page.wait_for_url("**/voices/")
    expect(page.locator("#toasts")).to_contain_text("is erased for good")


def consents(page):
    """What is kept of this person's consents."""
    return page.request.get("/api/consents").json()["data"]


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_what_was_said_for_a_voice_that_is_not_made_is_taken_back(at_cloning_site):
    page = at_cloning_site("ada", "/voices/new/")
    before = consents(page)
    page.fill("#name", "Nova")
    record(page, "voice", 5)
    page.fill("#transcript", "")
    record(page, "consent", 10)
    page.fill("#owner", "Ada Lovelace")
    page.click("#make")
    page.wait_for_selector("#error:visible", timeout=60_000)
    assert len(consents(page)) == len(before) + 1  # good for the next try
    page.goto("/voices/")
    deadline = time.monotonic() + 10
    while consents(page) != before:
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_voice_is_designed_in_words_and_the_best_of_two_is_kept(at_cloning_site):
    page = at_cloning_site("ada", "/voices/new/")
    page.check("[value=design]", force=True)
    page.fill("#design-description", "An old man from the coast, calm and dry")
    page.fill("#design-text", "Good evening, dear listeners.")
    for count in (1, 2):
        page.click("#hear-candidate")
        expect(page.locator(".candidate")).to_have_count(count, timeout=120_000)
    page.check(".candidate >> nth=0 >> input")
    page.fill("#name", "The old man")
    assert_accessible(page)
    page.click("#make")
    arrive(page)
    assert page.inner_text("h1") == "The old man"


@pytest.mark.slow
def test_the_microphone_is_closed_after_a_recording(open_as):
    page = open_as("ada", "/voices/new/")
    page.evaluate("""() => {
      const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (asked) => {
        window.asked = asked;
        return (window.stream = await get(asked));
      };
    }""")
    record(page, "voice", 2)
    states = page.evaluate("window.stream.getTracks().map((track) => track.readyState)")
    assert states == ["ended"]
    asked = page.evaluate("window.asked.audio")
    assert not any(
        asked[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl")
    )


@pytest.mark.slow
def test_without_a_microphone_it_says_what_to_do(open_as):
    page = open_as("ada", "/voices/new/")
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("no", "NotAllowedError"));
    }""")
    page.click("[data-purpose=voice] .record")
    expect(page.locator("[data-purpose=voice] .recorder-hint")).to_contain_text("Allow it")


@pytest.mark.slow
def test_a_voice_is_uploaded_with_progress_and_recorded_anew(open_as):
    page = open_as("ada", "/voices/new/")
    page.check("[value=upload]", force=True)
    page.click("#make")
    expect(page.locator("#error")).to_have_text("Choose a recording first.")
    page.set_input_files("#file", {"name": "x.txt", "mimeType": "audio/wav", "buffer": b"no" * 500})
    page.fill("#name", "Uploaded")
    page.check("#attested")
    page.click("#limits summary")
    page.fill("#purposes", "Audio guides")
    page.fill("#languages", "en, de-at")
    page.fill("#expires", "2090-12-31")
    page.evaluate("""() => {
      window.shown = [];
      new MutationObserver(() => window.shown.push(document.getElementById("progress").value))
        .observe(document.getElementById("progress-words"), { childList: true });
    }""")
    before = consents(page)
    page.click("#make")
    expect(page.locator("#error")).to_contain_text("This file cannot be read", timeout=30_000)
    assert consents(page) == before
    page.set_input_files(
        "#file", {"name": "reading.flac", "mimeType": "audio/flac", "buffer": clip("flac")}
    )
    page.click("#make")
    arrive(page)
    facts = page.locator("section:has(#consent-title) .facts")
    expect(facts).to_contain_text("Active")
    for said in ("Audio guides", "en, de-AT", "2090"):
        expect(facts).to_contain_text(said)
    page.click("text=Record anew")
    page.wait_for_url("**/record/")
    page.check("[value=upload]", force=True)
    page.set_input_files(
        "#file", {"name": "again.wav", "mimeType": "audio/wav", "buffer": clip("wav", 6.0)}
    )
    page.click("#make")
    arrive(page)
    expect(page.locator(".versions li")).to_have_count(2)
    page.click("text=Restore")
    expect(page.locator("#toasts")).to_contain_text("Version 1 speaks again")


@pytest.mark.slow
def test_a_flawed_recording_is_taken_once_one_has_been_told(open_as):
    page = open_as("ada", "/voices/new/", locale="ja")
    page.check("[value=upload]", force=True)
    faint = wav(0.02 * speech(6), RATE)
    page.set_input_files("#file", {"name": "faint.wav", "mimeType": "audio/wav", "buffer": faint})
    page.fill("#name", "Faint")
    page.check("#attested")
    page.click("#make")
    told = page.locator("#error")
    expect(told).to_have_text("音がとても小さいです。マイクに近づいてください。", timeout=30_000)
    page.check("#override")
    page.click("#make")
    arrive(page)
    expect(page.locator("ul.check li.warn")).to_contain_text("とても小さい音です")


@pytest.mark.slow
def test_a_recording_is_dropped_onto_the_page(open_as):
    page = open_as("ada", "/voices/new/")
    page.check("[value=upload]", force=True)
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(11 * 1024 * 1024)], "large.wav"));
      const zone = document.getElementById("dropzone");
      zone.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
    }""")
    expect(page.locator("#error")).to_contain_text("too large")
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(1000)], "small.wav"));
      const zone = document.getElementById("dropzone");
      zone.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
    }""")
    expect(page.locator("#chosen")).to_have_text("small.wav")


@pytest.mark.slow
def test_voices_are_searched_while_one_types_and_previewed(open_as):
    page = open_as("ada", "/voices/")
    page.fill("#q", "storyteller")
    expect(page.locator(".voice-card")).to_have_count(1)
    page.check("[value=own]", force=True)
    expect(page.locator(".empty")).to_be_visible()
    page.goto("/voices/?q=ballad")
    with page.expect_request("**/api/studio/speech"):
        page.click("[data-preview=ballad]")
    expect(page.locator("[data-preview=ballad]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-preview=ballad]")).to_have_attribute(
        "aria-pressed", "false", timeout=15_000
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"viewport": {"width": 390, "height": 844}},
    ],
    ids=["light", "dark", "phone"],
)
def test_everybody_can_use_them(open_as, options):
    page = open_as("grace", "/voices/", **options)
    assert_accessible(page)
    page.goto("/voices/?group=own")
    assert_accessible(page)
    page.goto("/voices/new/")
    assert_accessible(page)
    page.check("[value=upload]", force=True)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []
