"""The plan of a synthesis: which model, voice, settings and utterances a request comes to.

Everything here only looks things up, or decodes a recording that came with the request; what
cannot be used is refused with the field's name, or, where real clients send it regardless, set
aside with a warning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings as configuration

from accounts.models import ApiKey
from accounts.permissions import require_scope
from speech.engine.types import (
    Ability,
    EngineInfo,
    Priority,
    SamplingParams,
    Utterance,
    VoicePrompt,
)
from speech.errors import InvalidField, ModelNotFound
from speech.models import SpeechModel
from speech.one_off import DESIGN, RECORDING, described, recorded
from speech.prompts import voice_prompt
from speech.requests import LISTENED_TO, Caller, Manner, SpeechRequest
from speech.text import (
    clean,
    detect_language,
    disarm,
    is_blank,
    is_speakable,
    language_among,
    normalize,
    normalize_tag,
    split,
)
from voices.models import Voice
from voices.resolving import resolve

PAUSE_MS = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be spoken and how; ``offsets`` are the utterances' places in the spoken text.

    ``unmade`` is a built-in voice that the engine must make before it can speak with it, ``once``
    the voice of a recording that came along, which the engine must forget afterwards;
    ``use_is_noted`` says that no voice need be told of its use.
    """

    input: str
    model: str
    voice: str
    response_format: str
    stream_format: str
    speed: float
    sample_rate: int | None
    seed: int | None
    utterances: tuple[Utterance, ...]
    offsets: tuple[int, ...]
    ceiling_ms: int
    unmade: Voice | None = None
    once: str | None = None
    use_is_noted: bool = True
    instructions: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """The text as it is spoken: what ``offsets`` and marks count in."""
        return " ".join(utterance.text for utterance in self.utterances)

    @property
    def characters(self) -> int:
        """What is charged: code points of the input as it was sent."""
        return len(self.input)


def make_plan(
    request: SpeechRequest, caller: Caller, info: EngineInfo, manner: Manner = LISTENED_TO
) -> Plan:
    """Look up and decide; see ``speech.synthesis.prepare`` for what it raises."""
    if is_blank(request.input):
        raise InvalidField("input: There is nothing to say.", "input", "empty_input")
    row = find_model(request.model, info, caller.key)
    language = find_language(request)
    speaker = _speaker(request, caller, info, _agreed(request, language, manner))
    params, style, warnings = _usable(request, row, info)
    if params.seed is None and manner.seed is not None and Ability.SEED in info.abilities:
        params = replace(params, seed=manner.seed, drawn=True)
    if manner.take and speaker.unmade is None and info.draws_a_voice(speaker.prompt):
        # Directions have done their work in what is continued.
        speaker, style = replace(speaker, prompt=manner.take), None
    texts = _texts(request, language)
    utterances = tuple(
        Utterance(
            text=text,
            voice=speaker.prompt,
            language=language,
            style=style,
            params=params,
            priority=manner.priority,
            whole=manner.priority is Priority.JOB,
            group=f"account:{caller.account.pk}",
        )
        for text in texts
    )
    ceiling = sum(info.ceiling(text) for text in texts) * 1000 / request.speed
    # As OpenAI's own models of these names do, and only for who asks as one asks OpenAI.
    plain = caller.face == "openai" and row is not None and row.ignores_stream_format
    return Plan(
        input=request.input,
        model=request.model or info.model,
        voice=speaker.known,
        response_format=request.response_format,
        stream_format="audio" if plain else request.stream_format,
        speed=request.speed,
        sample_rate=request.sample_rate,
        seed=params.seed,
        utterances=utterances,
        offsets=_offsets(texts),
        ceiling_ms=round(ceiling) or PAUSE_MS,
        unmade=speaker.unmade,
        once=speaker.once,
        use_is_noted=speaker.use_is_noted,
        instructions=request.instructions,
        settings=_settings(request, params, language, speaker),
        warnings=warnings + speaker.warnings,
    )


def find_model(name: str | None, info: EngineInfo, key: ApiKey | None) -> SpeechModel | None:
    """The row called ``name``, or None for a native id of the engine that runs."""
    name = name or info.model
    row = SpeechModel.objects.named(name)
    if row is None and name not in info.names:
        raise ModelNotFound(
            f"There is no model {name!r} here; GET /v1/models lists the models.", "model"
        )
    if key:
        key.check_model(name)
    return row


