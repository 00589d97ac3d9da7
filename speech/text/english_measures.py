"""English quantities: units, per cent, fractions, ordinals, ranges, signs of arithmetic.

The grammar knows the names of most units; the table here holds those it lacks or takes for
something else ("2 m" is not two minutes). Runs last, when every figure left is a plain number.
"""

from __future__ import annotations

import re

from .english_numbers import cardinal, number, ordinal
from .grammar import Grammar

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,5}(?!\d)|\d{1,18})(?:\.\d{1,18})?"
_UNITS = {
    "m": ("meter", "meters"), "m/s": ("meter per second", "meters per second"),
    "m/s²": ("meter per second squared", "meters per second squared"), "bn": ("billion", "billion"),
    "in": ("inch", "inches"), "l": ("liter", "liters"), "L": ("liter", "liters"),
    "gal": ("gallon", "gallons"), "kB": ("kilobyte", "kilobytes"), "PB": ("petabyte", "petabytes"),
    "Mb": ("megabit", "megabits"), "Gb": ("gigabit", "gigabits"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "MB/s": ("megabyte per second", "megabytes per second"),
    "GB/s": ("gigabyte per second", "gigabytes per second"),
    "kHz": ("kilohertz", "kilohertz"), "W": ("watt", "watts"), "V": ("volt", "volts"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "mAh": ("milliamp hour", "milliamp hours"),
    "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"), "secs": ("second", "seconds"),
    "sq ft": ("square foot", "square feet"), "kPa": ("kilopascal", "kilopascals"),
    "hPa": ("hectopascal", "hectopascals"), "psi": ("psi", "psi"), "J": ("joule", "joules"),
    "kJ": ("kilojoule", "kilojoules"), "cal": ("calorie", "calories"),
    "kcal": ("kilocalorie", "kilocalories"), "dB": ("decibel", "decibels"),
    "px": ("pixel", "pixels"), "fps": ("frame per second", "frames per second"),
    "dpi": ("dot per inch", "dots per inch"), "bpm": ("beat per minute", "beats per minute"),
    "ppm": ("part per million", "parts per million"),
    "km/s": ("kilometer per second", "kilometers per second"),
    "μg": ("microgram", "micrograms"), "K": ("K", "K"), "x": ("times", "times"),
}  # fmt: skip
_GRAMMAR_UNITS = (
    "km/h kph mph km cm mm nm μm ft yd mi kg mg g lbs lb oz ml GB MB KB TB Mbps Hz MHz GHz kW MW"
    " mV mA °C °F ms ns μs min h s ha km² m² cm² km2 m2 km³ m³ cm³ m3 cm3 rpm °"
).split()
_UNIT = "|".join(
    re.escape(unit) for unit in sorted([*_UNITS, *_GRAMMAR_UNITS], key=len, reverse=True)
)
# Behind a space these are more often a word or a name than a unit.
_ONLY_GLUED = {"in", "l", "x", "K", "ha"}

_RANGE = rf"(?P<sign>(?<!\w)-)?(?P<low>{_NUMBER})(?:(?P<dash> ?[-~] ?)(?P<high>{_NUMBER}))?"
# "5km-10km" is a range in kilometers, as "5-10km" is.
_SAID_TWICE = re.compile(rf"(?<=\d) ?(?P<unit>%|{_UNIT})(?= ?[-~] ?{_NUMBER} ?(?P=unit)(?!\w))")
_HOURS_MINUTES = re.compile(r"(?<![\w.,])(\d{1,3}) ?h ?([0-5]?\d) ?m(?:in)?(?!\w)")
_PERCENT = re.compile(rf"(?=[\d-])(?<![\d.,]){_RANGE} ?%")
_MEASURE = re.compile(
    rf"(?=[\d-])(?<![\w.,])(?<![A-Za-z]-){_RANGE}(?P<gap>[ -]?)(?P<unit>{_UNIT})(?!\w|'\w|/\w)"
)
_FEET_INCHES = re.compile(r"(?<![\w.,])(\d{1,3})(?:'| ?ft\.?) ?(\d{1,2})(?:\"|''| ?in\b)(?!\w)")
_MIXED = re.compile(r"(?<![\w.,/])(?:(\d{1,9}) )?(\d{1,2})/(\d{1,3})(?![\w/])")
_ORDINAL = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b", re.IGNORECASE
)
_PLAIN_RANGE = re.compile(rf"(?<![\w.,-])({_NUMBER})(?: ?[-~] ?|:)({_NUMBER})(?![\w-]|[.,:]\d)")
_POWER = re.compile(rf"(?<![\w.,])({_NUMBER})(?:\^|e\+?)(-?\d{{1,3}})(?!\w)")
_MINUS = re.compile(r"(?<=\d) - (?=[\d.,]{1,20} ?=)")
_COMPARED = re.compile(r"(?<=\d)([<>])(?=\d)")
_TIMES = re.compile(r"(?<=\d) ?[x*] ?(?=\d)")
_NEGATIVE = re.compile(r"(?<![\w.)-])[-](?=\.?\d)")
_APPROXIMATE = re.compile(r"(?<!\w)~ ?(?=[\d$€£¥])")
_FIGURE = re.compile(rf"{_NUMBER}|(?<!\d)\.\d{{1,18}}")
_GLUE = re.compile(r"(?<=[^\W\d_])-?(?=\d)|(?<=\d)(?:-(?=[^\W\d_])|(?=[^\W\d_]))")


