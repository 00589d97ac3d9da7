"""Why a voice or a recording cannot be used; ``speech/errors.py`` turns these into answers."""

from __future__ import annotations


class UnknownVoice(Exception):
    """There is no such voice for this caller: missing, foreign and erased answer alike."""

    status = 400
    type = "invalid_request_error"
    code = "unknown_voice"
    param = "voice"

    def __init__(self) -> None:
        super().__init__("There is no voice of that name. GET /v1/audio/voices lists the voices.")


class RefusedRecording(Exception):
    """A recording is not what it should be. ``code`` says why, the message says so in words."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class RecordingTooLarge(RefusedRecording):
    """More bytes than a recording may have."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__("payload_too_large", f"A recording may have at most {limit // 2**20} MiB.")
