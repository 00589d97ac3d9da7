"""Web and mail addresses as they are said: a URL by its host name, a mail address in words.

Knows only how a language says "dot" and "at"; without words for them the host name stays written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOST = r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}"
_URL = re.compile(
    rf"(?<![\w@])(?:(?:https?|ftp|wss?)://|www\.(?=\w))(?:[^\s/@<>\"]{{1,100}}@)?"
    rf"(?P<host>{_HOST}|\[[0-9a-fA-F:.]{{2,45}}\]|[\w.-]{{1,253}})(?P<port>:\d{{1,5}})?"
    r"(?P<path>[/?#][^\s<>\"「」『』，。！？；：、（）|]{0,4000})?",
    re.IGNORECASE | re.ASCII,
)
_DOMAIN = re.compile(
    r"(?<![\w@./-])(?P<host>(?:[a-z0-9-]{1,63}\.){1,4}(?:com|org|net|io|ai|edu|gov|dev|app|info))"
    r"(?P<path>/[^\s<>\"，。！？；：、（）]{0,2000})?(?![\w@-])",
    re.IGNORECASE | re.ASCII,
)
_MAIL = re.compile(
    rf"(?<![\w.+@-])(?:mailto:)?(?P<name>[\w.+-]{{1,64}})@(?P<host>{_HOST})(?![\w@-])", re.ASCII
)
_TRAILING = ".,;:!?'\")]*_"


@dataclass(frozen=True, slots=True)
class AddressWords:
    """How a language says the signs of an address, spaces included where it writes them."""

    dot: str
    at: str
    dash: str
    underscore: str
    plus: str
    digits: str = "0123456789"

    def say(self, text: str) -> str:
        """``text`` with its signs as words."""
        signs = {".": self.dot, "@": self.at, "-": self.dash, "_": self.underscore, "+": self.plus}
        signs.update(zip("0123456789", self.digits, strict=True))
        return "".join(signs.get(char, char) for char in text)


ENGLISH = AddressWords(" dot ", " at ", " dash ", " underscore ", " plus ")
CHINESE = AddressWords("点", "艾特", "杠", "下划线", "加", "零一二三四五六七八九")
WRITTEN = AddressWords(".", "@", "-", "_", "+")


def speak_addresses(text: str, words: AddressWords = WRITTEN) -> str:
    """``text`` with every URL as its host name and every mail address in ``words``."""
    if "." not in text and "://" not in text:
        return text
    text = _MAIL.sub(lambda mail: words.say(f"{mail['name']}@{mail['host']}"), text)
    text = _URL.sub(lambda url: _say_url(url, words), text)
    return _DOMAIN.sub(lambda url: _say_url(url, words), text)


def _say_url(url: re.Match[str], words: AddressWords) -> str:
    """The host without "www."; sentence punctuation behind the address stays behind it."""
    tail = url[0][len(url[0].rstrip(_TRAILING)) :] if url["path"] else ""
    host = url["host"].strip("[]")
    stop = host[len(host.rstrip(".")) :]
    host = re.sub(r"^www\.", "", host.rstrip("."), flags=re.IGNORECASE)
    return words.say(host) + stop + tail
