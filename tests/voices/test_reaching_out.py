"""A recording is what came in and nothing else: whatever in it points to other files or to the
network is not followed."""

from __future__ import annotations

import ctypes
import io
import os
import struct
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import httpx
import pytest

from tests.voices.recordings import clip
from tests.voices.test_remarks import box, element, id3
from voices import decoder
from voices.decoding import Decoder
from voices.exceptions import RefusedRecording
from voices.samples import Cut

pytestmark = pytest.mark.slow

_NONBLOCK, _OPENED = 0o4000, 0x20 | 0x1  # IN_OPEN, IN_ACCESS


class Canaries:
    """A file that notices when it is opened, and a server that counts."""

    def __init__(self, file, server):
        self.file, self.server, self.hits = file, server, 0
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(_NONBLOCK)
        assert self._libc.inotify_add_watch(self._watch, os.fsencode(file), _OPENED) > 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/voice.wav"

    def touched(self):
        try:
            return bool(os.read(self._watch, 4096)) or self.hits > 0
        except BlockingIOError:
            return self.hits > 0

    def close(self):
        os.close(self._watch)


@pytest.fixture
def canaries(tmp_path):
    file = tmp_path / "canary.wav"
    file.write_bytes(clip("wav"))

    class Count(BaseHTTPRequestHandler):
        def do_GET(self):
            canaries.hits += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(clip("wav"))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with closing(Canaries(file, server)) as canaries, closing(server.socket):
        yield canaries
        server.shutdown()


def take(data):
    with Decoder() as child:
        return child.decode(io.BytesIO(data), len(data), Cut.BEST).wav


def mp4_that_points_to(kind, place):
    """The table of other files, which stands in front of where its sound is told to be."""
    file = clip("mp4/aac")
    entries = {
        "url": box(b"url ", bytes(4) + place.encode() + b"\0"),
        "urn": box(b"urn ", bytes(4) + b"voice\0" + place.encode() + b"\0"),
        "alis": box(b"alis", bytes(4) + alias(place)),
    }
    table = box(b"dref", struct.pack(">II", 0, 1) + entries[kind])
    at = file.index(b"dref") - 4
    (size,) = struct.unpack_from(">I", file, at)
    grown = len(table) - size
    head = bytearray(file[:at])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        begin = head.index(parent) - 4
        (old,) = struct.unpack_from(">I", head, begin)
        struct.pack_into(">I", head, begin, old + grown)
    return bytes(head) + table + file[at + size :]


def alias(place):
    """A Macintosh alias: a record of 150 bytes, then what it leads to, here a whole path."""
    record = bytearray(150)
    struct.pack_into(">HH", record, 130, 1, 1)  # levels up and down
    path = place.encode()
    absolute = struct.pack(">hH", 2, len(path)) + path + bytes(len(path) % 2)
    return bytes(record) + absolute + struct.pack(">hH", -1, 0)


@pytest.mark.parametrize("kind", ["url", "urn", "alis"])
@pytest.mark.parametrize("to", ["file", "path", "http"])
def test_an_mp4_whose_sound_is_said_to_be_elsewhere_is_read_as_it_is(canaries, kind, to):
    place = {"file": f"file://{canaries.file}", "path": str(canaries.file), "http": canaries.url}
    pointing = mp4_that_points_to(kind, place[to])
    assert place[to].encode() in pointing
    assert take(pointing) == take(clip("mp4/aac"))
    assert not canaries.touched()


LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n{}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "concat": "concat:{}|{}\n",
    "pls": "[playlist]\nFile1={}\nNumberOfEntries=1\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
    "<AdaptationSet><Representation><BaseURL>{}</BaseURL></Representation></AdaptationSet>"
    "</Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\na={}\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist><Id>{}</Id></CompositionPlaylist>',
    "address": "{}\n",
}
IN_FRONT = {
    "alone": lambda text: text,
    "as MP3": lambda text: id3(1) + text,
    "as Ogg": lambda text: b"OggS" + bytes(24) + text,
    "as WebM": lambda text: b"\x1aE\xdf\xa3" + text,
    "as MP4": lambda text: b"\0\0\0\x18ftypM4A " + bytes(12) + text,
    "as WAV": lambda text: b"RIFF" + struct.pack("<I", len(text)) + b"WAVE" + text,
    "as FLAC": lambda text: b"fLaC" + text,
    "as AAC": lambda text: b"\xff\xf1" + text,
}


@pytest.mark.parametrize(
    "disguise",
    IN_FRONT,
)
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_of_other_files_is_refused(canaries, child, kind, disguise):
    for place in (
        canaries.url,
        f"file://{canaries.file}",
        canaries.file,
        "data:audio/wav;base64,UklGRg==",
    ):
        text = LISTS[kind].replace("{}", str(place)).encode()
        sent = IN_FRONT[disguise](text).ljust(200, b"\n")
        with pytest.raises(RefusedRecording):
            child.decode(io.BytesIO(sent), len(sent), Cut.BEST)
    assert child.is_alive
    assert not canaries.touched()


@pytest.fixture(scope="module")
def child():
    with Decoder() as child:
        yield child


def tagged(container, place):
    """The same in the places where a file of sound can name another."""
    if container == "mp3":
        body = b"\0" + place + b"\0"
        frame = b"WXXX" + struct.pack(">I", len(body)) + bytes(2) + body
        head = b"ID3\x03\0\0" + bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
        return head + frame + clip("mp3")
    file = clip("webm/opus")
    at = file.index(b"\x1f\x43\xb6\x75")
    links = element(b"\x3e\xb9\x23", bytes(16)) + element(b"\x3e\x83\xbb", place)  # the next part
    tracks = element(b"\x15\x49\xa9\x66", element(b"\x2a\xd7\xb1", b"\x0f\x42\x40") + links)
    return file[:at] + tracks + file[at:]


@pytest.mark.parametrize("container", ["mp3", "webm/opus"])
def test_the_names_of_other_files_are_words_like_any(canaries, container):
    for place in (canaries.url, str(canaries.file)):
        assert take(tagged(container, place.encode())) == take(clip(container))
    assert not canaries.touched()


def test_the_canaries_sing_when_they_are_touched(canaries):
    """What FFmpeg does with a list when nobody stands in front of it."""
    text = LISTS["ffconcat"].replace("{}", canaries.file.name).encode()
    (canaries.file.parent / "list").write_bytes(text)
    with av.open(str(canaries.file.parent / "list"), format="concat") as opened:
        assert opened.streams.audio
    assert canaries.touched()
    httpx.get(canaries.url)
    assert canaries.hits == 1


def test_the_library_itself_is_told_to_open_nothing(canaries, monkeypatch):
    """Behind what is looked at first stands a second wall: no protocol is allowed."""
    sent = LISTS["m3u8"].replace("{}", canaries.url).encode().ljust(200, b"\n")
    playlist = decoder.Container("HLS", "hls", frozenset({"pcm_s16le"}))
    with pytest.raises((av.FFmpegError, RefusedRecording)):
        decoder._decode_with_av(sent, playlist)
    assert not canaries.touched()
