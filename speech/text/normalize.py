"""From what a person typed to what an engine should say: the one door of text normalisation.

Folding and markup apply to every language; figures and signs become words in English and Chinese
only, and stay as they are in the others, whose engines read them better than a wrong language
would. Knows nothing of engines or requests.
"""

from __future__ import annotations

import re

from .addresses import CHINESE, ENGLISH, WRITTEN, speak_addresses
from .chinese import speak_chinese
from .english import speak_english
from .folding import fold
from .language import primary_language
from .markup import strip_links, strip_markup

_ENDINGS = {
    "zh": "。", "yue": "。", "ja": "。", "hi": "।", "bn": "।", "pa": "।", "hy": "։", "am": "።",
    "my": "။", "km": "។", "ur": "۔",
}  # fmt: skip
_ADDRESS_WORDS = {"en": ENGLISH, "zh": CHINESE, "yue": CHINESE}
_EMOTICON = re.compile(r"(?<![^\s])(?:[:;=]'?-?[()DPpOo/|*]|<3|[xX]D|\^_?\^)(?![^\s.,!?])")
_PICTURE = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u297f\u2b00-\u2bff\u2800-\u28ff\ufffc\ufffd"
    "\U0001f000-\U0001faff\U000e0000-\U000e007f\u3012\u3020\u00a9\u00ae\u2122]+"
)
_DASH = re.compile(r"(?<!\S)-{1,9}(?!\S)|-{2,9}")
_SYNTAX = re.compile(r"[<>\[\]{}|\\^*`~_#]+|[()（）]")
_STEERS = re.compile(r"[<>\[\]{}|\\^]|&[#\w]+;")
_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff]"
)
_HAN = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"
_PAUSES = re.compile(r"(?<!\d)(?: ?[,，])+ ?|(?<=\d)(?: ?[,，])+(?: |(?!\d))")
_HAN_PAUSE = re.compile(rf"(?<=[{_HAN}]), (?=[{_HAN}])|(?<=[{_HAN}]),$")
_HAN_SPACE = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
_MARK_RUN = re.compile(r"([!?！？])[!?！？]{3,}|([.。])\2{3,}")
_CLOSING = "\"'”’」』》）)"
_TERMINAL = frozenset(".!?。！？।॥؟۔։።။។")
_WEAK = " ,;:-،؛，；：、…/&+=.。"


def normalize(text: str, language: str | None = None) -> str:
    """``text`` as one line of speakable sentences, or "" when there is nothing to say.

    ``language`` is a BCP 47 tag; None or "auto" takes it from the text. Figures, dates and signs
    are in words for English and Chinese; the last sentence is ended where it was left open.
    No control character and none of ``<>[]{}|()`` is left, so nothing in it can steer an engine.
    Raises ValueError when ``language`` is no language tag.
    """
    folded = fold(text)
    spoken_in = primary_language(folded, language)
    ending = _ENDINGS.get(spoken_in, ".")
    addressed = speak_addresses(strip_links(folded), _ADDRESS_WORDS.get(spoken_in, WRITTEN))
    plain = _PICTURE.sub(" ", _EMOTICON.sub(" ", strip_markup(addressed, ending)))
    if spoken_in == "en":
        plain = speak_english(plain)
    elif spoken_in in ("zh", "yue"):
        plain = speak_chinese(plain)
    return _end(_tidy(plain), ending)


def clean(text: str) -> str:
    """``text`` for a caller who has normalised it: as it is, with single spaces.

    Control characters go. Where signs of control syntax stand, all is tidied as ``normalize``
    does it: they become pauses or spaces.
    """
    plain = re.sub(r"\s+", " ", _UNSPEAKABLE.sub("", text)).strip()
    return _tidy(fold(text)) if _STEERS.search(plain) else plain


def disarm(piece: str) -> str:
    """``piece`` without the parenthesis it begins with: some engines would take its words for
    directions and not say them."""
    return _tidy(piece) if piece.startswith(("(", "（")) else piece


def is_blank(text: str) -> bool:
    """Whether ``text`` shows nothing at all: spaces, control and invisible characters only."""
    folded = fold(text)
    return not folded or folded.isspace()


def is_speakable(text: str) -> bool:
    """Whether ``text`` holds a letter, a digit or a sign with a name; "." and "…" do not."""
    return any(char.isalnum() for char in fold(text))


def _tidy(text: str) -> str:
    """No syntax left; one space, one pause, at most three marks in a row."""
    text = _SYNTAX.sub(lambda sign: ", " if sign[0] in "()（）" else " ", _DASH.sub(", ", text))
    text = re.sub(r"\s+", " ", text)
    text = _PAUSES.sub(lambda pause: "，" if "，" in pause[0] else ", ", text)
    text = re.sub(r",? ?, ?(?=[.!?;:。！？；：])| (?=[.,!?;:，。！？；：](?:\s|$))", "", text)
    text = re.sub(r"(?<=[.!?;:。！？；：])[,，] ?", " ", text)
    text = re.sub(r"(?<=\w,) (?=[\"'](?:\s|$))", "", text)
    text = _MARK_RUN.sub(lambda run: run[0][:3], text)
    return _HAN_SPACE.sub("", _HAN_PAUSE.sub("，", text)).strip(" ,，;；:：、")


def _end(text: str, ending: str) -> str:
    """``text`` with a full stop where the sentence was left open; "" when nothing is said."""
    if not any(char.isalnum() for char in text):
        return ""
    body = text.rstrip(_CLOSING + " ")
    closing = text[len(body) :].strip()
    if body[-1] in _TERMINAL and not body.endswith(("..", "。。")):
        return body + closing
    stripped = body.rstrip(_WEAK)
    return stripped + (closing + ending if closing else ending)
