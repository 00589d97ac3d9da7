"""The thirteen built-in voices, as espeak-ng speaks them, and the voice file of every language.

Knows nothing of the library; only names and numbers that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from speech.engine.espeak_library import Manner


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A timbre (``variant``), an ``accent`` for English, words per minute and a pitch."""

    variant: str
    accent: str
    rate: int
    pitch: int
    range: int = 50

    def manner(self, language: str) -> Manner:
        """How this voice speaks ``language``: a voice file's name, or ``en`` for its accent."""
        language = self.accent if language == "en" else language
        return Manner(f"{language}+{self.variant}", self.rate, self.pitch, self.range)


DEFAULT_VOICE = "alloy"

VOICES = {
    "alloy": EspeakVoice("f2", "en-us", rate=170, pitch=28),
    "ash": EspeakVoice("m3", "en-us", rate=168, pitch=72),
    "ballad": EspeakVoice("m1", "en-gb-x-rp", rate=152, pitch=38, range=60),
    "cedar": EspeakVoice("m7", "en-us", rate=160, pitch=54),
    "coral": EspeakVoice("f1", "en-us", rate=176, pitch=68, range=60),
    "echo": EspeakVoice("Reed", "en-us", rate=165, pitch=58),
    "fable": EspeakVoice("rob", "en", rate=162, pitch=60, range=70),
    "marin": EspeakVoice("f3", "en-us", rate=165, pitch=44),
    "nova": EspeakVoice("linda", "en-us", rate=182, pitch=56, range=55),
    "onyx": EspeakVoice("david", "en-us", rate=155, pitch=45, range=40),
    "sage": EspeakVoice("f4", "en", rate=158, pitch=49),
    "shimmer": EspeakVoice("Annie", "en-us", rate=172, pitch=62, range=60),
    "verse": EspeakVoice("m5", "en-gb-scotland", rate=166, pitch=57, range=60),
}
"""By the names of the OpenAI API. A test keeps every two apart in pitch or in spectrum."""

_SAME_NAME = (
    "af am an ar as az ba be bg bn bpy bs ca cs cy da de el eo es es-419 et eu fa fi fr "
    "fr-be fr-ch ga gd gn gu hak haw he hi hr ht hu hy hyw ia id io is it ja ka kk kl kn ko "
    "kok ku ky la lb lt ltg lv mi mk ml mr ms mt my ne nl nog om or pa pap pl pt pt-br qu quc ro "
    "ru sd shn si sk sl smj sq sr sv sw ta te th ti tk tn tr tt ug uk ur uz vi"
).split()

VOICE_FILES = {name: name for name in _SAME_NAME} | {
    "en": "en",
    "en-gb": "gmw/en",
    "en-us": "en-us",
    "en-gb-scotland": "en-gb-scotland",
    "en-029": "en-029",
    "zh": "cmn",
    "cmn": "cmn",
    "zh-hk": "yue",
    "zh-mo": "yue",
    "zh-hant-hk": "yue",
    "zh-hant-mo": "yue",
    "zh-yue": "yue",
    "yue": "yue",
    "no": "nb",
    "nb": "nb",
    "nn": "nb",
    "iw": "he",
    "in": "id",
    "es-mx": "es-419",
    "es-us": "es-419",
    "es-ar": "es-419",
    "es-co": "es-419",
    "es-cl": "es-419",
    "es-pe": "es-419",
    "sh": "hr",
}
"""Language tags in lower case, and what espeak-ng calls them. Plain ``en`` is the British file's
own name; as a language it stands for the accent of whoever speaks."""


LANGUAGES = tuple(
    sorted(tag for tag in VOICE_FILES if "-" not in tag and tag not in ("iw", "in", "sh"))
)
"""What the engine says it speaks: language subtags without region."""

VOXCPM2_ALONE = frozenset({"km", "lo", "tl"})
"""What VoxCPM2 speaks and espeak-ng does not."""


def voice_file(tag: str) -> str | None:
    """The voice file for a BCP 47 tag, of which the rear parts may be unknown; None for none."""
    parts = tag.lower().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        name = VOICE_FILES.get("-".join(parts[:length]))
        if name:
            return name
    return None
