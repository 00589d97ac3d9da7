"""``manage.py say``: the same path from a shell, with and without a server that runs."""

from __future__ import annotations

import shutil
import sqlite3

import pytest
import soundfile
from django.core.management import CommandError, call_command

from tests.live import manage

TEXT = "Good morning from the shell."


@pytest.fixture(scope="module")
def empty_dir(migrated_dir, tmp_path_factory):
    """A data directory on which nobody has an account yet."""
    return shutil.copytree(migrated_dir, tmp_path_factory.mktemp("say") / "data")


def rows(data_dir):
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        query = "SELECT face, outcome, characters_charged, engine FROM speech_usagerecord"
        return database.execute(f"{query} ORDER BY id").fetchall()


@pytest.mark.slow
def test_it_speaks_with_an_engine_of_its_own_and_is_metered(empty_dir, tmp_path):
    file = tmp_path / "hello.wav"
    manage(empty_dir, "say", TEXT, "-o", str(file), SPEECH_ENGINE="tone")
    assert soundfile.info(file).duration > 1
    assert rows(empty_dir)[-1] == ("say", "completed", len(TEXT), "tone")


@pytest.mark.slow
def test_it_speaks_through_the_server_that_runs(server, live_key, data_dir, tmp_path):
    file = tmp_path / "hello.flac"
    manage(data_dir, "say", TEXT, "-o", str(file), "--voice", "nova", SPEECH_ENGINE="espeak")
    assert soundfile.info(file).duration > 1
    # The server's engine spoke, not one of the command's own.
    assert rows(data_dir)[-1] == ("native", "completed", len(TEXT), "tone")


@pytest.mark.slow
def test_it_says_that_the_server_broke_off_and_leaves_no_file(server, data_dir, tmp_path):
    server.set_faults(raise_at=20)
    with pytest.raises(AssertionError, match="CommandError: The server broke off"):
        manage(data_dir, "say", TEXT * 20, "-o", str(tmp_path / "x.mp3"))
    server.set_faults()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_it_keeps_one_key_for_all_commands(server, data_dir, tmp_path):
    key = data_dir / "secrets" / "command_key"
    assert key.exists(), "another command has spoken before"
    manage(data_dir, "say", TEXT, "-o", str(tmp_path / "again.mp3"))
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        query = "SELECT count(*) FROM accounts_apikey WHERE name = 'commands on this machine'"
        assert database.execute(query).fetchone() == (1,)
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "x.doc"], "Name a --format"),
        (["-o", "x.mp3", "--voice", "nobody"], "There is no voice of that name"),
        (["-o", "x.mp3", "--speed", "9"], "--speed lies between"),
        (["-o", "absent/x.mp3"], "There is no directory absent"),
    ],
)
def test_it_says_in_one_sentence_what_is_wrong(db, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=sentence):
        call_command("say", TEXT, *arguments)
    assert not list(tmp_path.iterdir())
