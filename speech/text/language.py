"""Which language a text is in: by its script, and for Latin letters by its commonest words.

Cheap evidence for a text that came without a tag, not a classifier; a tag that a person gives
always wins. Cantonese shares its script with Mandarin and is never guessed.
"""

from __future__ import annotations

import re
from collections import Counter

AUTO = "auto"
_FEW = 80  # characters
_SAMPLE = 4000  # characters; evidence beyond them changes nothing and would cost time
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-[a-z]{3})?(?P<script>-[a-z]{4})?(?P<region>-(?:[a-z]{2}|\d{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3})){0,2})"
)
_NAMES = {
    "english": "en", "chinese": "zh", "mandarin": "zh", "cantonese": "yue", "japanese": "ja",
    "korean": "ko", "german": "de", "french": "fr", "spanish": "es", "italian": "it",
    "portuguese": "pt", "russian": "ru", "arabic": "ar", "hindi": "hi", "thai": "th",
    "vietnamese": "vi", "indonesian": "id", "dutch": "nl", "polish": "pl", "turkish": "tr",
    "greek": "el", "hebrew": "he", "swedish": "sv", "danish": "da", "finnish": "fi",
    "norwegian": "no", "malay": "ms", "swahili": "sw", "tagalog": "tl", "burmese": "my",
    "khmer": "km", "lao": "lo",
}  # fmt: skip
_SCRIPTS = {
    "ja": "\u3041-\u30ff\u31f0-\u31ff", "ko": "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f",
    "ru": "\u0400-\u052f", "el": "\u0370-\u03ff\u1f00-\u1fff", "he": "\u0590-\u05ff",
    "ar": "\u0600-\u06ff\u0750-\u077f", "hi": "\u0900-\u097f", "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f", "gu": "\u0a80-\u0aff", "or": "\u0b00-\u0b7f", "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f", "kn": "\u0c80-\u0cff", "ml": "\u0d00-\u0d7f", "si": "\u0d80-\u0dff",
    "th": "\u0e00-\u0e7f", "lo": "\u0e80-\u0eff", "bo": "\u0f00-\u0fff", "my": "\u1000-\u109f",
    "ka": "\u10a0-\u10ff", "am": "\u1200-\u139f", "km": "\u1780-\u17ff", "hy": "\u0530-\u058f",
}  # fmt: skip
_BY_CHARACTER = frozenset({"zh", "ja", "th", "lo", "km", "my", "bo"})
# Scripts that name one language by count become another where these letters appear.
_TELLTALE = (
    ("ru", "uk", re.compile("[іїєґІЇЄҐ]")), ("ar", "fa", re.compile("[پچژگ]")),
    ("ar", "ur", re.compile("[ٹڈڑےں]")),
)  # fmt: skip
_COMMON = {
    "en": "the and of to is in that it you for are was with this have not be on what",
    "de": "der die das und ist nicht ich ein eine mit zu den auf von für im sie wir es auch uhr",
    "fr": "le la les et est des une un du que qui dans pour pas vous je nous il elle au sur avec",
    "es": "el la los las y es una un de que en por para no con se su del lo como está usted al",
    "it": "il la le e è di che un una non per con sono gli del della questo anche ho alle",
    "pt": "o a os as e é de que um uma não para com em do da você isso por mais às",
    "nl": "de het een en is van niet ik dat op te zijn voor met aan er maar wij kost",
    "pl": "i w nie to jest na się z że do jak o co ale po za tak czy",
    "sv": "och att det är en som på inte jag för med av den till har vi om",
    "tr": "ve bir bu için ne de da çok ben değil ile var mi gibi saat",
    "vi": "và là của không có một cho tôi được này người các trong với",
    "id": "yang dan di ini itu dengan untuk tidak saya dari ada ke akan",
}  # fmt: skip
_LANGUAGES_OF = {
    word: [language for language, words in _COMMON.items() if word in words.split()]
    for words in _COMMON.values()
    for word in words.split()
}
_LETTERS = {
    "de": "äöüß", "fr": "çœêëîïùû", "es": "ñ¿¡", "pt": "ãõ", "pl": "ąćęłńśźż", "sv": "å",
    "tr": "ığş", "vi": "ăơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹđ",
}  # fmt: skip


def normalize_tag(language: str) -> str:
    """A BCP 47 tag in its usual case ("zh_cn" is "zh-CN"), or "auto".

    English names of common languages are taken for their tags, as other servers do.
    Raises ValueError for anything that is no tag.
    """
    wanted = language.strip().lower().replace("_", "-")
    if wanted == AUTO:
        return AUTO
    tag = _TAG.fullmatch(_NAMES.get(wanted, wanted))
    if tag is None:
        raise ValueError(f"{language[:40]!r} is not a language tag such as 'en' or 'zh-CN'")
    script, region = (tag["script"] or "").title(), (tag["region"] or "").upper()
    return tag["language"] + script + region + (tag["rest"] or "")


def primary_language(text: str, language: str | None) -> str:
    """The bare language ("en", "zh", "yue") of a text that may come with a tag."""
    tag = normalize_tag(language) if language else AUTO
    primary = (detect_language(text) if tag == AUTO else tag).partition("-")[0]
    return "zh" if primary == "cmn" else primary


def detect_language(text: str) -> str:
    """The BCP 47 tag of the language that most of ``text`` is in; "en" without evidence."""
    sample = text[:_SAMPLE]
    counts = Counter({"": len(re.findall(r"[A-Za-zÀ-ɏ]+", sample))})
    if not sample.isascii():
        for language, script in _SCRIPTS.items():
            many = "" if language in _BY_CHARACTER else "+"
            counts[language] = len(re.findall(f"[{script}]{many}", sample))
    if counts["ja"] * 20 >= counts["zh"] and counts["ja"]:
        counts["ja"] += counts.pop("zh", 0)
    # A tie goes to the other script: Latin names are at home in every language.
    best = max(reversed(list(counts)), key=lambda language: counts[language])
    if not best or not counts[best]:
        return _detect_latin(sample)
    return next(
        (to for base, to, letters in _TELLTALE if best == base and letters.search(sample)), best
    )


def language_among(text: str, around: str) -> str:
    """The language of a piece of a text that is in the language ``around``: a few words in Latin
    letters tell too little of their own."""
    found = detect_language(text)
    is_few = len(text) < _FEW and {found, around.partition("-")[0]} <= _COMMON.keys()
    return around if is_few else found


def _detect_latin(sample: str) -> str:
    sample = sample.lower()
    scores: Counter[str] = Counter()
    for word in re.findall(r"[^\W\d_]+", sample):
        scores.update(_LANGUAGES_OF.get(word, ()))
    for language, letters in _LETTERS.items():
        scores[language] += 2 * sum(letter in sample for letter in letters)
    best, score = max(scores.items(), key=lambda item: item[1], default=("en", 0))
    return best if score > scores["en"] else "en"
