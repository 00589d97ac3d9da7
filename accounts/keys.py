"""How an API key is written: ``vox_<id>_<secret><checksum>``, and what of it may be stored.

Pure functions over strings: knows nothing of Django, the database or who owns a key. The checksum
lets junk be turned away without a query, and lets scanners recognise a leaked key offline.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 10
_SECRET_LENGTH = 36  # 62 ** 36 is about 214 bits
_CHECKSUM_LENGTH = 6
_FORM = re.compile(
    rf"(?P<head>vox_(?P<id>[0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}})"
    rf"(?P<checksum>[0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})",
    re.ASCII,
)


def make_id() -> str:
    """A random public id. Drawn ahead of its key, it lets one form make one key only."""
    return _random_text(_ID_LENGTH)


def make_key(public_id: str | None = None) -> str:
    """A new random key, as its owner will see it; ``public_id`` is one from ``make_id``."""
    head = f"vox_{public_id or make_id()}_{_random_text(_SECRET_LENGTH)}"
    return head + _checksum(head)


def plausible(raw: str) -> bool:
    """True when ``raw`` has the form of a key and its checksum holds. Asks no database."""
    form = _FORM.fullmatch(raw)
    return form is not None and form["checksum"] == _checksum(form["head"])


def public_id(raw: str) -> str:
    """The part of a plausible key that may be stored, logged and shown."""
    form = _FORM.fullmatch(raw)
    assert form, "public_id() wants a plausible key"
    return form["id"]


def digest(raw: str, pepper: str) -> str:
    """What is stored in a key's stead: worthless without the pepper, which is not in the database.

    One round of HMAC is enough, because the secret is random and not a password.
    """
    return hmac.new(pepper.encode(), raw.encode(), hashlib.sha256).hexdigest()


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(head: str) -> str:
    number, digits = zlib.crc32(head.encode("ascii")), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
