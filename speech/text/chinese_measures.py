"""Chinese quantities that the grammar reads wrongly or not at all: shares in a range, powers, times
of day, two of something, and units it does not know.

Leaves plain figures behind them for the grammar; knows nothing of money or phone numbers.
"""

from __future__ import annotations

import re

from .chinese_numbers import digits, number

_NUMBER = r"\d{1,16}(?:\.\d{1,9})?"
_UNITS = {
    "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "V": "伏", "kV": "千伏", "W": "瓦",
    "kWh": "千瓦时", "mAh": "毫安时", "mA": "毫安", "dB": "分贝", "kPa": "千帕", "hPa": "百帕",
    "cal": "卡", "kcal": "千卡", "kJ": "千焦", "px": "像素", "s": "秒", "m/s²": "米每二次方秒",
}  # fmt: skip
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_MEASURE = re.compile(rf"(?<=\d) ?({_UNIT})(?![A-Za-z\d/²³])")
_SHARES = re.compile(rf"(?<![\d./:~-])({_NUMBER})%? ?[-~] ?({_NUMBER})%")
_NEGATIVE_SHARE = re.compile(rf"(?<![\w.,/:~%-])-({_NUMBER})%")
_PER_MILLE = re.compile(rf"(?<![\d./:-])({_NUMBER}) ?‰")
_POWER = re.compile(r"(?<=[\dA-Za-z)])\^(-?\d{1,4})(?![\w.])", re.ASCII)
_POWERS = {"2": "平方", "3": "立方"}
_TWO = re.compile(
    r"(?<![\d.,:/第-])2(?=倍|公斤|次(?![方元])|(?P<hour>[点點])(?:(?:[半整鐘钟多]|[0-5]\d)|[^\d]|$))"
)
_EARLY_MINUTE = re.compile(r"(?<=[点點时時])0(\d)(?=分)")


def speak_measures(text: str) -> str:
    """``text`` with these quantities in words, or with a unit that is one in Chinese."""
    text = _SHARES.sub(lambda m: f"百分之{number(m[1])}到百分之{number(m[2])}", text)
    text = _NEGATIVE_SHARE.sub(lambda share: f"负百分之{number(share[1])}", text)
    text = _PER_MILLE.sub(lambda share: f"千分之{number(share[1])}", text)
    text = _POWER.sub(lambda p: f"的{_POWERS.get(p[1]) or number(p[1]) + '次方'}", text)
    text = _EARLY_MINUTE.sub(lambda minute: "零" + digits(minute[1]), text)
    text = _TWO.sub(lambda two: "兩" if two["hour"] == "點" else "两", text)
    return _MEASURE.sub(lambda measure: _UNITS[measure[1]], text)
