"""What a voice says to be heard: a short sentence in its language. Pure data."""

from __future__ import annotations

_SENTENCES = {
    "en": "Hello. This is how I sound when I read to you.",
    "zh": "你好。我读给你听的时候，就是这样的声音。",
    "ja": "こんにちは。私の声はこのように聞こえます。",
    "ko": "안녕하세요. 제 목소리는 이렇게 들립니다.",
    "de": "Hallo. So klinge ich, wenn ich dir vorlese.",
    "fr": "Bonjour. Voilà ma voix quand je vous fais la lecture.",
    "es": "Hola. Así suena mi voz cuando te leo.",
    "pt": "Olá. É assim que a minha voz soa quando leio para você.",
    "it": "Ciao. Così suona la mia voce quando leggo per te.",
    "ru": "Здравствуйте. Так звучит мой голос, когда я читаю вам.",
}


def preview_sentence(language: str) -> tuple[str, str]:
    """A sentence for a BCP 47 tag, and the tag of what it is in: English where there is none."""
    primary = language.partition("-")[0].lower()
    return (_SENTENCES[primary], language) if primary in _SENTENCES else (_SENTENCES["en"], "en")
