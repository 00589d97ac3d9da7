"""English digit strings that are no quantities: phone numbers, versions, IP addresses, labels.

Runs before every rule that would read them as amounts; knows nothing of dates or units.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .english_numbers import cardinal, digits

_LONG_RUN = re.compile(r"\d{19,}")
_INTERNATIONAL = re.compile(
    r"(?<![\w.])\+\d{1,3}(?:[ .-]?\(\d{1,4}\)|[ .-]\d{1,4})(?:[ .-]?\d{2,5}){1,5}(?![\d%])"
)
_BARE_INTERNATIONAL = re.compile(r"(?<![\w.])\+\d{9,15}(?!\d)")
_NATIONAL = re.compile(
    r"(?=[(\d])(?:(?<![\w.,/-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"
    r"|(?<![\w.,/-])\(?0\d{2,4}\)?[ -]\d{3,4}[ -]?\d{3,4}(?![\w-]))"
)
_LOCAL = re.compile(r"(?<![\w.,/$-])(\d{3})-(\d{4})(?![\w.,-]\w|[-%])")
_UNBROKEN = re.compile(r"(?<![\w.,$])(?:1[3-9]\d{9}|[2-9]\d{9})(?![\d.,]\d|\d)")
_IP_ADDRESS = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(?![\w.]\w)")
_CHAIN = re.compile(
    r"(?<![\w.,/$-])(?![12]\d{3}-[01]\d-[0-3]\d(?!\d))\d{1,18}(?:-\d{1,18}){2,8}(?![\w-])"
    r"|(?<![\w.,/$-])\d{4}(?: \d{4}){2,4}(?![\w-])"
)
_SECRET = re.compile(
    r"\b((?:code|PIN|passcode|password|extension|ext\.|ZIP)(?: is|:)? )(\d{2,10})(?![\w.,]\w|[%:])",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b((?:call|dial|ring|text|phone|calling|dialing|dialling) )([2-9]11|000|11[0289]|988|999)"
    r"(?![\w-]|[.,]\d|%| (?:times|people|more)\b)",
    re.IGNORECASE,
)
_SPACED = re.compile(
    r"(?<![\d.,] )(?<![\w.,])[1-9]\d{0,2}(?:(?: 000){1,4}|(?: \d{3}){2,4})(?! ?\d)"
)
_VERSION = re.compile(r"\b[vV](?:er)?\.?(\d{1,9}(?:\.\d{1,9}){0,5})(?!\w)")
_DOTTED = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9}){2,5}(?!\w)")
_NUMBER_SIGN = re.compile(
    r"(?:\bNos?\. ?|№ ?|(?<!\w)#)(?=\d)|(?<=\w )nos?\. ?(?=\d{1,9}(?! [a-z]))"
)
_HASHTAG = re.compile(r"(?<!\w)#(?=\w)")


def speak_codes(text: str) -> str:
    """``text`` with phone numbers, versions and labels in words."""
    text = _LONG_RUN.sub(lambda run: f" {digits(run[0])} ", text)
    text = _NUMBER_SIGN.sub("number ", text)
    text = _HASHTAG.sub("hashtag ", text)
    text = _INTERNATIONAL.sub(lambda phone: _say_phone(phone[0]), text)
    text = _BARE_INTERNATIONAL.sub(lambda phone: _say_phone(phone[0]), text)
    text = _IP_ADDRESS.sub(_say_address, text)
    text = _SECRET.sub(lambda secret: secret[1] + digits(secret[2]), text)
    text = _CALLED.sub(lambda call: call[1] + digits(call[2]), text)
    text = _NATIONAL.sub(lambda phone: _say_phone(phone[0]), text)
    text = _CHAIN.sub(lambda chain: _say_phone(chain[0]), text)
    text = _SPACED.sub(lambda figure: figure[0].replace(" ", ""), text)
    text = _LOCAL.sub(_say_local, text)
    text = _UNBROKEN.sub(lambda phone: digits(phone[0]), text)
    text = _VERSION.sub(lambda version: "version " + _say_dotted(version[1], cardinal), text)
    return _DOTTED.sub(lambda version: _say_dotted(version[0], cardinal), text)


def _say_phone(phone: str) -> str:
    """Digit by digit, with a pause where the number is grouped."""
    plus = "plus " if phone.startswith("+") else ""
    return plus + ", ".join(digits(group) for group in re.findall(r"\d+", phone))


def _say_address(address: re.Match[str]) -> str:
    port = f" port {cardinal(address[2])}" if address[2] else ""
    return _say_dotted(address[1], digits) + port


def _say_local(phone: re.Match[str]) -> str:
    """A number of two groups is said in one breath; round ones are a range, "500-1000"."""
    if phone[1].endswith("0") and phone[2].endswith("00"):
        return phone[0]
    return digits(phone[0])


def _say_dotted(text: str, say: Callable[[str], str]) -> str:
    return " point ".join(say(part) for part in text.split("."))
