"""Public ids: random, with a prefix that says of what."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 24


def _random(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def voice_id() -> str:
    return _random("voice_")


def consent_id() -> str:
    return _random("cons_")


def phrase_id() -> str:
    return _random("phrase_")


def design_id() -> str:
    return _random("design_")
