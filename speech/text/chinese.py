"""Chinese text in Chinese characters: our rules first, then the grammar for what it knows.

Amounts, phone numbers, versions and decades are ours; dates, times, units, per cent and counting
words ("2个" is 两个) are the grammar's, asked for a figure with the few characters around it that
decide how it is read. Expects folded text without markup; serves Mandarin and Cantonese alike.
"""

from __future__ import annotations

import re

from .chinese_measures import speak_measures
from .chinese_numbers import cardinal, digits, number, yuan
from .grammar import LONGEST_SPAN, Grammar

_AMOUNT = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,16})(?:\.\d{1,9})?"
_MAGNITUDE = r"(?: ?(?P<magnitude>[十百千万萬亿億]{1,3}|[kKmM](?!\w)))?"
_CURRENCIES = {
    "¥": "元", "RMB": "元", "CNY": "元", "$": "美元", "US$": "美元", "USD": "美元", "HK$": "港元",
    "NT$": "新台币", "€": "欧元", "EUR": "欧元", "£": "英镑", "GBP": "英镑", "JPY": "日元",
    "₩": "韩元", "₹": "卢比", "₽": "卢布",
}  # fmt: skip
_MAGNITUDES = {"k": "千", "K": "千", "m": "百万", "M": "百万"}
_NAMES = "|".join(re.escape(name) for name in sorted(_CURRENCIES, key=len, reverse=True))
_MONEY = re.compile(
    rf"(?<![A-Za-z])(?P<name>{_NAMES}) ?(?P<sign>-)?(?P<low>{_AMOUNT})"
    rf"(?:[-~](?:{_NAMES})?(?P<high>{_AMOUNT}))?{_MAGNITUDE} ?(?:元|美元|欧元|英镑|人民币)?"
)
_YUAN_WITH_CENTS = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:,\d{3}){1,5}|\d{1,16})(\.\d{2}) ?[元块](?!\w?[钱錢])"
)
_LONG_RUN = re.compile(r"\d{17,}")
_MOBILE = re.compile(
    r"(?<![\d.])(?:(\+?)(86)[ -]?)?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})(?![\d.]\d|\d)"
)
_LANDLINE = re.compile(
    r"(?<![\d.,-])(?:0\d{2,3}-\d{7,8}|\(0\d{2,3}\) ?\d{7,8}|[48]00-\d{3,4}-\d{3,4}|\d{3}-\d{4})"
    r"(?![\d-])"
)
_IP_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)", re.ASCII)
_VERSION = re.compile(r"(?<![A-Za-z])(?:[vV]\.?)(\d{1,9}(?:\.\d{1,9}){0,5})(?![\dA-Za-z])")
_DOTTED = re.compile(
    r"(?<![\w.])(?![12]\d{3}\.\d\d?\.\d\d?(?!\d))\d{1,9}(?:\.\d{1,9}){2,5}(?!\w)", re.ASCII
)
_DECADE = re.compile(r"(?<!\d)((?:1\d|20)\d0)(?:'?s(?![A-Za-z])|年代)")
_SHORT_DECADE = re.compile(r"(?<!\d)(?:([1-9]0)(?:'s(?![A-Za-z])|年代)|([789]0)s(?![A-Za-z]))")
_ORDINAL = re.compile(r"(?<=第)(\d{1,16})(?![\d.,])")
_DAY = re.compile(r"(?<![\d.,:/~-])(\d{1,2})(?=[月日号號])")
_FRACTION = re.compile(r"(?<![\d./-])(\d{1,4})/(\d{1,4})(?![\d/]|\.\d)")
_DIALLED = re.compile(
    r"((?:密码|密碼|验证码|驗證碼|编号|編號|账号|帳號|卡号|号码|號碼|房间号|工号|学号|尾号|群)"
    r"[是为為:： ]{0,2})"
    r"(\d{3,16})(?![\d.,%])"
)
_PLACE = re.compile(r"(?:\b(?:No|NO|no)\. ?|№ ?|(?<!\w)#)(\d{1,9})(?!\d)")
_GROUPED = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3}){1,5}(?![\d,])")
_LABEL = re.compile(r"(?<=[A-Za-z])-?(\d{4,16})(?!\d)")
_HYPHENED = re.compile(r"(?<=[A-Za-z])-(?=\d)")
# The grammar knows the simplified counting words alone.
_PAIR = re.compile(r"(?<![\d.,:/第])2(?=[個隻條張塊種層間輛雙顆歲])")
# Most figures of prose need no grammar: a year, and counts whose reading nothing around changes.
_YEAR = re.compile(r"(?<![\d.,:/~-])([12]\d{3})(?=年(?!代))")
_COUNT = re.compile(r"(?<![\d.,:/~%°A-Za-z×÷+=-])([013-9]|[1-9]\d)(?=[\u4e00-\u9fff])(?![后後年])")
_POWER = re.compile(r"(?<=\w)²"), re.compile(r"(?<=\w)³")
_SPAN = re.compile(
    r"[\u4e00-\u9fff]{0,2}[-+~]?\d[\d.,:/~%°℃A-Za-zμ²³×÷+=-]{0,24}[\u4e00-\u9fff]{0,2}"
)
_FIGURE = re.compile(r"(?<!\d)-?\d{1,16}(?:\.\d{1,16})?")
_SIGNS = (
    (re.compile(r"(?<=[\w%]) ?= ?(?=[\w-])"), "等于"),
    (re.compile(r" ?& ?"), "和"),
    (re.compile(r" ?≈ ?"), "约等于"),
    (re.compile(r" ?≤ ?"), "小于等于"),
    (re.compile(r" ?≥ ?"), "大于等于"),
    (re.compile(r" ?× ?"), "乘"),
    (re.compile(r" ?÷ ?"), "除以"),
    (re.compile(r" ?± ?"), "正负"),
    (re.compile(r" ?√ ?"), "根号"),
    (re.compile(r"(?<=\d) ?\+ ?(?=\d)"), "加"),
    (re.compile(r"(?<=\d) ?< ?(?=\d)"), "小于"),
    (re.compile(r"(?<=\d) ?> ?(?=\d)"), "大于"),
)
_LEFT_OVER = (("%", "百分号"), ("°", "度"), ("+", "加"), ("@", "艾特"))


