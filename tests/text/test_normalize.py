"""What is written becomes what is said: the examples that every change must keep."""

from __future__ import annotations

import pytest

from speech.text import normalize

PROMISED = [
    ("en", "$1,234.50", "one thousand two hundred thirty-four dollars and fifty cents."),
    ("en", "call 555-1234", "call five five five one two three four."),
    ("en", "the 1990s", "the nineteen nineties."),
    ("en", "v2.0.1", "version two point zero point one."),
    ("en", "No. 7", "number seven."),
    ("en", "See https://www.example.com/a/b?c=1#d for more.", "See example dot com for more."),
    ("zh", "¥1,234.50", "一千二百三十四元五角。"),
    ("zh", "13812345678", "幺三八幺二三四五六七八。"),
]


@pytest.mark.parametrize(("language", "written", "said"), PROMISED)
def test_it_reads_what_is_promised(language, written, said):
    assert normalize(written, language) == said
