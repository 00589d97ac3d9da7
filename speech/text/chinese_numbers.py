"""Numbers in Chinese characters, and amounts of money in 元, 角 and 分.

Takes digits as they are written and knows nothing of the text around them.
"""

from __future__ import annotations

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_SCALES = ("", "万", "亿", "万亿")
LONGEST_NUMBER = 16


def digits(text: str, one: str = "一") -> str:
    """Every digit on its own; numbers that are dialled say 幺 for one."""
    return "".join(one if char == "1" else _DIGITS[int(char)] for char in text if char.isdecimal())


def cardinal(number: str) -> str:
    """A whole number; one with a leading zero or beyond 16 digits is read digit by digit."""
    number = number.replace(",", "")
    if len(number) > LONGEST_NUMBER or (len(number) > 1 and number[0] == "0"):
        return digits(number)
    value, scale, words = int(number), 0, ""
    while value:
        value, group = divmod(value, 10_000)
        if group:
            gap = "零" if value and group < 1000 else ""
            words = gap + _below_ten_thousand(group) + _SCALES[scale] + words
        elif words and not words.startswith("零"):
            words = "零" + words
        scale += 1
    words = words or _DIGITS[0]
    return words[1:] if words.startswith("一十") else words


def _below_ten_thousand(value: int) -> str:
    words, gap = "", False
    for place, digit in enumerate(reversed(str(value))):
        if digit != "0":
            words = _DIGITS[int(digit)] + _PLACES[place] + ("零" if gap and words else "") + words
            gap = False
        elif words:
            gap = True
    return words


def number(text: str) -> str:
    """A number with an optional sign and decimals: "-3.14" is 负三点一四."""
    sign = "负" if text.startswith("-") else ""
    whole, _, decimals = text.lstrip("+-").partition(".")
    return sign + cardinal(whole or "0") + (f"点{digits(decimals)}" if decimals else "")


def yuan(amount: str) -> str:
    """ "1,234.50" is 一千二百三十四元五角; more than two decimals stay decimals of a yuan."""
    whole, _, part = amount.replace(",", "").partition(".")
    part = part.rstrip("0")
    if len(part) > 2:
        return f"{number(f'{whole}.{part}')}元"
    part = part.ljust(2, "0")
    jiao, fen = part[0], part[1]
    major = f"{'两' if whole == '2' else cardinal(whole)}元" if int(whole) or not part else ""
    minor = f"{_DIGITS[int(jiao)]}角" if jiao != "0" else ("零" if major and fen != "0" else "")
    return major + minor + (f"{_DIGITS[int(fen)]}分" if fen != "0" else "")
