"""Pieces that one utterance can carry: where a text is cut, and where never."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.text import normalize, split

PROSE = st.lists(
    st.sampled_from(
        "word sentence. Really? Yes! 3.14 1,234 Dr. e.g. U.S. \"quoted words. Here.\" — , ; 你好。"
        " 世界， 「引用。」 ภาษาไทย こんにちは。 twenty-five one hundred $5 (x) a.b"
        " ... 😀 \n".split(" ")
    ),
    max_size=120,
)  # fmt: skip


def bare(text):
    return "".join(text.split())


@given(PROSE.map(" ".join) | PROSE.map("".join) | st.text(max_size=600))
@settings(max_examples=300, deadline=None)
def test_it_loses_nothing_and_keeps_pieces_short(text):
    pieces = split(text)
    assert bare("".join(pieces)) == bare(text)
    assert all(0 < len(piece) <= 200 and piece == piece.strip() for piece in pieces)


@given(st.lists(st.sampled_from("the cat, 3.5 $20 saw; Dr. Who e.g. today".split()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_it_never_cuts_one_sentence_of_up_to_200_characters(words):
    sentence = " ".join(words)[:199].rstrip(" .,") + "."
    assert split(sentence) == [sentence]


@pytest.mark.parametrize("text", ["字" * 199 + "。", "ก" * 200, "a" * 200, "word, " * 33 + "."])
def test_a_sentence_at_the_limit_is_one_utterance(text):
    assert split(text) == [text]


def test_the_first_piece_is_the_first_sentence():
    pieces = split("This one comes first. Then another. And a third. And one more.")
    assert pieces == ["This one comes first.", "Then another. And a third. And one more."]


def test_a_long_first_sentence_starts_with_a_short_clause():
    pieces = split("A clause that comes first, " + "then many more words " * 20)
    assert pieces[0] == "A clause that comes first,"


@pytest.mark.parametrize(
    "text",
    [
        "We met Dr. Smith and Mr. Jones of Acme Inc. in the U.S. office, e.g. on Monday.",
        "It is version 3.14 of 1.000.000 pieces at example.com/a.b and no. 7 is next.",
        "Wait... what did J. R. Tolkien say? well, nothing.",
    ],
)
def test_a_dot_that_ends_no_sentence_ends_no_piece(text):
    padded = f"First comes this. {text} " + "And so on it goes for a while. " * 6
    assert any(text in piece for piece in split(padded))


def test_a_german_ordinal_ends_no_sentence():
    text = "Das war am 1. Januar 2024."
    assert split("Es ist schon lange her. " + text, "de")[1:] == [text]


@pytest.mark.parametrize(
    "quotation", ['"Go. Now. Please."', "「行け。今。」", "“你好。我好。”", "« Va. Vite. »"]
)
def test_a_quotation_is_never_cut(quotation):
    text = f"He came and he said {quotation} " + "and then he left the room again. " * 12
    assert any(quotation in piece for piece in split(text))


def test_it_cuts_around_a_quotation_in_a_long_clause():
    quotation = '"' + "so many words in here " * 8 + 'end"'
    text = "before it came " * 10 + quotation + " after it" * 20
    assert any(quotation in piece for piece in split(text))


def test_it_never_cuts_a_number():
    text = "sums " * 30 + "1,234,567.89 and " * 20
    assert all(not re.search(r"\d[.,]?$", piece) or piece.endswith(".89") for piece in split(text))
    said = normalize("We counted 123,456,789 and " * 20, "en")
    whole = "one hundred twenty-three million four hundred fifty-six thousand"
    for piece in split(said, "en"):
        assert piece.count("one hundred twenty-three") == piece.count(whole)


def test_it_cuts_scripts_without_spaces_between_letters():
    thai = split("สวัสดีครับผมชื่อสมชาย" * 15, "th")
    assert all(piece[0] not in "ัิีึืุู่้๊๋์" and piece[-1] not in "เแโใไ" for piece in thai)
    chinese = split("今天天气很好我们去公园玩" * 30, "zh")
    assert len(chinese) > 1
    assert all(len(piece) <= 80 for piece in chinese)
    assert all(not piece.startswith(("，", "。")) for piece in split("今天天气，很好。" * 40, "zh"))


def test_it_cuts_a_word_without_end_by_length():
    assert [len(piece) for piece in split("x" * 450)] == [200, 200, 50]


def test_signs_alone_make_no_piece_of_their_own():
    assert split('Hello there, friend. " ... "') == ['Hello there, friend. " ... "']
