"""What a person does in the studio, what it ought to sound like, and what the engine does."""

from __future__ import annotations

import httpx
import numpy as np
from playwright.sync_api import expect

TEXT = "Good evening, dear listeners. It is a quiet night."


def say(page, text=TEXT, seed=7):
    page.fill("#input", text)
    if seed is not None:
        page.fill("#seed", str(seed))
    page.click("#speak")


def wait_until_said(page):
    expect(page.locator("#status")).to_contain_text("Done", timeout=30_000)


def made(site, key, text=TEXT, **fields):
    """The samples that the engine makes of it, through the API."""
    body = {"input": text, "seed": 7, "voice": "alloy", "response_format": "pcm", **fields}
    answer = httpx.post(
        f"{site.url}/api/speech", json=body, headers={"authorization": f"Bearer {key}"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2") / 32_768


def sounding(samples):
    """Without silence: what is left is the same, wherever a busy machine let it pause."""
    return samples[samples != 0]


def trimmed(samples):
    at = np.flatnonzero(samples)
    return samples[at[0] : at[-1] + 1]


def engine(site, key):
    return httpx.get(f"{site.url}/api/engine", headers={"authorization": f"Bearer {key}"}).json()


# -- what is heard
