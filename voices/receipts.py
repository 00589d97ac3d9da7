"""The receipt of an erasure as people get it: what was erased, by hash, and when, signed with the
platform's secret, so that it can be believed when it is shown again."""

from __future__ import annotations

import json
from typing import Any

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

from voices.erasure import Erasure

_SALT = "voices.erasure"


def receipt(erasure: Erasure) -> dict[str, Any]:
    """``finished_at`` is None while the storage still holds something."""
    finished = erasure.finished_at
    said: dict[str, Any] = {
        "id": erasure.public_id,
        "object": "voice.erasure",
        "sha256": erasure.hashes,
        "started_at": int(erasure.started_at.timestamp()),
        "finished_at": int(finished.timestamp()) if finished else None,
    }
    return said | {"signature": _sign(said)}


def is_genuine(shown: dict[str, Any]) -> bool:
    """Whether a receipt is one that this platform has given, unchanged."""
    said = {name: value for name, value in shown.items() if name != "signature"}
    return constant_time_compare(str(shown.get("signature")), _sign(said))


def _sign(said: dict[str, Any]) -> str:
    return Signer(salt=_SALT).signature(json.dumps(said, sort_keys=True, separators=(",", ":")))
