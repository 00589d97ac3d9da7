"""The values that cross the engine's border: what is asked, what is answered, what is known.

Frozen and free of torch, so that a host can carry them into another process unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
# Neither Latin nor punctuation, nor kana and common Chinese characters, nor their wide forms.
_RARE_SIGN = re.compile(r"[^\u0000-\u024f\u2000-\u206f\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")


class Priority(IntEnum):
    """Who goes first when slots are short; a lower number goes first.

    A CONTINUATION is the next utterance of a text that somebody is already listening to: to
    interrupt it is worse than to let others wait, so a full queue takes it as well.
    """

    CONTINUATION = 0
    INTERACTIVE = 1
    JOB = 2


class Ability(StrEnum):
    """What an engine can be asked for; a request for anything else is refused or warned about."""

    CLONE = "clone"
    DESIGN = "design"
    INSTRUCTIONS = "instructions"
    SEED = "seed"
    CFG_VALUE = "cfg_value"
    INFERENCE_TIMESTEPS = "inference_timesteps"
    MAX_NEW_TOKENS = "max_new_tokens"
    MARKS = "marks"


class EngineState(StrEnum):
    """Where an engine's model is: only READY speaks at once, COLD and LOADING speak later."""

    COLD = "cold"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


class FinishReason(StrEnum):
    """Why a stream ended without an error: the text was spoken, or the ceiling was reached."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Audio that lends a voice: float32 mono samples in -1..1 at ``sample_rate`` Hz."""

    samples: Samples
    sample_rate: int
    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class VoicePrompt:
    """The engine's view of a voice.

    ``key`` names the prompt's content (caches go by it); before its first colon stands what is
    forgotten together. ``preset`` is a built-in name that an
    engine with voices of its own maps to one of them; ``reference`` lends timbre, ``prompt`` is
    audio with a transcript that the model continues; ``description`` designs a voice in words.
    """

    key: str
    preset: str | None = None
    reference: Recording | None = None
    prompt: Recording | None = None
    description: str | None = None


def is_of(key: str, voice: str) -> bool:
    """Whether a VoicePrompt's key is one of this voice."""
    return key == voice or key.startswith(f"{voice}:")


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to speak. ``None`` leaves the choice to the engine, which reports a seed it drew.

    A seed that was ``drawn`` is nobody's wish: where its take is bad, another may be tried.
    """

    seed: int | None = None
    cfg_value: float | None = None
    inference_timesteps: int | None = None
    max_new_tokens: int | None = None
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Utterance:
    """One engine-sized piece of text, ready to be spoken.

    ``language`` is a BCP 47 tag; ``group`` is opaque and only used for fair turns. Of a ``whole``
    answer nothing leaves before all of it is made. One that is made ``ahead`` of its turn goes
    with the jobs and waits with its audio, for as long as that takes, until ``Stream.hurry`` says
    that somebody listens.
    ``remember`` has the engine keep what it makes, to be the prompt of the VoicePrompt with that
    key.
    """

    text: str
    voice: VoicePrompt | None = None
    language: str | None = None
    style: str | None = None
    params: SamplingParams = field(default_factory=SamplingParams)
    priority: Priority = Priority.INTERACTIVE
    group: str = ""
    whole: bool = False
    ahead: bool = False
    remember: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The word at ``offset`` (code points into the utterance's text) starts ``time`` seconds in."""

    offset: int
    length: int
    time: float


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Float32 mono samples in -1..1 at the engine's rate, and the marks that fall into them."""

    samples: Samples
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is. ``names`` are the native model ids, the first is the canonical one.

    ``batches`` says that utterances which run together cost little more than one alone, so that it
    pays to make the next ones of a text ahead of their turn.

    An utterance's audio never lasts longer than ``ceiling(text)`` seconds: the engine ends it
    there with ``FinishReason.LENGTH``, and quota is reserved for that much. ``spells_rare_signs``
    says that the model takes signs of other scripts than Latin, Chinese and Japanese byte by byte,
    and may speak as long for each.
    """

    engine: str
    names: tuple[str, ...]
    sample_rate: int
    languages: tuple[str, ...]
    abilities: frozenset[Ability]
    ceiling_base: float
    ceiling_per_character: float
    batches: bool = False
    spells_rare_signs: bool = False

    @property
    def model(self) -> str:
        """The canonical native model id, as it stands in usage rows and ``x-model``."""
        return self.names[0]

    def draws_a_voice(self, voice: VoicePrompt | None) -> bool:
        """Whether each utterance would be in a voice of its own, and could go on in another's."""
        lent = voice is not None and (voice.reference is not None or voice.prompt is not None)
        return Ability.CLONE in self.abilities and not lent

    def ceiling(self, text: str) -> float:
        """The most seconds of audio that speaking ``text`` can take."""
        signs = len(text)
        if self.spells_rare_signs:
            signs += sum(len(sign.encode()) - 1 for sign in _RARE_SIGN.findall(text))
        return self.ceiling_base + self.ceiling_per_character * signs


@dataclass(frozen=True, slots=True)
class EngineStats:
    """A moment of an engine's life, cheap to ask for and never taken from its queue.

    ``reason`` says in a sentence why the state is not READY, ``notice`` what is otherwise than was
    asked for while it is; ``load_seconds`` is the last load.
    """

    state: EngineState
    reason: str = ""
    waiting: int = 0
    running: int = 0
    slots: int = 0
    restarts: int = 0
    load_seconds: float | None = None
    notice: str = ""
