"""What somebody reads aloud to agree to a copy of their voice, with a number that is used once.

The number shows that a recording was made for this purpose and now. Pure functions.
"""

from __future__ import annotations

import secrets

_PHRASES = {
    "en": "I am the owner of this voice, and I consent to its use to create a synthetic copy "
    "of it. My number is {}.",
    "zh": "我是此声音的拥有者，我同意将它用于创建一个合成语音副本。我的号码是 {}。",
    "ja": "私はこの声の所有者であり、この声を使って合成音声を作成することに同意します。"
    "番号は {} です。",
    "ko": "나는 이 음성의 소유자이며, 이 음성을 사용하여 합성 음성을 만드는 데 동의합니다. "
    "번호는 {} 입니다.",
    "de": "Ich bin Inhaber dieser Stimme und stimme zu, dass mit ihr eine synthetische Kopie "
    "erstellt wird. Meine Nummer ist {}.",
    "fr": "Je suis propriétaire de cette voix et je consens à ce qu'elle serve à créer une copie "
    "synthétique. Mon numéro est {}.",
    "es": "Soy el propietario de esta voz y doy mi consentimiento para crear con ella una copia "
    "sintética. Mi número es {}.",
    "pt": "Eu sou o proprietário desta voz e autorizo o seu uso para criar uma cópia sintética. "
    "O meu número é {}.",
    "it": "Sono il proprietario di questa voce e acconsento al suo uso per crearne una copia "
    "sintetica. Il mio numero è {}.",
    "ru": "Я владелец этого голоса и согласен на создание его синтетической копии. Мой номер {}.",
}
_DIGITS = 6
FALLBACK = "en"


def make_nonce() -> str:
    """Six digits, spoken one by one."""
    return "".join(secrets.choice("0123456789") for _ in range(_DIGITS))


def phrase_language(tag: str) -> str:
    """The language a phrase is there in for a BCP 47 tag; English where there is none."""
    primary = tag.partition("-")[0].lower()
    return primary if primary in _PHRASES else FALLBACK


def make_phrase(language: str, nonce: str) -> str:
    """The whole sentence, digits apart so that they are read one by one."""
    return _PHRASES[language].format(" ".join(nonce))