def speak_measures(text: str, grammar: Grammar) -> str:
    """``text`` with every figure left in words."""
    text = _APPROXIMATE.sub("about ", text)
    text = _POWER.sub(_say_power, text)
    text = _COMPARED.sub(r" \1 ", _MINUS.sub(" minus ", _TIMES.sub(" times ", text)))
    text = _HOURS_MINUTES.sub(r"\1 h \2 min", _SAID_TWICE.sub("", text))
    text = _PERCENT.sub(lambda part: _say_range(part) + " percent", text)
    text = _FEET_INCHES.sub(_say_feet, text)
    text = _MEASURE.sub(lambda measure: _say_measure(measure, grammar), text)
    text = _MIXED.sub(lambda fraction: _say_fraction(fraction, grammar), text)
    text = _ORDINAL.sub(lambda place: ordinal(place[1]), text)
    text = _PLAIN_RANGE.sub(lambda span: f"{number(span[1])} to {number(span[2])}", text)
    text = _NEGATIVE.sub("minus ", text)
    return _FIGURE.sub(lambda figure: number(figure[0]), _GLUE.sub(" ", text))


def _say_range(span: re.Match[str]) -> str:
    upto = f" to {number(span['high'])}" if span["high"] else ""
    return ("minus " if span["sign"] else "") + number(span["low"]) + upto


def _say_measure(measure: re.Match[str], grammar: Grammar) -> str:
    unit, gap = measure["unit"], measure["gap"]
    if gap and unit in _ONLY_GLUED:
        return measure[0]
    one = not measure["high"] and measure["low"] == "1"
    name = _name_unit(unit, one or gap == "-", grammar)
    return measure[0] if name is None else f"{_say_range(measure)} {name}"


def _name_unit(unit: str, singular: bool, grammar: Grammar) -> str | None:
    if unit in _UNITS:
        return _UNITS[unit][0 if singular else 1]
    words = grammar.read(f"{1 if singular else 2} {unit}")
    return words and words.partition(" ")[2]


def _say_feet(height: re.Match[str]) -> str:
    feet = "foot" if height[1] == "1" else "feet"
    return f"{cardinal(height[1])} {feet} {cardinal(height[2])}"


def _say_fraction(fraction: re.Match[str], grammar: Grammar) -> str:
    whole, top, bottom = fraction.groups()
    if not whole and (top, bottom) in (("24", "7"), ("9", "11"), ("50", "50")):
        return f"{cardinal(top)} {cardinal(bottom)}"
    words = grammar.read(f"{top}/{bottom}") if int(bottom) > 1 and top != "0" else None
    words = words or f"{cardinal(top)} over {cardinal(bottom)}"
    if not whole:
        return words
    return f"{cardinal(whole)} and {'a half' if words == 'one half' else words}"


def _say_power(power: re.Match[str]) -> str:
    base = f"{number(power[1])} times ten" if "e" in power[0] else number(power[1])
    return f"{base} to the power of {number(power[2])}"