@dataclass(frozen=True, slots=True)
class Speaker:
    """The voice of a request, as usage knows it and as the engine does."""

    known: str
    prompt: VoicePrompt | None
    unmade: Voice | None = None
    once: str | None = None
    use_is_noted: bool = True
    about: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def _speaker(request: SpeechRequest, caller: Caller, info: EngineInfo, language: str) -> Speaker:
    if request.description is not None:
        if caller.key:
            caller.key.check_voice(DESIGN)
        return Speaker(DESIGN, described(request.description))
    if request.ref_audio is not None:
        require_scope(caller.key, "voices")
        if caller.key:
            caller.key.check_voice(RECORDING)
        once = recorded(request, caller.account, info, language)
        unused = ("voice is not used beside ref_audio",) if request.voice else ()
        about = {"ref_sha256": once.digest}
        return Speaker(once.known, once.prompt, once=once.key, about=about, warnings=unused)
    name, voice = find_voice(request.voice, caller, language)
    if voice is None:
        return Speaker(name, None)
    prompt, version = voice_prompt(voice, info)
    return Speaker(
        name,
        prompt,
        unmade=voice if prompt is None else None,
        use_is_noted=voice.use_is_noted,
        about={"voice_version": version},
    )


def find_voice(name: str | None, caller: Caller, language: str = "") -> tuple[str, Voice | None]:
    """The voice asked for, else the account's default, else the server's; and by what it is known
    in usage, which is its id. Where a ``language`` is known, its consent must extend to it."""
    chosen = name or caller.account.default_voice or configuration.DEFAULT_VOICE
    voice = resolve(chosen, caller.account, language)
    known = (voice.public_id, voice.name) if voice else (chosen,)
    if caller.key:
        caller.key.check_voice(*known)
    return known[0], voice


def stated_language(request: SpeechRequest) -> str:
    """The language that the request names, "" where it leaves that to the text."""
    language = request.language or ""
    return "" if language.lower() == "auto" else language


def find_language(request: SpeechRequest) -> str:
    """The request's language tag, or what the text looks like."""
    stated = stated_language(request)
    if not stated:
        return detect_language(request.input)
    try:
        return normalize_tag(stated)
    except ValueError:
        raise InvalidField("language: Send a BCP 47 tag such as en or zh-CN.", "language") from None


def _agreed(request: SpeechRequest, language: str, manner: Manner) -> str:
    """The language that a consent must extend to: stray words are no language of their own."""
    if manner.around and not stated_language(request):
        return language_among(request.input, manner.around)
    return language


def _usable(
    request: SpeechRequest, row: SpeechModel | None, info: EngineInfo
) -> tuple[SamplingParams, str | None, tuple[str, ...]]:
    """What the engine can use of the settings; fields of the request win over the model's row."""
    asked: dict[Ability, Any] = {
        Ability.SEED: request.seed,
        Ability.CFG_VALUE: request.cfg_value,
        Ability.INFERENCE_TIMESTEPS: request.inference_timesteps,
        Ability.MAX_NEW_TOKENS: request.max_new_tokens,
        Ability.INSTRUCTIONS: request.instructions,
    }
    able = set(info.abilities)
    if row and not row.allows_instructions:
        able.discard(Ability.INSTRUCTIONS)
    unused = tuple(
        f"{name.value} is not used by {info.model}"
        for name, value in asked.items()
        if value is not None and name not in able
    )
    chosen = {name: value for name, value in asked.items() if name in able}
    if row:
        for name, preset in (
            (Ability.CFG_VALUE, row.cfg_value),
            (Ability.INFERENCE_TIMESTEPS, row.inference_timesteps),
        ):
            if name in able and chosen[name] is None:
                chosen[name] = preset
    style = chosen.pop(Ability.INSTRUCTIONS, None)
    return SamplingParams(**{name.value: value for name, value in chosen.items()}), style, unused


def _texts(request: SpeechRequest, language: str) -> list[str]:
    text = normalize(request.input, language) if request.normalize else clean(request.input)
    return [disarm(piece) for piece in split(text, language)] if is_speakable(text) else []


def _offsets(texts: list[str]) -> tuple[int, ...]:
    """Where each utterance begins in the spoken text: the utterances joined by single spaces."""
    offsets, position = [], 0
    for text in texts:
        offsets.append(position)
        position += len(text) + 1
    return tuple(offsets)


def _settings(
    request: SpeechRequest, params: SamplingParams, language: str, speaker: Speaker
) -> dict[str, Any]:
    """The settings that were in force, for the usage row; never the text."""
    shown = {
        "speed": request.speed,
        "language": language,
        "sample_rate": request.sample_rate,
        "cfg_value": params.cfg_value,
        "inference_timesteps": params.inference_timesteps,
        "max_new_tokens": params.max_new_tokens,
        "normalize": request.normalize,
        **speaker.about,
    }
    return {name: value for name, value in shown.items() if value is not None}
