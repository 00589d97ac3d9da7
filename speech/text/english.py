"""English text in English words: abbreviations and signs here, figures in the modules beside.

The order is the grammar: what a figure is (a phone number, an amount, a date) is decided before
anything reads it as a plain number. Expects folded text without markup.
"""

from __future__ import annotations

import re

from .english_codes import speak_codes
from .english_dates import speak_dates
from .english_measures import speak_measures
from .english_money import speak_money
from .grammar import Grammar

_ABBREVIATIONS = {
    "Mr.": "Mister", "Mrs.": "Missus", "Dr.": "Doctor", "Prof.": "Professor", "e.g.": "for example",
    "i.e.": "that is", "vs.": "versus", "approx.": "approximately", "w/o": "without",
    "w/": "with", "Gov.": "Governor", "Sen.": "Senator", "Rep.": "Representative",
    "Capt.": "Captain", "Lt.": "Lieutenant", "Col.": "Colonel", "Gen.": "General",
    "Fig.": "Figure", "fig.": "figure",
    "p.": "page", "pp.": "pages",
    "ext.": "extension", "vs": "versus", "Vol.": "Volume", "vol.": "volume",
}  # fmt: skip
_TITLED = {"Fig.", "fig.", "Vol.", "vol.", "p.", "pp.", "ext."}
_ABBREVIATION = re.compile(
    r"(?<![\w.])(?:"
    + "|".join(
        re.escape(short)
        + (r"(?= ?\d)" if short in _TITLED else r"(?![\w.])" if short == "vs" else "")
        for short in _ABBREVIATIONS
    )
    + r")(?: ?(?=(?P<word>\w)))?"
)
_ET_CETERA = re.compile(r"\betc\.(?= ?(?P<more>[a-z,;)])?)")
_PER = re.compile(
    r"(?<=[\w%]) ?/ ?((?:sec(?:ond)?|min(?:ute)?|hour|hr|day|night|week|month|mo|year|yr|person"
    r"|user|unit|item|page|piece|seat)\b)"
)
_OPERATION = re.compile(r"(?<=[\w)²³])(?: ?(={1,3}|[≈≠≤≥×÷±+]) ?(?=[\w-])| ([<>]) (?=[\w-]))")
_OPERATORS = {
    "=": "equals", "≈": "is about", "≠": "is not equal to", "≤": "is at most",
    "≥": "is at least", "<": "is less than", ">": "is greater than", "×": "times",
    "÷": "divided by", "±": "plus or minus", "+": "plus",
}  # fmt: skip
_PER_UNITS = {"hr": "hour", "mo": "month", "yr": "year", "sec": "second", "min": "minute"}
_RAISED = re.compile(r"(?<=[A-Za-z)])\^(-?\d{1,3}|[A-Za-z])(?!\w)")
_POWERS = {"2": "²", "3": "³"}
_ROMAN = re.compile(
    r"\b(War|Part|Chapter|Act|Phase|Type|Volume) (I{1,3}|I?V|VI{1,3}|I?X|XI{1,3})(?![\w'])"
)
_ROMAN_NUMBERS = dict(
    zip("I II III IV V VI VII VIII IX X XI XII XIII".split(), range(1, 14), strict=True)
)
_SIGNS = (
    (re.compile(r" ?& ?"), " and "),
    (re.compile(r"(?<=\w) ?@ ?(?=\w)|(?<!\w)@(?=\w)"), " at "),
    (re.compile(r"(?<=\w)\+\+"), " plus plus"),
    (re.compile(r"(?<=[A-Za-z])#(?!\w)"), " sharp"),
    (re.compile(r"(?<=\w)\+(?!\w)"), " plus"),
    (re.compile(r"(?<!\w)\+(?=\w)"), "plus "),
    (re.compile(r"§+ ?(?=\w)"), "section "),
    (re.compile(r" ?‰"), " per mille"),
    (re.compile(r"√ ?(?=[\w(])"), "the square root of "),
    (re.compile(r"± ?(?=\w)"), "plus or minus "),
    (re.compile(r"≤ ?(?=\w)"), "at most "),
    (re.compile(r"≥ ?(?=\w)"), "at least "),
    (re.compile(r"≈ ?(?=\w)"), "about "),
    (re.compile(r"(?<=\w)²"), " squared"),
    (re.compile(r"(?<=\w)³"), " cubed"),
    (re.compile(r" ?= ?(?=\w)"), " equals "),
    (re.compile(r"/+"), " "),
    (re.compile(r"%"), " percent"),
    (re.compile(r"(?<=\w) ?\((?:e?s)\)"), "s"),
)
_SIGN = re.compile(r"[&@+#²³=/%§‰(<>≈≠≤≥×÷±√]")


def speak_english(text: str) -> str:
    """``text`` with figures, signs and common abbreviations as English words."""
    text = _PER.sub(lambda per: f" per {_PER_UNITS.get(per[1], per[1])}", text)
    text = _ROMAN.sub(lambda roman: f"{roman[1]} {_ROMAN_NUMBERS[roman[2]]}", text)
    text = _ABBREVIATION.sub(_expand, text)
    text = _RAISED.sub(lambda power: _POWERS.get(power[1], f" to the power of {power[1]}"), text)
    text = _ET_CETERA.sub(lambda short: "et cetera" + ("" if short["more"] else "."), text)
    if re.search(r"[\d#]", text):
        text = _speak_figures(text, Grammar("en"))
    if _SIGN.search(text):
        text = _OPERATION.sub(_say_operation, text)
        for sign, words in _SIGNS:
            text = sign.sub(words, text)
    return text


def _expand(short: re.Match[str]) -> str:
    return _ABBREVIATIONS[short[0].rstrip(" ")] + (" " if short["word"] else "")


def _say_operation(operation: re.Match[str]) -> str:
    return f" {_OPERATORS[(operation[1] or operation[2])[0]]} "


def _speak_figures(text: str, grammar: Grammar) -> str:
    text = speak_money(speak_codes(text))
    return speak_measures(speak_dates(text, grammar), grammar)
