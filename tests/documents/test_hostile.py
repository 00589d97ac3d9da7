"""Files that are broken, or made to do harm: each is refused in a sentence, at a bounded cost."""

from __future__ import annotations

import io
import resource
import time
import zipfile

import pytest

from speech.documents import DocumentTooLarge, UnreadableDocument, read_document, read_text
from tests.documents.packed import CONTAINER, W, docx, epub, opf, paragraph, zipped

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><container>&i;</container>"
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<container>&a;</container>"
)


def of_container(xml):
    return zipped({"META-INF/container.xml": xml})


def encrypted():
    data = bytearray(epub("<p>x</p>"))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        entry = archive.getinfo("META-INF/container.xml")
    central = data.rindex(b"META-INF/container.xml") - 46
    data[central + 8] |= 1
    data[entry.header_offset + 6] |= 1
    return bytes(data)


def twice():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/document.xml", "<x/>")
        archive.writestr("word/document.xml", "<y/>")
    return target.getvalue()


def lying_size():
    """The head says ten bytes, the stream holds 200 MB of zeros."""
    data = bytearray(zipped({"word/document.xml": b"\0" * (200 * 2**20)}))
    for place in (22, data.rindex(b"word/document.xml") - 46 + 24):
        data[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(data)


CASES = {
    "nothing": (b"", "a.txt"),
    "only spaces": (b" \n\t\n", "a.txt"),
    "a kind nobody reads": (b"%PDF-1.7", "a.pdf"),
    "no name": (b"text", ""),
    "a program called txt": (b"\x7fELF\x02\x01\x01\x00\x00", "a.txt"),
    "half of UTF-16": (b"\xff\xfea\x00b", "a.txt"),
    "bytes that are no text": (bytes(range(128, 256)), "a.txt"),
    "a zip of something else": (zipped({"a.txt": "x"}), "a.epub"),
    "a cut zip": (epub("<p>x</p>")[:200], "a.epub"),
    "only a zip's mark": (b"PK\x03\x04", "a.docx"),
    "an encrypted zip": (encrypted(), "a.epub"),
    "another packing": (
        zipped({"word/document.xml": "<x/>"}, zipfile.ZIP_LZMA),
        "a.docx",
    ),
    "entities that multiply": (of_container(LAUGHS), "a.epub"),
    "an entity of a file": (of_container(EXTERNAL), "a.epub"),
    "no package": (of_container("<container/>"), "a.epub"),
    "a package that is not there": (of_container(CONTAINER), "a.epub"),
    "a package outside": (of_container(CONTAINER.replace("OEBPS", "../..")), "a.epub"),
    "no XML": (docx("").replace(b"w:body", b"w body"), "a.docx"),
    "broken XML": (zipped({"word/document.xml": "<a><b></a>"}), "a.docx"),
    "an encoding nobody has": (
        zipped({"word/document.xml": '<?xml version="1.0" encoding="bogus"?><a/>'}),
        "a.docx",
    ),
    "an encoding that takes for ever to read": (
        zipped(
            {"word/document.xml": b'<?xml version="1.0" encoding="punycode"?>-' + b"b" * 100_000}
        ),
        "a.docx",
    ),
    "deep XML": (docx("<w:p>" * 100_000 + "</w:p>" * 100_000), "a.docx"),
    "an empty book": (epub("<p> </p>"), "a.epub"),
    "a lying size": (lying_size, "a.docx"),
}
TOO_LARGE = {
    "a bomb": lambda: zipped(
        {"word/document.xml": f'<w:document xmlns:w="{W}">' + " " * (70 * 2**20)}
    ),
    "many entries": lambda: zipped({f"{number}": "" for number in range(5001)}),
    "too much text": lambda: docx(paragraph("word " * 300)),
    "too many chapters": lambda: docx(paragraph("x", "Heading1") * 2001),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_a_sentence(case):
    data, name = CASES[case]
    data = data() if callable(data) else data
    began = time.monotonic()
    with pytest.raises(UnreadableDocument) as refused:
        read_document(data, name, 10_000)
    assert str(refused.value).endswith(".")
    assert "/" not in str(refused.value)
    assert time.monotonic() - began < 3


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(UnreadableDocument):
        read_document(twice(), "a.docx", 1000)


@pytest.mark.parametrize("case", TOO_LARGE)
def test_what_is_too_large_is_refused_before_it_is_unpacked(case):
    data = TOO_LARGE[case]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DocumentTooLarge):
        read_document(data, "a.docx", 1000 if case == "too much text" else 1_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100 * 1024


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[voice:" + " " * 1500, "txt"),
        ("speaker\ttext\n" + "\t" * 30_000 + "x", "txt"),
        ("# a" + " " * 1500 + "b", "md"),
        ("# a" + "#" * 30_000 + "b", "md"),
    ],
)
def test_a_line_of_nothing_takes_no_time(text, kind):
    began = time.process_time()
    read_text(text + "\n\nHello.", 1_000_000, kind)
    assert time.process_time() - began < 1


def test_a_page_that_a_book_names_again_and_again_is_read_once():
    twice = opf(["a.xhtml"]).replace('<itemref idref="c0"/>', '<itemref idref="c0"/>' * 10_000)
    book = epub("<p>Unused.</p>", **{"OEBPS/book.opf": twice, "OEBPS/a.xhtml": "<p>Hello.</p>"})
    (chapter,) = read_document(book, "a.epub", 1_000_000).chapters
    assert [paragraph.text for paragraph in chapter.paragraphs] == ["Hello."]


@pytest.mark.parametrize("name", ["../../etc/x.txt", "a\x00b.txt", "x" * 5000 + ".txt", "‮gpj.txt"])
def test_a_name_is_a_title_at_most(name):
    document = read_document(b"Hello.", name, 1000)
    assert len(document.title) <= 200
    assert "/" not in document.title
    assert "\x00" not in document.title
