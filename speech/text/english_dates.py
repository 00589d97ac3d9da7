"""English dates, decades, years and times of day.

Written-out months, decades and years are ours; figures ("2024-01-05", "10:30 am") go to the
grammar. Knows nothing of amounts.
"""

from __future__ import annotations

import re

from .english_numbers import cardinal, decade, ordinal, year
from .grammar import Grammar

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_MONTH_NAMES = {name[:3].lower(): name for name in _MONTHS}
_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?"
    r"|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>1\d{3}|20\d{2})"
_TIMESTAMP = re.compile(
    r"(?<![\w-])([12]\d{3}-[01]\d-[0-3]\d)[T ]([0-2]\d:[0-5]\d)"
    r"(?::[0-5]\d(?:\.\d{1,9})?)?(Z?)(?!\w)"
)
_UPTO = re.compile(
    r"(?:(?<=\d[ap]m)|(?<=\dst)|(?<=\dnd)|(?<=\drd)|(?<=\dth)|(?<=\d0s)|(?<=:\d\d)) ?- ?(?=\d)"
)
_TENS = {"1000": "thousands", "100": "hundreds", "10": "tens"}
_MANY = re.compile(r"\b(1000|100|10)s(?= of\b)")
_SHORT_YEAR = re.compile(r"(?<!\w)'(\d\d)(?![\w'])")
_AD = re.compile(r"(?<![\d.,-])(\d{1,4})(?= (?:AD|BCE?|CE)\b)")
_MONTH_DAY = re.compile(
    rf"\b{_MONTH} {_DAY}(?P<upto>-(?:3[01]|[12]?\d))?(?![\d:.,]\d|\d|%)(?:(?P<comma>,)? {_YEAR}\b)?"
)
_DAY_MONTH = re.compile(
    rf"(?<![\w.,:/-])(?P<the>[Tt]he )?{_DAY}(?: of)? {_MONTH}\b(?:,? {_YEAR}\b)?"
)
_MONTH_YEAR = re.compile(rf"\b{_MONTH},? {_YEAR}\b(?![,.]\d)")
_NUMERIC = re.compile(
    r"(?<![\w./-])(?:[12]\d{3}-[01]\d-[0-3]\d|[12]\d{3}/[01]?\d/[0-3]?\d"
    r"|[0-3]?\d/[0-3]?\d/[12]\d{3})(?![\w/-])"
)
_SHORT_DATE = re.compile(r"(?<![\w./-])([0-3]?\d)/([0-3]?\d)/(\d\d)(?![\w/-])")
_FULL_DECADE = re.compile(r"\b((?:1\d|20)\d0)'?s\b")
_SHORT_DECADE = re.compile(r"(?:(?<!\w)'|(?<=[ -]))([2-9]0)'?s\b")
_DECADE_CUES = tuple("the his her their my your our its mid early late".split())
_YEARS = re.compile(
    rf"(?<![\w.,:/$-]){_YEAR}(?:(?P<dash>[-/])(?P<end>\d{{4}}|\d\d))?(?![\w:/%°]|[.,-]\d)"
)
_ZONE = r"(?: (?:UTC|GMT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|CET|CEST|BST|JST))?"
_CLOCK = re.compile(
    r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?P<second>:[0-5]\d)?"
    rf"(?P<half> ?[ap]\.?m\b\.?)?(?P<zone>{_ZONE})(?![\w:])",
    re.IGNORECASE,
)
_DOTTED_CLOCK = re.compile(r"(?<![\w:.,])(1[0-2]|0?[1-9])\.(?=[0-5]\d ?[ap]\.?m\b)", re.I)
_HOUR = re.compile(
    r"(?<![\w:.,-])(1[0-2]|0?[1-9])(?:-(1[0-2]|[1-9]))? ?([ap])\.?m(?!\w)(\.(?! (?-i:[A-Z])|$))?",
    re.I,
)


