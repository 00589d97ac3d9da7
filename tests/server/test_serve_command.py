"""`manage.py serve`: who looks as if they had a key, a taken port, the first start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from accounts import keys
from tests.live import LiveServer, manage
from voxplatform.management.commands.serve import limits, shows_credentials

from .live import ROOT

KEY = keys.make_key()
CREDENTIALS = [
    (b"authorization", f"Bearer {KEY}", True),
    (b"authorization", f"bearer  {KEY} ", True),
    (b"authorization", f"Bearer {KEY[:-1]}x", False),
    (b"authorization", f"Bearer Bearer {KEY}", False),
    (b"authorization", f"Basic {KEY}", False),
    (b"authorization", "Bearer ", False),
    (b"authorization", "Bearer é", False),
    (b"authorization", f"Bearer {'x' * 1_000_000}", False),
    (b"x-api-key", KEY, False),
    (b"cookie", "theme=dark; sessionid=abc", True),
    (b"cookie", "theme=sessionid", False),
    (b"cookie", "xsessionid=abc", False),
    (b"cookie", "=;;;==", False),
]


@pytest.mark.parametrize(
    ("name", "value", "plausible"), CREDENTIALS, ids=map(str, range(len(CREDENTIALS)))
)
def test_it_lets_in_large_bodies_by_the_look_of_their_credentials(
    name: bytes, value: str, plausible: bool
) -> None:
    assert shows_credentials([(name, value.encode("latin-1"))]) is plausible


def test_it_takes_a_request_without_headers_for_anonymous() -> None:
    assert not shows_credentials([])


def test_only_recordings_may_be_larger_than_json() -> None:
    found = limits()
    assert found.body_cap("/v1/audio/speech") == settings.MAX_BODY_BYTES
    for path in ("/v1/audio/voices", "/v1/audio/voice_consents", "/api/voices", "/api/consents"):
        assert found.body_cap(path) == settings.MAX_UPLOAD_BYTES


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("CommandError: Cannot listen on 127.0.0.1 port ")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_first_start_without_bootstrap_brings_its_static_files(tmp_path: Path) -> None:
    manage(tmp_path, "migrate", "--verbosity=0")
    with LiveServer(tmp_path) as server:
        assert server.get("/static/unfold/css/styles.css").status_code == 200
        assert "No directory at" not in server.log
