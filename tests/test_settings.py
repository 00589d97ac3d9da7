"""What cannot be read is refused in one sentence that names the setting, before anything starts."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.live import ROOT, child_environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "80x"),
        ("PORT", "99999"),
        ("MAX_INPUT_CHARACTERS", "many"),
        ("ENGINE_CONFIG", "{"),
        ("SITE_URL", "speech.example.com"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(monkeypatch, tmp_path, name, value):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        runpy.run_path(str(ROOT / "voxplatform" / "settings.py"))


def test_a_command_says_it_in_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=child_environment(tmp_path, MAX_INPUT_CHARACTERS="many"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("MAX_INPUT_CHARACTERS")
