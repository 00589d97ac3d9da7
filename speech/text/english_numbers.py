"""Numbers in English words, the American way: "one thousand two hundred thirty-four".

Takes digits as they are written and knows nothing of the text around them.
"""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ("", " thousand", " million", " billion", " trillion", " quadrillion")
_IRREGULAR_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
LONGEST_NUMBER = 18


def digits(text: str) -> str:
    """Every digit of ``text`` on its own: "555" is "five five five"; other signs are left out."""
    return " ".join(_SMALL[int(char)] for char in text if char.isdecimal())


def cardinal(number: str) -> str:
    """A whole number; one with a leading zero or beyond 18 digits is read digit by digit."""
    number = number.replace(",", "")
    if len(number) > LONGEST_NUMBER or (len(number) > 1 and number[0] == "0"):
        return digits(number)
    value, scale, groups = int(number), 0, []
    while value:
        value, group = divmod(value, 1000)
        if group:
            groups.append(_below_thousand(group) + _SCALES[scale])
        scale += 1
    return " ".join(reversed(groups)) or _SMALL[0]


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    words = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        words.append(_TENS[tens] + (f"-{_SMALL[ones]}" if ones else ""))
    elif rest:
        words.append(_SMALL[rest])
    return " ".join(words)


def number(text: str) -> str:
    """A number with an optional sign and decimals: "-3.14" is "minus three point one four"."""
    sign = "minus " if text.startswith("-") else ""
    whole, point, decimals = text.lstrip("+-").partition(".")
    if point and len(whole.replace(",", "")) <= LONGEST_NUMBER:
        whole = str(int(whole.replace(",", "") or "0"))
    return sign + cardinal(whole or "0") + (f" point {digits(decimals)}" if decimals else "")


def ordinal(number: str) -> str:
    """ "21" is "twenty-first"."""
    words = cardinal(str(int(number.replace(",", ""))))
    head = words[: len(words) - len(words.replace("-", " ").split(" ")[-1])]
    last = words[len(head) :]
    if last in _IRREGULAR_ORDINALS:
        return head + _IRREGULAR_ORDINALS[last]
    return head + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(text: str) -> str:
    """Four digits as a year: "1905" is "nineteen oh five", "2024" "twenty twenty-four"."""
    century, rest = text[:2], text[2:]
    if text[1:3] == "00" or int(text) < 1000:
        return cardinal(str(int(text)))
    if rest == "00":
        return f"{cardinal(century)} hundred"
    tail = f"oh {_SMALL[int(rest)]}" if rest[0] == "0" else cardinal(rest)
    return f"{cardinal(century)} {tail}"


def decade(text: str) -> str:
    """ "1990" is "nineteen nineties", "80" "eighties", "2000" "two thousands"."""
    words = year(text) if len(text) == 4 else cardinal(text)
    return words[:-1] + "ies" if words.endswith("y") else words + "s"
