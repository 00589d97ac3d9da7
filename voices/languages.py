"""BCP 47 tags as far as we read them: is this one, and how is it written."""

from __future__ import annotations

import re

from voices.exceptions import InvalidVoiceField

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-[A-Za-z0-9]{5,8})*")


def clean_language(tag: str) -> str:
    """``tag`` as it is written, or InvalidVoiceField; "" stays ""."""
    if not tag:
        return ""
    if len(tag) > 35 or not _TAG.fullmatch(tag):
        raise InvalidVoiceField("Send a BCP 47 tag such as en or zh-CN.", "language")
    parts = tag.split("-")
    return "-".join(
        [
            parts[0].lower(),
            *(
                part.title() if len(part) == 4 else part.upper() if len(part) < 4 else part.lower()
                for part in parts[1:]
            ),
        ]
    )
