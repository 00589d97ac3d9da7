"""`manage.py fetchmodel` and `make model`: the size, the bar, the model, or one sentence."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from speech.engine.voxcpm.checkpoint import find_checkpoint, is_whole
from tests.engine.voxcpm.files import write_checkpoint
from tests.live import ROOT, child_environment


@pytest.fixture
def hubs(settings, hub_server, models_dir):
    settings.MODEL_HUBS = dict.fromkeys(settings.MODEL_HUBS, (hub_server.url, ""))
    return hub_server


def fetchmodel(*arguments):
    out = StringIO()
    call_command("fetchmodel", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_it_fetches_voxcpm2_from_hugging_face_unless_told_otherwise(hubs, models_dir):
    first, last = fetchmodel()
    assert first.startswith("openbmb/VoxCPM2 from Hugging Face: 961 kB in 6 files; ")
    assert last.startswith(f"The model is in {models_dir / 'voxcpm2'}.")
    assert find_checkpoint(models_dir) == models_dir / "voxcpm2"


def test_it_fetches_another_from_the_other_hub(hubs, models_dir):
    first, _ = fetchmodel("voxcpm-0.5b", "--from", "modelscope")
    assert first.startswith("OpenBMB/VoxCPM-0.5B from ModelScope: ")
    assert is_whole(models_dir / "voxcpm-0.5b")


def test_a_model_that_is_there_is_only_named(hubs):
    fetchmodel("voxcpm1.5")
    hubs.requests.clear()
    (line,) = fetchmodel("voxcpm1.5")
    assert line.startswith("The model is in ")
    assert not hubs.requests


def test_it_links_a_directory(hubs, models_dir, tmp_path):
    mine = write_checkpoint(tmp_path / "mine")
    (line,) = fetchmodel(str(mine))
    assert str(models_dir / "mine") in line
    assert find_checkpoint(models_dir).resolve() == mine
    assert not hubs.requests


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("someone/nothing", "There is no model someone/nothing on Hugging Face"),
        ("/no/where", "There is no directory /no/where."),
        ("voxcpm3", "'voxcpm3' is neither the name of a model"),
    ],
)
def test_what_fails_is_one_sentence(hubs, model, sentence):
    with pytest.raises(CommandError, match=sentence):
        fetchmodel(model)


def in_a_terminal(data_dir, url, *, interrupt_when=None):
    """Run it with a terminal for its eyes: what that showed, and how it ended."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "fetchmodel"],
        cwd=ROOT,
        env=child_environment(data_dir, HF_ENDPOINT=url),
        stdout=theirs,
        stderr=theirs,
        # As at a terminal, also where these tests were sent to the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(theirs)
    if interrupt_when:
        assert interrupt_when.wait(20)
        process.send_signal(signal.SIGINT)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
        while block := os.read(ours, 65536):
            shown += block
    os.close(ours)
    return shown.decode(), process.wait(20)


@pytest.mark.slow
def test_a_terminal_sees_a_bar(hub_server, tmp_path):
    shown, status = in_a_terminal(tmp_path, hub_server.url)
    assert status == 0, shown
    assert "0.00/961k" in shown
    assert is_whole(tmp_path / "models" / "voxcpm2")


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_fetched(hub_server, tmp_path):
    hub_server.hold_after = 300_000
    shown, status = in_a_terminal(tmp_path, hub_server.url, interrupt_when=hub_server.held)
    assert status == 1
    assert "Stopped. What was fetched is kept" in shown
    assert "Traceback" not in shown
    assert list((tmp_path / "models").rglob("*.incomplete"))


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], 'fetchmodel "voxcpm2"'),
        (["MODEL=voxcpm1.5", "FROM=modelscope"], 'fetchmodel "voxcpm1.5" --from "modelscope"'),
    ],
)
def test_make_model_is_this_command(arguments, command):
    shown = subprocess.run(
        ["make", "-n", "model", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert command in shown.stdout
