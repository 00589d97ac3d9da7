"""What people may set of a voice, and how it is stored."""

from __future__ import annotations

from typing import Any

from voices.exceptions import InvalidVoiceField
from voices.languages import clean_language
from voices.names import clean_name


def clean_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """What people may set, as it is stored. Raises InvalidVoiceField."""
    cleaned = dict(fields)
    if "name" in cleaned:
        cleaned["name"] = clean_name(cleaned["name"])
    if "language" in cleaned:
        cleaned["language"] = clean_language(cleaned["language"])
    if len(cleaned.get("description", "")) > 500:
        raise InvalidVoiceField("A description has at most 500 characters.", "description")
    if "tags" in cleaned:
        tags = cleaned["tags"]
        if len(tags) > 20 or any(not tag or len(tag) > 40 for tag in tags):
            raise InvalidVoiceField("Up to 20 tags of 1 to 40 characters.", "tags")
    return cleaned
