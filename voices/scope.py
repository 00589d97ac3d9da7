"""What a consent covers: which uses, in which languages, and until when.

All of it is said when the consent is given and never changed; whoever wants more asks for a new
one. Knows nothing of rows or requests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from voices.exceptions import InvalidVoiceField
from voices.languages import clean_language

PURPOSES_LENGTH = 500
MOST_LANGUAGES = 20
LONGEST = timedelta(days=36_525)


@dataclass(frozen=True, slots=True)
class Scope:
    """Nothing said is no limit."""

    purposes: str = ""
    languages: tuple[str, ...] = ()
    expires_at: datetime | None = None

    @classmethod
    def read(cls, purposes: str, languages: str, expires_at: str) -> Scope:
        """As a form says it: words, BCP 47 tags with commas between them, and seconds since 1970.
        Raises InvalidVoiceField."""
        return cls(purposes, _languages(languages), _moment(expires_at))

    def said(self) -> list[str]:
        """The names of what it limits."""
        return [name for name, limit in asdict(self).items() if limit]


NO_LIMITS = Scope()


def covers(languages: Iterable[str], tag: str) -> bool:
    """Whether a language is among them, as far as it is known. Of two tags the shorter says less
    and contradicts nothing: ``en`` covers ``en-GB``, and ``en`` may well be ``en-GB``."""
    spoken = tag.lower().split("-")
    limits = [limit.lower().split("-") for limit in languages]
    alike = (all(map(str.__eq__, limit, spoken)) for limit in limits)
    return not tag or not limits or any(alike)


def _languages(listed: str) -> tuple[str, ...]:
    tags = [tag.strip() for tag in listed.split(",") if tag.strip()]
    if len(tags) > MOST_LANGUAGES:
        raise InvalidVoiceField(f"Send at most {MOST_LANGUAGES} languages.", "languages")
    try:
        return tuple(dict.fromkeys(clean_language(tag) for tag in tags))
    except InvalidVoiceField:
        message = "Send BCP 47 tags with commas between them, such as en, zh-CN."
        raise InvalidVoiceField(message, "languages") from None


def _moment(seconds: str) -> datetime | None:
    if not seconds:
        return None
    now = timezone.now()
    if seconds.isascii() and seconds.isdigit() and len(seconds) <= 11:
        latest = (now + LONGEST).timestamp()
        if now.timestamp() < int(seconds) <= latest:
            return datetime.fromtimestamp(int(seconds), UTC)
    raise InvalidVoiceField(
        "Send a moment to come, in seconds since 1970, within a hundred years.", "expires_at"
    )
