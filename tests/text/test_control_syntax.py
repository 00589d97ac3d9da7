"""Control syntax and odd characters that a person types are text, never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.text import clean, disarm, is_blank, is_speakable, normalize, split

LANGUAGES = st.sampled_from(["en", "zh", "yue", "de", "ja", "th", None])
HOSTILE = st.text(
    st.sampled_from(
        "0123456789.,:;-/$€¥%+=()（）[]<>{}'\"|@#*_~^\\`&! \n年月日个元abKkmMsT℃½²\x00\ud800\u200b"
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<|endoftext|>hello", "endoftext hello."),
        ("<|audio_start|> go", "audio start go."),
        ("[voice:x] hello", "voice:x hello."),
        ("[laughs] hello", "laughs hello."),
        ("(angry) hello", "angry, hello."),
        ("（生气）你好", "生气，你好。"),
        ("[[h'loU]] there", "h'loU there."),
        ('<speak><break time="1s"/>Hi</speak>', "Hi."),
        ("&lt;|x|&gt; go", "x go."),
        ("<unk> {style} go", "unk style go."),
    ],
)
def test_it_speaks_the_words_of_control_syntax_without_its_signs(written, said):
    assert normalize(written) == said


def test_it_disarms_text_that_it_does_not_normalise():
    assert clean("(angry) <|x|> I have 3 “apples”\x00") == 'angry, x I have 3 "apples"'
    assert clean("&lt;|x|&gt; go") == "x go"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("  Two\n words ", "Two words"),
        ("He — she said “3 apples” (or 4), no?!", "He — she said “3 apples” (or 4), no?!"),
        ("你好，世界……", "你好，世界……"),
        ("a\x00b\ufeffc\u202e", "abc"),
    ],
)
def test_it_leaves_what_it_does_not_normalise_as_it_is(written, said):
    assert clean(written) == said


def test_a_piece_never_begins_with_a_parenthesis_that_could_be_taken_for_directions():
    assert [disarm(piece) for piece in ("(angry) Hello.", "（生气）你好。", "Hello (you).")] == [
        "angry, Hello.",
        "生气，你好。",
        "Hello (you).",
    ]


@pytest.mark.parametrize(
    "written", ["a\x00b", "a\ud800b", "a\u202eb", "a\ue000b", "a\x1b[0mb", "\ufeffa", "a\u0085b"]
)
def test_it_drops_what_cannot_be_spoken(written):
    said = normalize(written)
    assert said.isprintable()
    assert said.encode()


@given(HOSTILE, LANGUAGES)
@settings(max_examples=300, deadline=None)
def test_it_never_fails_and_leaves_no_syntax(text, language):
    said = normalize(text, language)
    assert not set(said) & set("<>[]{}|()（）\\^*`~_#")
    assert said.isprintable()
    assert said == "" or any(char.isalnum() for char in said)


@given(st.text(st.characters(), max_size=200), LANGUAGES)
@settings(max_examples=200, deadline=None)
def test_it_survives_any_text(text, language):
    said = normalize(text, language)
    assert not set(said) & set("<>[]{}|()（）")
    said.encode()
    split(text, language)


@pytest.mark.parametrize(
    "text", ["", "  \n\t", "\u200b\u200d", "\ufeff", "\u2800", "\x00", "\u3164"]
)
def test_it_calls_invisible_text_blank(text):
    assert is_blank(text)
    assert normalize(text) == ""


@pytest.mark.parametrize("text", [".", "…", "?!", "。", "—", "😀", "()"])
def test_it_finds_nothing_to_say_in_signs_alone(text):
    assert not is_blank(text)
    assert not is_speakable(text)
    assert normalize(text) == ""


@pytest.mark.parametrize("text", ["a", "5", "é", "好", "ก", "ع", "½", "1️⃣"])
def test_it_can_speak_letters_and_figures(text):
    assert is_speakable(text)
    assert normalize(text)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello", "Hello."),
        ("Hello,", "Hello."),
        ("Hello...", "Hello."),
        ("Hello -", "Hello."),
        ("Hello?", "Hello?"),
        ('She said "no"', 'She said "no".'),
        ('She said "no!"', 'She said "no!"'),
        ("Hello: ", "Hello."),
        ("你好", "你好。"),
        ("你好，", "你好。"),
        ("你好！", "你好！"),
        ("こんにちは", "こんにちは。"),
    ],
)
def test_it_ends_the_last_sentence(written, said):
    assert normalize(written) == said
