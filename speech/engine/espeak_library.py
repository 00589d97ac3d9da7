"""EspeakLibrary: the C library of espeak-ng 1.52, as ``espeakng-loader`` brings it, through ctypes.

It says one text at a time and hands every block of audio over while it goes on. Knows nothing of
voices, languages or utterances. The structures follow ``espeak-ng/speak_lib.h``, revision 12.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import espeakng_loader
import numpy as np
import numpy.typing as npt

from speech.engine.errors import EngineUnavailable, SynthesisFailed

Pcm = npt.NDArray[np.int16]

SAMPLE_RATE = 22_050
LONGEST_PATH = 159
"""Bytes: the library copies the data path into a buffer of 160 (``N_PATH_HOME``)."""

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_CHARS_UTF8 = 1  # and neither SSML (0x10) nor phonemes (0x100): mark-up in a text is text
_BY_CHARACTER = 1
_EVENT_END_OF_LIST, _EVENT_WORD = 0, 1
_RATE, _PITCH, _RANGE = 1, 3, 4


class _EventId(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


if TYPE_CHECKING:
    _Samples = ctypes._Pointer[ctypes.c_short]
    _Events = ctypes._Pointer[_Event]

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to say it: the name of a voice file (``cmn+f2``), words per minute (80-450), pitch and
    its range (0-100, 50 is the voice's own)."""

    voice: str
    rate: int
    pitch: int
    range: int


@dataclass(frozen=True, slots=True)
class Word:
    """The word at ``offset`` (code points) starts at ``sample`` of its text's audio."""

    offset: int
    length: int
    sample: int


Receive = Callable[[Pcm, list[Word]], bool]
"""Takes a block of about 60 ms and the words that start in it; False ends the text."""


class EspeakLibrary:
    """One user's hold on the library, whose state is global to the process and not safe for
    threads: users say one text after the other, and the last to close it frees it."""

    _lock = threading.Lock()
    _users = 0
    _resources = ExitStack()

    def __init__(self, data_path: Path | None = None) -> None:
        """``data_path`` counts for the first user alone.

        Raises EngineUnavailable when the library or its data cannot be used.
        """
        # Kept as an attribute: C knows only its address.
        self._callback = _Callback(self._on_block)
        self._receive: Receive | None = None
        self._error: Exception | None = None
        self._closed = False
        with self._lock:
            if EspeakLibrary._users == 0:
                self._initialize(data_path or Path(espeakng_loader.get_data_path()))
            EspeakLibrary._users += 1

    def _initialize(self, data_path: Path) -> None:
        if not (data_path / "phontab").is_file():
            raise EngineUnavailable("espeak-ng did not find its data.")
        with ExitStack() as resources:
            path = resources.enter_context(short_path(data_path))
            library = _load()
            rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(path), _DONT_EXIT)
            if rate != SAMPLE_RATE:
                raise EngineUnavailable("espeak-ng could not be initialised.")
            resources.callback(library.espeak_Terminate)
            EspeakLibrary._resources = resources.pop_all()

    def close(self) -> None:
        """Let go of it. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            EspeakLibrary._users -= 1
            if EspeakLibrary._users == 0:
                EspeakLibrary._resources.close()

    def say(self, text: str, manner: Manner, receive: Receive) -> None:
        """Say ``text``, of which NUL ends it, and return when all of it has been received.

        Raises SynthesisFailed for a voice that does not exist, and whatever ``receive`` raises.
        """
        encoded = text.encode("utf-8", "replace")
        settings = {_RATE: manner.rate, _PITCH: manner.pitch, _RANGE: manner.range}
        library = _load()
        with self._lock:
            assert not self._closed, "a closed library says nothing"
            if library.espeak_SetVoiceByName(manner.voice.encode()):
                raise SynthesisFailed("The engine has no such voice.")
            for parameter, value in settings.items():
                library.espeak_SetParameter(parameter, value, 0)
            self._receive, self._error = receive, None
            library.espeak_SetSynthCallback(self._callback)
            status = library.espeak_Synth(
                encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, _CHARS_UTF8, None, None
            )
            self._receive = None
        if self._error is not None:
            raise self._error
        if status:
            raise SynthesisFailed("The engine failed at this text.")

    def _on_block(self, samples: _Samples, count: int, events: _Events) -> int:
        """0 to go on, 1 to stop."""
        if self._receive is None or not count:
            return 0
        # The library uses the block again; what is received must be a copy.
        block = np.ctypeslib.as_array(samples, (count,)).copy()
        try:
            return 0 if self._receive(block, list(_words(events))) else 1
        except Exception as error:  # noqa: BLE001 - C cannot carry it; `say` raises it again
            self._error = error
            return 1


@cache
def _load() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError:
        raise EngineUnavailable("The library espeak-ng could not be loaded.") from None


def _words(events: _Events) -> Iterator[Word]:
    index = 0
    while (event := events[index]).type != _EVENT_END_OF_LIST:
        if event.type == _EVENT_WORD:
            yield Word(event.text_position - 1, event.length, event.sample)
        index += 1


@contextmanager
def short_path(path: Path) -> Iterator[Path]:
    """``path``, or a link to it from a temporary folder where it is too long for the library.

    Raises EngineUnavailable when even the temporary folder lies too deep.
    """
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
        link = Path(folder) / path.name
        if len(os.fsencode(link)) > LONGEST_PATH:
            raise EngineUnavailable("The path of the temporary folder is too long for espeak-ng.")
        link.symlink_to(path, target_is_directory=True)
        yield link
