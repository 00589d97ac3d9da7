"""Which languages and scripts espeak-ng speaks, and what is refused instead of spelt out."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engine.errors import UnsupportedByEngine
from speech.engine.espeak import INFO, EspeakEngine
from speech.engine.espeak_scripts import split_runs
from speech.engine.espeak_spelling import legible, spell
from speech.engine.espeak_voices import VOICE_FILES, voice_file
from speech.engine.types import Utterance
from speech.engine.voxcpm.engine import LANGUAGES as VOXCPM_LANGUAGES
from tests.engine.acoustics import rms, spectral_distance, spectrum

RATE = 22_050


@pytest.fixture(scope="module")
def engine():
    engine = EspeakEngine()
    engine.start()
    yield engine
    engine.stop()


def say(engine, text, language=None):
    engine.check(Utterance(text, language=language))
    stream = engine.submit(Utterance(text, language=language))
    return np.concatenate([chunk.samples for chunk in stream])


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "en"),
        ("en-US", "en-us"),
        ("en_GB", "gmw/en"),
        ("en-AU", "en"),
        ("zh", "cmn"),
        ("zh-CN", "cmn"),
        ("zh-Hant-TW", "cmn"),
        ("zh-HK", "yue"),
        ("yue-Hant", "yue"),
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("es-MX", "es-419"),
        ("fr-CA", "fr"),
        ("no", "nb"),
        ("tlh", None),
        ("", None),
    ],
)
def test_it_finds_the_voice_of_a_language_tag(tag, name):
    assert voice_file(tag) == name


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, how are you today?", "en"),
        ("你好，今天怎么样？", "zh"),
        ("你好，今日點呀？", "yue"),
        ("Guten Tag, wie geht es Ihnen heute?", "de"),
        ("Bonjour, comment allez-vous ?", "fr"),
        ("Hola, ¿cómo está usted hoy?", "es"),
        ("こんにちは、おげんきですか。", "ja"),
    ],
)
def test_it_speaks_the_languages_it_promises(engine, text, language):
    assert language in INFO.languages
    samples = say(engine, text, language)
    assert 1 < len(samples) / RATE < 5
    assert rms(samples) > 0.03


@pytest.mark.parametrize("tag", sorted(VOICE_FILES))
def test_it_has_a_voice_for_every_language_it_names(engine, tag):
    assert rms(say(engine, "3", tag)) > 0.01


def test_it_speaks_chinese_as_chinese_and_cantonese_as_cantonese(engine):
    mandarin = say(engine, "你好世界", "zh")
    cantonese = say(engine, "你好世界", "zh-HK")
    letters = say(engine, "Chinese letter Chinese letter Chinese letter Chinese letter", "en")
    assert len(mandarin) < len(letters) / 2
    assert spectral_distance(spectrum(mandarin, RATE), spectrum(cantonese, RATE)) > 2


@pytest.mark.parametrize("language", ["en", "de", "ru", "th", None])
def test_it_reads_foreign_scripts_in_a_language_that_is_written_in_them(engine, language):
    alone = say(engine, "北京大学", "zh")
    assert len(say(engine, "北京大学", language)) == pytest.approx(len(alone), rel=0.1)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello, you.", None, [("en", "Hello, you.")]),
        ("你好", None, [("cmn", "你好")]),
        ("こんにちは", None, [("ja", "こんにちは")]),
        ("Привет, мир", None, [("ru", "Привет, мир")]),
        ("123", None, [("en", "123")]),
        ("我爱 Python 3 编程", "cmn", [("cmn", "我爱 "), ("en", "Python 3 "), ("cmn", "编程")]),
        ("«Привет»", "en", [("ru", "«Привет»")]),
        ("Grüße aus 北京!", "de", [("de", "Grüße aus "), ("cmn", "北京!")]),
        ("北京", "yue", [("yue", "北京")]),
        ("привіт", "uk", [("uk", "привіт")]),
        ("ハロー hello", "ja", [("ja", "ハロー "), ("en", "hello")]),
        ("", "en", []),
    ],
)
def test_it_splits_a_text_by_script(text, language, expected):
    runs = split_runs(text, language)
    assert [(run.language, text[run.start : run.end]) for run in runs] == expected


@pytest.mark.parametrize("text", ["日本語です", "とうきょうは東京", "ｱｲ漢字", "時々です"])
@pytest.mark.parametrize("language", ["ja", None])
def test_it_refuses_japanese_with_kanji(engine, text, language):
    with pytest.raises(UnsupportedByEngine) as error:
        engine.check(Utterance(text, language=language))
    assert error.value.param == "input"


@pytest.mark.parametrize("text", ["សួស្តី", "ສະບາຍດີ", "བཀྲ་ཤིས", "𠮷野家", "ᏣᎳᎩ"])
def test_it_refuses_letters_that_it_would_spell_as_numbers(engine, text):
    with pytest.raises(UnsupportedByEngine) as error:
        engine.check(Utterance(text))
    assert error.value.param == "input"


def test_it_refuses_a_language_that_it_does_not_speak(engine):
    with pytest.raises(UnsupportedByEngine) as error:
        engine.check(Utterance("nuqneH", language="tlh"))
    assert error.value.param == "language"
    assert "voxcpm2" not in error.value.message


@pytest.mark.parametrize("tag", VOXCPM_LANGUAGES["voxcpm2"])
def test_it_speaks_what_voxcpm2_speaks_or_says_that_voxcpm2_does(engine, tag):
    if voice_file(tag) is None:
        with pytest.raises(UnsupportedByEngine, match="voxcpm2"):
            engine.check(Utterance("so", language=tag))


@pytest.mark.parametrize("text", ["សួស្តី", "ສະບາຍດີ"])
def test_it_says_who_reads_khmer_and_lao(engine, text):
    with pytest.raises(UnsupportedByEngine, match="voxcpm2"):
        engine.check(Utterance(text))


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b\x01c",
        "\ud800 lone",
        "\u202eright to left",
        "\ue000 private",
        "e" + "\u0301" * 200,
        "👨‍👩‍👧‍👦 family",
        "x" * 2000,
        "…!?" * 50 + "a",
        "नमस्ते สวัสดี مرحبا שלום გამარჯობა",
        "\u200b\u2060word\ufeff",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿 flag",
    ],
)
def test_it_survives_any_sign(engine, text):
    assert len(say(engine, text)) > 0


@pytest.mark.parametrize("text", ["\U0001f701", "\u200b", " ", "..."])
def test_it_says_so_when_there_is_nothing_to_pronounce(engine, text):
    with pytest.raises(UnsupportedByEngine):
        say(engine, text)


def test_it_reads_look_alike_letters_as_what_they_stand_for():
    assert legible("𝐇𝐞𝐥𝐥𝐨 ﾊﾛｰ Ａ\x00") == "Hello ハロー A "
    assert len(legible("ﬁ½℃")) == 3


def test_it_spells_what_the_library_reads_as_english():
    spelling = spell("我的兄弟很穷", "cmn")
    assert spelling.text == "我的xong1弟很qong2"
    assert spelling.locate(2, 5) == (2, 1)
    assert spelling.locate(7, 1) == (3, 1)
    assert spelling.locate(9, 5) == (5, 1)
    assert spell("兄弟", "yue").text == "兄弟"


def test_it_says_them_as_one_syllable_and_marks_them(engine):
    text = "兄弟姐妹"
    assert len(say(engine, "兄", "zh")) < 0.55 * RATE, "as English it takes longer"
    marks = [mark for chunk in engine.submit(Utterance(text)) for mark in chunk.marks]
    assert "".join(text[m.offset : m.offset + m.length] for m in marks).startswith("兄弟姐")