def speak_dates(text: str, grammar: Grammar) -> str:
    """``text`` with dates, years and times in words."""
    text = _TIMESTAMP.sub(lambda t: f"{t[1]} {t[2]}{' UTC' if t[3] else ''}", text)
    text = _MANY.sub(lambda many: _TENS[many[1]], _UPTO.sub(" to ", text))
    text = _SHORT_YEAR.sub(lambda short: year(f"19{short[1]}").removeprefix("nineteen "), text)
    text = _DOTTED_CLOCK.sub(r"\1:", text)
    text = _CLOCK.sub(lambda clock: _say_clock(clock, grammar), text)
    text = _HOUR.sub(_say_hour, text)
    text = _NUMERIC.sub(lambda date: grammar.read(date[0]) or re.sub(r"[/-]", " ", date[0]), text)
    text = _SHORT_DATE.sub(lambda date: _say_short_date(date, grammar), text)
    text = _FULL_DECADE.sub(lambda years: decade(years[1]), text)
    text = _SHORT_DECADE.sub(_say_short_decade, text)
    text = _DAY_MONTH.sub(_say_day_month, text)
    text = _MONTH_DAY.sub(_say_month_day, text)
    text = _MONTH_YEAR.sub(lambda date: f"{_name(date)} {year(date['year'])}", text)
    text = _AD.sub(lambda date: year(date[1]) if len(date[1]) == 4 else cardinal(date[1]), text)
    return _YEARS.sub(_say_years, text)


def _name(date: re.Match[str]) -> str:
    return _MONTH_NAMES[date["month"][:3].lower()]


def _say_short_decade(years: re.Match[str]) -> str:
    """ "the 90s" and "'90s" are years; "within 90s" is a time."""
    before = years.string[max(0, years.start() - 8) : years.start()]
    cued = years[0].startswith("'") or before[:-1].lower().endswith(_DECADE_CUES)
    return decade(years[1]) if cued else years[0]


def _say_month_day(date: re.Match[str]) -> str:
    upto = f" to {ordinal(date['upto'][1:])}" if date["upto"] else ""
    tail = f", {year(date['year'])}" if date["year"] else ""
    return f"{_name(date)} {ordinal(date['day'])}{upto}{tail}"


def _say_day_month(date: re.Match[str]) -> str:
    tail = f", {year(date['year'])}" if date["year"] else ""
    return f"{date['the'] or 'the '}{ordinal(date['day'])} of {_name(date)}{tail}"


def _say_short_date(date: re.Match[str], grammar: Grammar) -> str:
    """A year of two digits is one of this century, or of the last from 70 on."""
    century = "19" if int(date[3]) >= 70 else "20"
    return grammar.read(f"{date[1]}/{date[2]}/{century}{date[3]}") or date[0].replace("/", " ")


def _say_years(years: re.Match[str]) -> str:
    if not years["end"]:
        return year(years["year"])
    end, upto = years["end"], " to " if years["dash"] == "-" else " "
    return year(years["year"]) + upto + (year(end) if len(end) == 4 else cardinal(end))


def _say_clock(clock: re.Match[str], grammar: Grammar) -> str:
    """Asked without the half of the day, which is ours: "AM" is said alike everywhere."""
    figures = f"{clock['hour']}:{clock['minute']}{clock['second'] or ''}"
    half = _say_half(clock["half"])
    if half and clock["minute"] == "00" and not clock["second"]:
        words = cardinal(str(int(clock["hour"])))
    elif clock["hour"] in ("0", "00") and clock["minute"] == "00":
        words = "midnight"
    else:
        words = grammar.read(figures) or figures.replace(":", " ")
    return words + half + clock["zone"]


def _say_half(half: str | None) -> str:
    return f" {half.strip()[0].upper()}M" if half else ""


def _say_hour(hour: re.Match[str]) -> str:
    upto = f" to {cardinal(hour[2])}" if hour[2] else ""
    return f"{cardinal(str(int(hour[1])))}{upto} {hour[3].upper()}M"
