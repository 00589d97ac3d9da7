"""The language of a text by script and by its commonest words, and the tags that name languages."""

from __future__ import annotations

import pytest

from speech.text import detect_language, normalize_tag


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The quick brown fox jumps over the dog", "en"),
        ("Hello", "en"),
        ("", "en"),
        ("12345", "en"),
        ("Der Hund ist nicht hier und ich auch nicht", "de"),
        ("Schöne Grüße", "de"),
        ("Le chat est sur la table avec nous", "fr"),
        ("Ça va bien", "fr"),
        ("El perro está en la casa", "es"),
        ("¿Cómo te llamas?", "es"),
        ("今天天气很好", "zh"),
        ("我用Python写程序", "zh"),
        ("The word 你好 means hello", "en"),
        ("今日は天気がいいです", "ja"),
        ("カタカナ", "ja"),
        ("안녕하세요", "ko"),
        ("Привет, как дела", "ru"),
        ("Привіт, як справи, їжак", "uk"),
        ("สวัสดีครับ", "th"),
        ("مرحبا بكم", "ar"),
        ("سلام، چطوری", "fa"),
        ("שלום", "he"),
        ("नमस्ते", "hi"),
        ("Γειά σου", "el"),
    ],
)
def test_it_detects(text, language):
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("en", "en"), ("EN-gb", "en-GB"), ("zh_cn", "zh-CN"), ("zh-hant-tw", "zh-Hant-TW"),
        ("yue", "yue"), ("Auto", "auto"), ("English", "en"), ("Cantonese", "yue"),
        ("es-419", "es-419"), ("de-1996", "de-1996"),
    ],
)  # fmt: skip
def test_it_writes_tags_the_usual_way(given, tag):
    assert normalize_tag(given) == tag


@pytest.mark.parametrize(
    "given", ["", " ", "e", "klingonish", "en-", "en--GB", "../x", "日本", "en;q=1", "a" * 99]
)
def test_it_refuses_what_is_no_tag(given):
    with pytest.raises(ValueError, match="not a language tag"):
        normalize_tag(given)
