"""The binding to espeak-ng's library: where its data lies, two holders, a receiver that fails."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from espeakng_loader import get_data_path

from speech.engine.errors import EngineUnavailable, SynthesisFailed
from speech.engine.espeak_library import LONGEST_PATH, EspeakLibrary, Manner, short_path

MANNER = Manner("en-us", rate=175, pitch=50, range=50)


@pytest.fixture
def deep(tmp_path):
    """The data behind a path that is too long for the library."""
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    link = folder / "espeak-ng-data"
    link.symlink_to(get_data_path(), target_is_directory=True)
    return link


@pytest.fixture
def shallow(monkeypatch, tmp_path_factory):
    """A temporary folder of our own that does not lie deep."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def collect(library, text="Hello world"):
    blocks = []

    def receive(block, words):
        blocks.append(block)
        return True

    library.say(text, MANNER, receive)
    return np.concatenate(blocks)


def test_it_leaves_a_short_path_alone(tmp_path):
    with short_path(tmp_path) as path:
        assert path == tmp_path


def test_it_links_a_long_path_from_a_short_one_and_cleans_up(deep, shallow):
    with short_path(deep) as path:
        assert len(os.fsencode(path)) <= LONGEST_PATH
        assert path.resolve() == deep.resolve()
    assert not os.path.lexists(path)
    assert list(shallow.iterdir()) == []


def test_it_says_so_when_the_temporary_folder_lies_deep_too(deep, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(deep.parent))
    with pytest.raises(EngineUnavailable), short_path(deep):
        pass


def test_it_speaks_from_a_deep_folder(deep, shallow):
    library = EspeakLibrary(deep)
    try:
        assert len(collect(library)) > 10_000
    finally:
        library.close()
    assert list(shallow.iterdir()) == []


def test_it_says_so_when_its_data_is_missing(tmp_path):
    with pytest.raises(EngineUnavailable):
        EspeakLibrary(tmp_path / "nothing")
    library = EspeakLibrary()
    library.close()


def test_it_stops_when_nobody_wants_more():
    library = EspeakLibrary()
    blocks = []
    try:
        library.say("Hello world " * 20, MANNER, lambda block, words: blocks.append(block))
        assert len(blocks) == 1
        assert len(collect(library)) > 10_000
    finally:
        library.close()


def test_it_raises_what_its_receiver_raises_and_goes_on():
    library = EspeakLibrary()

    def receive(block, words):
        raise ZeroDivisionError

    try:
        with pytest.raises(ZeroDivisionError):
            library.say("Hello", MANNER, receive)
        with pytest.raises(SynthesisFailed):
            library.say("Hello", Manner("nobody", 175, 50, 50), receive)
        assert len(collect(library)) > 10_000
    finally:
        library.close()


def test_it_can_be_held_twice_and_used_from_two_threads():
    libraries = [EspeakLibrary(), EspeakLibrary()]
    lengths = []

    def speak(library):
        for _ in range(20):
            lengths.append(len(collect(library)))
        library.close()

    threads = [threading.Thread(target=speak, args=(library,)) for library in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(lengths) == 40
    assert max(lengths) < 1.05 * min(lengths)
