"""Where a spoken word stands in the text as it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from speech.text.align import Alignment


def written_for(word: str, spoken: str, written: str) -> str:
    begin, length = Alignment(spoken, written).written(spoken.index(word))
    return written[begin : begin + length]


def test_a_word_that_was_kept_is_itself():
    assert written_for("morning", "Good morning, all.", "Good  **morning**, all") == "morning"


def test_words_made_from_a_number_stand_for_that_number():
    spoken, written = "It costs five dollars today.", "It costs $5 today."
    assert written_for("dollars", spoken, written) == "$5"
    assert written_for("five", spoken, written) == "$5"
    assert written_for("today", spoken, written) == "today"


def test_characters_of_a_script_without_spaces_are_told_apart():
    assert written_for("天", "今天很好。", "今天很好") == "天"


def test_what_was_added_stands_for_nothing():
    assert Alignment("Hello.", "Hello").written(5) == (5, 0)


def test_nothing_spoken_is_no_error():
    assert Alignment("", "…").written(0) == (0, 0)


def test_a_whole_sentence_is_all_that_it_was_made_from():
    spoken, written = (
        "Wait. It costs five dollars today. Really!",
        "Wait. It costs $5 today. Really!",
    )
    sentence = "It costs five dollars today."
    begin, length = Alignment(spoken, written).written(spoken.index(sentence), len(sentence))
    assert written[begin : begin + length] == "It costs $5 today."


@given(st.text(max_size=200), st.text(max_size=200), st.integers(0, 300), st.integers(0, 300))
def test_every_place_maps_into_the_written_text(spoken, written, offset, spoken_length):
    begin, length = Alignment(spoken, written).written(offset, spoken_length)
    assert 0 <= begin <= begin + length <= len(written)
