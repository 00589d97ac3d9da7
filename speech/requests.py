"""What every face hands to the one path: a checked request and who makes it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Account, ApiKey
from speech.engine.types import Priority, VoicePrompt

BY_HAND = ("native", "portal")
"""Faces at which people sit, where no key is used."""


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A request whose shape is right, before anything is looked up. None means not asked for.

    ``ref_audio`` with ``ref_text`` and ``consent`` is somebody's recording for this request alone;
    ``description`` is a voice in words, for its design.
    """

    input: str
    model: str | None = None
    voice: str | None = None
    response_format: str = "mp3"
    stream_format: str = "audio"
    speed: float = 1.0
    instructions: str | None = None
    language: str | None = None
    seed: int | None = None
    sample_rate: int | None = None
    cfg_value: float | None = None
    inference_timesteps: int | None = None
    max_new_tokens: int | None = None
    normalize: bool = True
    ref_audio: bytes | None = None
    ref_text: str | None = None
    consent: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How the engine is to go about it: for somebody who listens, or in the background.

    ``seed`` is used where neither the request nor the voice brings one; ``take`` is what was said
    before by a voice that is nobody's, and is to be gone on with; ``around`` is the language of the
    text that this is a piece of.
    """

    priority: Priority = Priority.INTERACTIVE
    seed: int | None = None
    take: VoicePrompt | None = None
    around: str = ""


LISTENED_TO = Manner()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, through which face, and under which request id."""

    account: Account
    face: str
    request_id: str
    key: ApiKey | None = None
    user_id: int | None = None
    user_agent: str = ""
