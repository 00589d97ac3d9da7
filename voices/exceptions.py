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

    def __init__(self, limit: int, param: str | None = None) -> None:
        message = f"A recording may have at most {limit // 2**20} MiB."
        super().__init__("payload_too_large", message, param)


class InvalidVoiceField(Exception):
    """A field of a voice or a consent is not acceptable; ``param`` names it."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, param: str, code: str = "invalid_value") -> None:
        super().__init__(f"{param}: {message}")
        self.code = code
        self.param = param


class ConsentRequired(Exception):
    """There is no consent, none that holds any more, or none that a person has looked at yet."""

    status = 403
    type = "permission_error"
    code = "consent_required"

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class VoiceSilenced(ConsentRequired):
    """Nobody may speak with this voice any more, although it was speaking."""

    def __init__(self) -> None:
        super().__init__("This voice may no longer be used.", "voice")


class VoiceLimitReached(Exception):
    """The account has as many voices as it may have."""

    status = 403
    type = "permission_error"
    code = "voice_limit_reached"


class StorageLimitReached(VoiceLimitReached):
    """The recordings of the account take as many bytes as they may."""


class DesignLimitReached(VoiceLimitReached):
    """The account has as many designs, or a design as many candidates, as it may have."""


class StorageUnavailable(Exception):
    """Recordings cannot be kept or read at this moment. Nothing was changed."""

    status = 503
    type = "service_unavailable_error"
    code = "storage_unavailable"
    retry_after = 5
    should_retry = True

    def __init__(self) -> None:
        super().__init__("The storage of recordings does not answer. Please try again.")


class ProgramUnavailable(Exception):
    """A program that should listen to a recording does not answer. Nothing was changed."""

    status = 503
    type = "service_unavailable_error"
    code: str
    retry_after = 30
    should_retry = True
    what: str

    def __init__(self) -> None:
        super().__init__(f"{self.what} cannot be checked at the moment. Please try again.")


class TranscriberUnavailable(ProgramUnavailable):
    """What should hear the words."""

    code = "transcriber_unavailable"
    what = "The words"


class ComparisonUnavailable(ProgramUnavailable):
    """What should tell whether two recordings are of one person."""

    code = "comparison_unavailable"
    what = "The speaker"
