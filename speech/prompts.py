"""From a voice, as people know it, to a voice prompt, as engines do. Nothing else knows both."""

from __future__ import annotations

from functools import lru_cache

from speech.engine.types import Ability, EngineInfo, Recording, VoicePrompt
from speech.epochs import heard
from voices import storage
from voices.models import BuiltInTake, Voice
from voices.presets import PRESETS
from voices.wav import read_own


def voice_prompt(voice: Voice, info: EngineInfo) -> tuple[VoicePrompt | None, int | None]:
    """The engine's view of a voice, None for a built-in one that it has yet to make; and which
    version of the voice that is, None where the engine has its own. Raises StorageUnavailable."""
    if not voice.is_built_in:
        return _own_prompt(voice, info), voice.version
    if not makes_built_in_voices(info):
        name = voice.public_id
        return VoicePrompt(key=f"preset:{name}", preset=name), None
    take = BuiltInTake.objects.of_model(info.model).of_voice(voice).first() or BuiltInTake()
    return (built_in_prompt(voice, take, info) if take.is_ready else None), take.version


def makes_built_in_voices(info: EngineInfo) -> bool:
    """Whether the engine has no voices of its own, but can make and keep them."""
    return Ability.CLONE in info.abilities


def built_in_prompt(voice: Voice, take: BuiltInTake, info: EngineInfo) -> VoicePrompt:
    """A built-in voice as this engine has made it once. Raises StorageUnavailable."""
    heard.note(voice)
    recording = _kept(take.object_key, take.transcript)
    return made_prompt(f"{voice.public_id}:{take.version}:{take.sha256}", recording, info)


def _own_prompt(voice: Voice, info: EngineInfo) -> VoicePrompt:
    """Without its words a recording lends its timbre; with them it is continued, and lends its
    timbre as well where the model can take both: the models that design voices are those.

    The recording's hash is in the key, so that a voice is encoded once for each version.
    """
    heard.note(voice)
    sample = voice.sample
    samples, rate = read_own(sample.wav())
    recording = Recording(samples, rate, sample.transcript or None)
    key = f"{voice.public_id}:{voice.version}:{sample.sha256}"
    if voice.kind == Voice.Kind.DESIGNED:
        return made_prompt(key, recording, info)
    return recorded_prompt(key, recording, info)


def recorded_prompt(key: str, recording: Recording, info: EngineInfo) -> VoicePrompt:
    """The voice of somebody's recording, in the fullest way that the model can."""
    if not recording.transcript:
        return VoicePrompt(key=key, reference=recording)
    takes_both = Ability.DESIGN in info.abilities
    return VoicePrompt(key=key, reference=recording if takes_both else None, prompt=recording)


def made_prompt(key: str, recording: Recording, info: EngineInfo) -> VoicePrompt:
    """A voice that a model made: only its timbre is wanted, so that directions are obeyed, which
    a recording that is continued would drown. Older models can do no more than continue it."""
    if Ability.DESIGN in info.abilities:
        return VoicePrompt(key=key, reference=recording)
    return VoicePrompt(key=key, prompt=recording)


@lru_cache(maxsize=2 * len(PRESETS))
def _kept(object_key: str, transcript: str) -> Recording:
    """A built-in voice's recording. Those are nobody's, and asked for with nearly every request."""
    samples, rate = read_own(storage.read(object_key))
    return Recording(samples, rate, transcript)
