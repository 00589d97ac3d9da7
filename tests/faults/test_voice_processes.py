"""Voices that several processes change at once, or that one was changing when it was killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.faults import scripts
from tests.faults.test_long_texts import worker

SCRIPT = "voice_process.py"


def die(command, environment):
    process = scripts.start(SCRIPT, command, environment)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors


@pytest.mark.slow
def test_killed_between_object_and_row_it_leaves_nothing(environment):
    die("die_storing", environment)
    state = scripts.run(SCRIPT, "recover", environment)
    assert (state["voices"], state["files"], state["unclaimed"]) == (["ready"], 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["die_erasing_rows", "die_before_objects", "die_erasing_objects"]
)
def test_killed_while_erasing_it_is_erased_all_the_same(environment, command):
    die(command, environment)
    state = scripts.run(SCRIPT, "recover", environment)
    assert state["voices"] == ["erased"]
    assert (state["versions"], state["files"], state["unfinished"]) == ([], 0, 0)


@pytest.mark.slow
def test_what_says_long_texts_finishes_an_erasure_as_a_server_does(environment):
    die("die_before_objects", environment)
    left = scripts.run(SCRIPT, "look", environment)
    assert (left["voices"], left["files"], left["unfinished"]) == (["erased"], 1, 1)
    process = worker(environment | {"SPEECH_ENGINE": "tone"})
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    state = scripts.run(SCRIPT, "look", environment)
    assert (state["voices"], state["files"], state["unfinished"]) == (["erased"], 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["die_erasing_consent", "die_before_its_recording"],
)
def test_killed_while_erasing_a_consent_it_is_erased_all_the_same(environment, command):
    die(command, environment)
    state = scripts.run(SCRIPT, "recover", environment)
    assert state["consents"] == [["withdrawn", ""]]
    assert (state["files"], state["unfinished"]) == (0, 0)


@pytest.mark.slow
def test_no_word_of_what_is_erased_stands_in_a_dump(environment):
    state = scripts.run(SCRIPT, "erase_words", environment)
    assert (state["voices"], state["files"]) == (["erased"], 0)
    dump = dumped(environment)
    assert "voices_erasure" in dump
    assert "Xanthippe" not in dump


def dumped(environment):
    """As an operator backs it up."""
    if url := environment.get("DATABASE_URL"):
        return subprocess.run(["pg_dump", url], capture_output=True, text=True, check=True).stdout
    with sqlite3.connect(Path(environment["DATA_DIR"]) / "voxplatform.sqlite3") as database:
        return "\n".join(database.iterdump())


@pytest.mark.slow
def test_recordings_at_once_are_versions_one_after_the_other(environment):
    state = scripts.run(SCRIPT, "record", environment)
    assert not state["failed"]
    assert state["versions"] == list(range(1, 3 * 6 + 2))
    assert state["speaks"] == [19]
    assert (state["files"], state["unclaimed"]) == (19, 0)


@pytest.mark.slow
def test_voices_made_at_once_are_no_more_than_there_may_be(environment):
    state = scripts.run(SCRIPT, "clone", environment | {"VOICES_PER_ACCOUNT": "7"})
    assert not state["failed"]
    assert state["voices"] == ["ready"] * 7
    assert (state["files"], state["unclaimed"]) == (7, 0)


@pytest.mark.slow
def test_what_is_recorded_while_it_is_erased_is_erased_too(environment):
    state = scripts.run(SCRIPT, "erase", environment)
    assert not state["failed"]
    assert state["voices"] == ["erased"]
    assert (state["versions"], state["files"], state["unclaimed"]) == ([], 0, 0)


@pytest.mark.slow
def test_a_consent_is_withdrawn_once_whoever_records_meanwhile(environment):
    state = scripts.run(SCRIPT, "withdraw", environment)
    assert not state["failed"]
    assert not state["usable"]
    # A version each, and the withdrawal.
    assert state["epoch"] == 19 + 1
