"""Text, Markdown, subtitles, epub and docx become chapters with speakers."""

from __future__ import annotations

import pytest

from speech.documents import read_document, read_text
from tests.documents.packed import docx, epub, paragraph

LIMIT = 10_000


def shown(document):
    return {
        chapter.title: [(said.speaker, said.text) for said in chapter.paragraphs]
        for chapter in document.chapters
    }


def test_lines_of_a_paragraph_belong_together_and_chapter_lines_part_them():
    document = read_text(
        "Chapter 1\n\nOne line\nand another.\n\nNew.\n\n第二章 开始\n\n你好。", LIMIT
    )
    assert shown(document) == {
        "Chapter 1": [("", "Chapter 1"), ("", "One line and another."), ("", "New.")],
        "第二章 开始": [("", "第二章 开始"), ("", "你好。")],
    }


def test_a_heading_as_markdown_has_it_is_one_in_any_text():
    assert shown(read_text("# The sea ##\n\nIt is wide.\n\nNo #tag, no # sign.", LIMIT)) == {
        "The sea": [("", "The sea"), ("", "It is wide."), ("", "No #tag, no # sign.")]
    }


def test_a_sentence_that_only_begins_like_a_heading_is_none():
    text = "Chapter one of my life was over, and there was nothing that anybody could have done" * 2
    assert list(shown(read_text(text, LIMIT))) == [""]


def test_a_direction_names_the_speaker_until_the_next_one_or_chapter():
    text = "It began.\n[voice: Anna]\nHello!\n\nStill me.\n[voice]\nHe went.\n\nChapter 2\n\nEnd."
    said = shown(read_text(text, LIMIT))
    assert said[""] == [
        ("", "It began."),
        ("Anna", "Hello!"),
        ("Anna", "Still me."),
        ("", "He went."),
    ]
    assert said["Chapter 2"][-1] == ("", "End.")


@pytest.mark.parametrize(
    "table",
    [
        "| Speaker | Line |\n|---|---|\n| Bo | Yes? |\n| | He said. |",
        "角色\t台词\nBo\tYes?\n\tHe said.",
    ],
)
def test_a_dialogue_table_says_who_says_what(table):
    document = read_text(f"Before.\n\n{table}\n\nAfter.", LIMIT)
    assert shown(document)[""] == [
        ("", "Before."),
        ("Bo", "Yes?"),
        ("", "He said."),
        ("", "After."),
    ]
    assert document.speakers == ["", "Bo"]


def test_a_table_without_speakers_is_read_as_it_stands():
    assert len(shown(read_text("| a | b |\n|---|---|\n| 1 | 2 |", LIMIT))[""]) == 3


def test_headings_of_markdown_are_chapters_and_code_is_left_out():
    text = "# One\n\nFirst.\n\n```\nprint(1)\n```\n\n### Deep\n\nIn.\n\n## Two\n\nSecond."
    assert shown(read_document(text.encode(), "book.md", LIMIT)) == {
        "One": [("", "One"), ("", "First."), ("", "Deep"), ("", "In.")],
        "Two": [("", "Two"), ("", "Second.")],
    }


def test_subtitles_are_read_without_numbers_times_and_tags():
    text = (
        "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\nthere.\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\n{\\an8}Bye.\r\n"
    )
    document = read_document(text.encode(), "film.srt", LIMIT)
    assert shown(document) == {"": [("", "Hello there."), ("", "Bye.")]}
    assert document.title == "film"


def test_an_epub_is_read_in_the_order_of_its_spine():
    book = epub(
        "<h1>One&nbsp;day</h1><p>It <b>was</b> late &amp; dark.<br/>Very.</p><script>x()</script>",
        '<nav epub:type="toc" xmlns:epub="x"><p>Contents</p></nav><h2>Two</h2><div>Then <ruby>漢'
        "<rt>かん</rt></ruby>.<p>Inner.</p>after</div>",
    )
    document = read_document(book, "whatever.bin", LIMIT)
    assert (document.title, document.language) == ("A Book", "en")
    assert shown(document) == {
        "One day": [("", "One day"), ("", "It was late & dark. Very.")],
        "Two": [("", "Two"), ("", "Then 漢."), ("", "Inner."), ("", "after")],
    }


def test_a_docx_is_read_with_its_headings_and_tables():
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Speaker", "Text"))
    said = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Anna", "Hello."))
    body = (
        paragraph("Start", "Heading1")
        + paragraph("Some text.")
        + "<w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
        + f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{said}</w:tr></w:tbl>"
        + paragraph("More", "Ueb2")
    )
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:style w:styleId="Ueb2"><w:name w:val="heading 2"/></w:style></w:styles>'
    )
    document = read_document(docx(body, **{"word/styles.xml": styles}), "x.docx", LIMIT)
    assert shown(document) == {
        "Start": [("", "Start"), ("", "Some text."), ("", "kept"), ("Anna", "Hello.")],
        "More": [("", "More")],
    }


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Grüße, 你好"),
        ("utf-8-sig", "Grüße, 你好"),
        ("utf-16", "Grüße, 你好"),
        ("gb18030", "你好，世界。这是一个测试。"),
        ("shift_jis", "こんにちは、せかい。"),
        ("cp1252", "Grüße – café"),
    ],
)
def test_text_is_read_in_the_encoding_it_is_in(encoding, text):
    assert (
        read_document(text.encode(encoding), "a.txt", LIMIT).chapters[0].paragraphs[0].text == text
    )


def test_a_million_characters_are_read_in_a_moment():
    text = "Chapter 1\n\n" + "The quick brown fox jumps over the lazy dog.\n\n" * 22_000
    document = read_text(text, 1_000_000)
    assert document.characters > 950_000
