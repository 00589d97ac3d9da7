"""An archive is read within limits, whatever it says of itself, and refused in a sentence."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest

from tests.voices.archives import HEAD, archive, table
from voices import bundle
from voices.bundle import Bundle, RefusedBundle, pack

LINE = "a.wav,Alice,,,,,"


def info(name, **fields):
    found = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(found, field, value)
    return found


def test_it_reads_a_table_and_recordings():
    lines = ['sub/a.wav,Alice," Two words, here ",en-GB,calm,I say so.,TRUE', "b.mp3,Bob,,,,,"]
    file = archive({"voices.csv": b"\xef\xbb\xbf" + table(*lines), "sub/a.wav": b"RIFF"})
    read = Bundle(file)
    first, second = read.rows
    assert (first.file, first.transcript, first.override) == ("sub/a.wav", "Two words, here", True)
    assert (second.name, second.consent, second.override) == ("Bob", "", False)
    assert read.read("sub/a.wav") == b"RIFF"
    with pytest.raises(RefusedBundle, match="no such file"):
        read.read("b.mp3")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + bytes(50), bytes(1000)])
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(RefusedBundle, match="zip"):
        Bundle(io.BytesIO(content))


@pytest.mark.parametrize(
    "name", ["../a.wav", "/etc/passwd", "a/../../b", "..\\a.wav", "C:/a.wav", "a\\..\\b"]
)
def test_a_name_that_leads_out_is_refused(name):
    with pytest.raises(RefusedBundle, match="leads out"):
        Bundle(archive({"voices.csv": table(LINE), name: b""}))


def test_links_and_encrypted_and_strangely_packed_files_are_refused():
    link = info("a.wav", external_attr=(stat.S_IFLNK | 0o777) << 16)
    with pytest.raises(RefusedBundle, match="link"):
        Bundle(archive({"voices.csv": table(LINE), link: b"/etc/passwd"}))
    with pytest.raises(RefusedBundle, match="packed"):
        Bundle(archive({"voices.csv": table(LINE)}, method=zipfile.ZIP_LZMA))
    locked = archive({"voices.csv": table(LINE)}).getvalue()
    at = locked.index(b"PK\x01\x02") + 8
    with pytest.raises(RefusedBundle, match="encrypted"):
        Bundle(io.BytesIO(locked[:at] + b"\x01" + locked[at + 1 :]))


def test_a_bomb_is_not_unpacked(monkeypatch):
    bomb = archive({"voices.csv": table(LINE), "a.wav": bytes(50 * 2**20)})
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(RefusedBundle, match="larger than 10 MiB"):
        Bundle(bomb).read("a.wav")
    monkeypatch.setattr(bundle, "MOST_BYTES", 20 * 2**20)
    with pytest.raises(RefusedBundle, match="Unpacked"):
        Bundle(bomb)


def test_a_size_that_is_a_lie_changes_nothing():
    lying = bytearray(archive({"voices.csv": table(LINE), "a.wav": bytes(20 * 2**20)}).getvalue())
    at = lying.rindex(b"PK\x01\x02") + 24
    lying[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(RefusedBundle):
        Bundle(io.BytesIO(bytes(lying))).read("a.wav")


def test_too_many_files_and_two_of_a_name_are_refused(monkeypatch):
    monkeypatch.setattr(bundle, "MOST_FILES", 2)
    with pytest.raises(RefusedBundle, match="more than 2 files"):
        Bundle(archive({"voices.csv": table(LINE), **{f"{n}.wav": b"" for n in range(3)}}))
    sink = archive({"voices.csv": table(LINE)})
    with pytest.warns(UserWarning), zipfile.ZipFile(sink, "a") as packed:
        packed.writestr("voices.csv", table(LINE))
    with pytest.raises(RefusedBundle, match="twice"):
        Bundle(sink)


def test_a_broken_entry_is_refused():
    content = bytearray(archive({"voices.csv": table(LINE), "a.wav": b"RIFF" * 99}).getvalue())
    at = content.index(b"a.wav") + 8
    content[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(RefusedBundle, match="broken"):
        Bundle(io.BytesIO(bytes(content))).read("a.wav")


@pytest.mark.parametrize(
    ("written", "word"),
    [
        (table(), "1 to"),
        (b"", "columns"),
        (b"\xff\xfe", "UTF-8"),
        (table(LINE, head="file,title"), "no column 'title'"),
        (table(LINE, head="file,transcript"), "columns file and name"),
        (table("a.wav,A", head="file,name,name"), "each once"),
        (table("a.wav"), "cells"),
        (table(LINE + ",more"), "cells"),
        (table(LINE, "b.wav,ALICE,,,,,"), "name 'alice' stands there twice"),
        (table(LINE, "a.wav,Bob,,,,,"), "file 'a.wav' stands there twice"),
        (table(",Alice,,,,,"), "missing"),
        (table("a.wav," + "x" * 101 + ",,,,,"), "too long"),
        (table("a.wav,Alice,,,,,maybe"), "override"),
        (table("a.wav,Al\0ice,,,,,"), "not text"),
        (table('a.wav,"Alice'), "not a table"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_reason(written, word):
    with pytest.raises(RefusedBundle, match=word):
        Bundle(archive({"voices.csv": written}))


def test_without_a_table_nothing_is_imported():
    with pytest.raises(RefusedBundle, match=r"voices\.csv"):
        Bundle(archive({"a.wav": b"RIFF"}))


def test_a_folder_becomes_such_an_archive_and_links_are_not_followed(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "voices.csv").write_text(f"{HEAD}\nsub/a.wav,Alice,,,,,\n")
    (tmp_path / "sub" / "a.wav").write_bytes(b"RIFF")
    sink = io.BytesIO()
    pack(tmp_path, sink)
    assert Bundle(sink).read("sub/a.wav") == b"RIFF"
    (tmp_path / "b.wav").symlink_to("/etc/passwd")
    with pytest.raises(RefusedBundle, match="link"):
        pack(tmp_path, io.BytesIO())
