"""Amounts of money in English words: dollars and cents, and the currencies of the world.

Knows symbols and ISO codes; knows nothing of other numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .english_numbers import cardinal, number

AMOUNT = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,18})(?:\.\d{1,9})?"
_MAGNITUDES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion",
    "bn": "billion", "t": "trillion", "tn": "trillion",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency's names for one and for many, and those of its hundredth part if it has one."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


def _cents(name: str) -> Currency:
    return Currency(name, name + "s", "cent", "cents")


_DOLLAR, _EURO = _cents("dollar"), Currency("euro", "euros", "cent", "cents")
_POUND, _YEN = Currency("pound", "pounds", "penny", "pence"), Currency("yen", "yen")
_YUAN, _WON = Currency("yuan", "yuan"), Currency("won", "won")
_RUPEE, _REAL = Currency("rupee", "rupees", "paisa", "paise"), Currency("real", "reais")
_SYMBOLS = {
    "US$": _cents("US dollar"), "A$": _cents("Australian dollar"), "C$": _cents("Canadian dollar"),
    "HK$": _cents("Hong Kong dollar"), "NZ$": _cents("New Zealand dollar"),
    "S$": _cents("Singapore dollar"), "NT$": _cents("Taiwan dollar"), "R$": _REAL,
    "$": _DOLLAR, "€": _EURO, "£": _POUND, "¥": _YEN, "₹": _RUPEE, "₩": _WON,
    "₽": Currency("ruble", "rubles"), "₺": Currency("lira", "lira"), "₫": Currency("dong", "dong"),
    "₴": Currency("hryvnia", "hryvnias"), "฿": Currency("baht", "baht"),
    "₪": Currency("shekel", "shekels"), "₦": Currency("naira", "naira"),
    "₱": Currency("peso", "pesos"), "₿": Currency("bitcoin", "bitcoin"),
}  # fmt: skip
_CODES = {
    "USD": _SYMBOLS["US$"], "EUR": _EURO, "GBP": _POUND, "JPY": _YEN, "CNY": _YUAN, "RMB": _YUAN,
    "CHF": Currency("Swiss franc", "Swiss francs"), "AUD": _SYMBOLS["A$"], "CAD": _SYMBOLS["C$"],
    "HKD": _SYMBOLS["HK$"], "NZD": _SYMBOLS["NZ$"], "SGD": _SYMBOLS["S$"], "INR": _RUPEE,
    "KRW": _WON, "BRL": _REAL,
}  # fmt: skip
_SYMBOL = "|".join(re.escape(symbol) for symbol in _SYMBOLS)
_CODE = "|".join(_CODES)
_MAGNITUDE = (
    r"(?:(?: (?=\w{5}))?(?P<magnitude>(?:thousand|million|billion|trillion|[bmt]n|[kKmMbBtT])\b))?"
)
_RANGE = (
    rf"(?P<low>{AMOUNT}|\.\d{{1,9}})"
    rf"(?:(?:-(?:{_SYMBOL})?| - (?:{_SYMBOL}))(?P<high>{AMOUNT}))?{_MAGNITUDE}"
)

_ANY = re.compile(rf"¢|{_SYMBOL}|{_CODE}")
_BEFORE = re.compile(
    rf"(?P<sign>(?<!\w)-)?(?P<name>{_SYMBOL}|\b(?:{_CODE}))(?: (?=\d))?(?P<sign2>-)?{_RANGE}"
)
_AFTER = re.compile(
    rf"(?<![\d.,])(?P<sign>(?<!\w)-)?{_RANGE} ?(?P<name>[$€£¥₹₩₽](?!\d)|(?:{_CODE})\b)"
)
_SAID_TWICE = re.compile(
    rf"(?<=\d)(?P<scale>[bmt]n|[kKmMbBtT])(?= ?- ?(?:{_SYMBOL}){AMOUNT}(?P=scale)\b)"
)
_CENTS = re.compile(r"(?<![\d.,])(\d{1,6}) ?¢")


def speak_money(text: str) -> str:
    """``text`` with every amount of money in words."""
    if not _ANY.search(text):
        return text
    text = _SAID_TWICE.sub("", text)
    text = _BEFORE.sub(lambda m: _say(m, m["sign"] or m["sign2"]), text)
    text = _AFTER.sub(lambda m: _say(m, m["sign"]), text)
    return _CENTS.sub(lambda m: _count(m[1], "cent", "cents"), text)


def _say(amount: re.Match[str], sign: str | None) -> str:
    currency = _SYMBOLS.get(amount["name"]) or _CODES[amount["name"]]
    spoken = _say_amount(amount["low"], amount["high"], amount["magnitude"], currency)
    return ("minus " if sign else "") + spoken


def _say_amount(low: str, high: str | None, magnitude: str | None, currency: Currency) -> str:
    if magnitude or high:
        scale = f" {_MAGNITUDES.get(magnitude.lower(), magnitude)}" if magnitude else ""
        upto = f" to {number(high)}" if high else ""
        return f"{number(low)}{upto}{scale} {currency.many}"
    whole, _, part = low.replace(",", "").partition(".")
    whole = whole or "0"
    if len(part) != 2 or not currency.cent:
        decimals = f".{part}" if part.strip("0") else ""
        return _count(whole + decimals, currency.one, currency.many)
    major = _count(whole, currency.one, currency.many)
    minor = _count(str(int(part)), currency.cent, currency.cents)
    if part == "00":
        return major
    return minor if int(whole) == 0 else f"{major} and {minor}"


def _count(count: str, one: str, many: str) -> str:
    if "." in count:
        return f"{number(count)} {many}"
    return f"{cardinal(count)} {one if count == '1' else many}"
