"""Why a voice cannot be used; ``speech/errors.py`` turns these into answers."""

from __future__ import annotations


class UnknownVoice(Exception):
    """There is no such voice for this caller: missing, foreign and erased answer alike."""

    status = 400
    type = "invalid_request_error"
    code = "unknown_voice"
    param = "voice"

    def __init__(self) -> None:
        super().__init__("There is no voice of that name. GET /v1/audio/voices lists the voices.")
