"""Which Host headers are ours: the site's, the address listened on, and always loopback."""

from __future__ import annotations

import runpy
import sqlite3

import pytest
import soundfile

from speech.local import withdraw
from tests.live import ROOT, LiveServer, manage
from voxplatform.management.commands import serve
from voxplatform.network import LOOPBACK


@pytest.fixture
def allowed_hosts(monkeypatch, tmp_path):
    """What the settings come to in an environment. Nothing reads this copy of them."""

    def allowed_hosts(**environment):
        for name in ("HOST", "PORT", "SITE_URL", "ALLOWED_HOSTS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return set(runpy.run_path(str(ROOT / "voxplatform" / "settings.py"))["ALLOWED_HOSTS"])

    return allowed_hosts


@pytest.mark.parametrize(
    ("environment", "further"),
    [
        ({}, []),
        ({"SITE_URL": "https://speech.example.com"}, ["speech.example.com"]),
        ({"SITE_URL": "http://[fd00::1]:8000"}, ["[fd00::1]"]),
        ({"HOST": "192.168.1.5"}, ["192.168.1.5"]),
        ({"HOST": "fd00::1"}, ["[fd00::1]"]),
        ({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "a.example,b.example"}, ["a.example", "b.example"]),
    ],
    ids=str,  # of lists, for two test processes must name them alike
)
def test_it_answers_to_its_names_and_to_loopback(allowed_hosts, environment, further):
    assert allowed_hosts(**environment) == {*LOOPBACK, *further}


@pytest.mark.slow
def test_a_site_under_https_is_at_home_on_its_own_machine(data_dir, live_key, tmp_path):
    environment = {"SITE_URL": "https://speech.example.com", "HOST": "0.0.0.0"}
    file = tmp_path / "hello.wav"
    with LiveServer(data_dir, environment) as server:
        assert server.get("/metrics").status_code == 200
        assert server.get("/v1/models", live_key).status_code == 200
        assert server.get("/").headers["location"] == f"https://127.0.0.1:{server.port}/"
        with server.http(live_key) as http:
            rebound = http.get("/v1/models", headers={"host": "rebound.example.net"})
        assert rebound.status_code == 400
        manage(data_dir, "say", "Hello.", "-o", str(file), SPEECH_ENGINE="espeak")
        assert "VoxPlatform is ready at https://speech.example.com\n" in server.log
    assert soundfile.info(file).duration > 0
    with sqlite3.connect(data_dir / "voxplatform.sqlite3") as database:
        # The server spoke, not an engine of the command's own.
        rows = database.execute("SELECT face, engine, outcome FROM speech_usagerecord").fetchall()
    assert rows == [("native", "tone", "completed")]


def test_listening_everywhere_names_an_address_to_go_to(capsys):
    try:
        serve.Command().announce("0.0.0.0", 9123)
    finally:
        withdraw()
    assert capsys.readouterr().out == "VoxPlatform is ready at http://127.0.0.1:9123\n"
