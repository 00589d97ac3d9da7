"""Forms as a browser sends them: with what the page showed when it was opened."""

from __future__ import annotations

import re

FORM = re.compile(r"<form\b(?P<tag>[^>]*)>(?P<fields>.*?)</form>", re.DOTALL)
SEEN = re.compile(r'name="seen" value="([^"]+)"')


def seen_on(client, page, to=""):
    """What the form of a page that is sent there, or to the page itself, says that it showed."""
    for form in FORM.finditer(client.get(page).content.decode()):
        action = re.search(r'\saction="([^"]*)"', form["tag"])
        if (action[1] if action else "") == to and (seen := SEEN.search(form["fields"])):
            return seen[1]
    raise AssertionError(f"{page} has no such form")


def send(client, page, given, to="", **options):
    """Open a page, fill in its form and send it."""
    return client.post(to or page, {"seen": seen_on(client, page, to), **given}, **options)