def speak_chinese(text: str) -> str:
    """``text`` with figures and signs as Chinese characters."""
    for sign, words in _SIGNS:
        text = sign.sub(words, text)
    if re.search(r"\d", text):
        text = _speak_figures(_speak_codes(text), Grammar("zh"))
    for left, words in _LEFT_OVER:
        text = text.replace(left, words)
    return _POWER[1].sub("立方", _POWER[0].sub("平方", text))


def _speak_codes(text: str) -> str:
    text = _LONG_RUN.sub(lambda run: digits(run[0]), text)
    text = _MONEY.sub(_say_money, text)
    text = _YUAN_WITH_CENTS.sub(lambda price: yuan(price[1] + price[2]), text)
    text = _MOBILE.sub(_say_mobile, text)
    text = _LANDLINE.sub(lambda phone: digits(phone[0], one="幺"), text)
    text = _IP_ADDRESS.sub(lambda address: _say_address(address[0]), text)
    text = _VERSION.sub(lambda version: "版本" + _say_dotted(version[1]), text)
    text = _DOTTED.sub(lambda version: _say_dotted(version[0]), text)
    text = _DIALLED.sub(lambda code: code[1] + digits(code[2], one="幺"), text)
    text = _ORDINAL.sub(lambda place: cardinal(place[1]), text)
    text = _FRACTION.sub(lambda part: f"{cardinal(part[2])}分之{cardinal(part[1])}", text)
    text = _DECADE.sub(lambda decade: digits(decade[1]) + "年代", text)
    text = _SHORT_DECADE.sub(lambda decade: cardinal(decade[1] or decade[2]) + "年代", text)
    text = _PLACE.sub(lambda place: "第" + cardinal(place[1]), text)
    text = _GROUPED.sub(lambda figure: figure[0].replace(",", ""), text)
    return _LABEL.sub(lambda label: digits(label[1]), text)


def _speak_figures(text: str, grammar: Grammar) -> str:
    text = speak_measures(_HYPHENED.sub("", text))
    text = _YEAR.sub(lambda year: digits(year[1]), text)
    text = _DAY.sub(lambda day: cardinal(day[1].lstrip("0") or "0"), text)
    text = _PAIR.sub("兩", text)
    text = _COUNT.sub(lambda count: cardinal(count[1]), text)
    text = _SPAN.sub(lambda span: _read_span(span[0], grammar), text)
    return _FIGURE.sub(lambda figure: number(figure[0]), text)


def _read_span(span: str, grammar: Grammar) -> str:
    """The grammar's words; sentence punctuation that the span caught stays as it is."""
    figures = span.rstrip(".,:~-+=/")
    words = grammar.read(figures[:LONGEST_SPAN])
    return span if words is None else words + span[len(figures) :]


def _say_money(money: re.Match[str]) -> str:
    name, low, high, magnitude = money["name"], money["low"], money["high"], money["magnitude"]
    sign = "负" if money["sign"] else ""
    if _CURRENCIES[name] == "元" and not (high or magnitude):
        return sign + yuan(low)
    upto = f"到{_plain(high)}" if high else ""
    scale = _MAGNITUDES.get(magnitude, magnitude) if magnitude else ""
    return f"{sign}{_plain(low)}{upto}{scale}{_CURRENCIES[name]}"


def _plain(amount: str) -> str:
    """Foreign cents are decimals in Chinese, without the zeros behind them."""
    return number(amount.rstrip("0").rstrip(".") if "." in amount else amount)


def _say_mobile(phone: re.Match[str]) -> str:
    prefix = ("加" if phone[1] else "") + digits(phone[2] or "", one="幺")
    return prefix + digits(phone[3] + phone[4] + phone[5], one="幺")


def _say_address(address: str) -> str:
    return "点".join(digits(part) for part in address.split("."))


def _say_dotted(version: str) -> str:
    return "点".join(cardinal(part) for part in version.split("."))
