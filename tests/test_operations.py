"""What docs/operations.md tells people to run is run here, on a data directory of its own."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import yaml
from django.conf import settings
from django.core.management import get_commands

from tests.live import ROOT, LiveServer, child_environment, manage

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    """The one block of the page with this word in it."""
    [found] = [
        text
        for text in re.findall(rf"```{language}\n(.*?)```", OPERATIONS, re.DOTALL)
        if word in text
    ]
    return found


@pytest.fixture
def place(migrated_dir, tmp_path):
    """A checkout's folder as the page sees it: manage.py and deploy/, with data/ beside them."""
    for name in ("manage.py", "deploy"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(migrated_dir, tmp_path / "data")
    return tmp_path


def paste(place: Path, script: str) -> str:
    """Run a block as it stands, but with the Python of these tests."""
    done = subprocess.run(
        ["sh", "-euc", script.replace(".venv/bin/python", shlex.quote(sys.executable))],
        cwd=place,
        env=child_environment(place / "data", SPEECH_ENGINE="tone"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_makes_a_key_that_may_speak(place):
    raw = paste(place, block("sh", "createapikey")).strip()
    assert re.fullmatch(r"vox_\w+", raw)
    with sqlite3.connect(place / "data/voxplatform.sqlite3") as database:
        [row] = database.execute("SELECT name, scopes FROM accounts_apikey").fetchall()
    assert row == ("Kitchen radio", '["speech"]')


@pytest.mark.slow
def test_it_speaks_from_the_shell(place):
    paste(place, block("sh", "manage.py say"))
    assert soundfile.info(place / "morning.mp3").duration > 0.5


@pytest.mark.slow
def test_a_backup_of_a_running_server_brings_back_keys_and_media(place):
    data = place / "data"
    raw = manage(data, "createapikey", "kept").strip()
    (data / "media").mkdir()
    (data / "media" / "voice.wav").write_bytes(b"RIFF")
    with LiveServer(data):
        paste(place, block("sh", "manage.py backup"))
    assert (place / "backup.tar.gz").stat().st_mode & 0o077 == 0, "the secrets are in it"
    (data / "secrets" / "key_pepper").write_text("another")
    paste(place, block("sh", "manage.py restore"))
    assert list(data.glob("replaced-*/secrets"))
    assert (data / "media" / "voice.wav").read_bytes() == b"RIFF"
    with LiveServer(data) as server:
        assert server.get("/api/usage", raw).status_code == 200
    number, digest = paste(place, block("sh", "verifyaudit")).split()
    assert (number, len(digest)) == ("1", 64)


@pytest.mark.slow
def test_a_backup_needs_no_media_and_restores_onto_an_empty_machine(place):
    paste(place, block("sh", "manage.py backup"))
    shutil.rmtree(place / "data")
    (place / "data").mkdir()
    paste(place, block("sh", "manage.py restore"))
    kept = {path.name for path in (place / "data").iterdir() if path.name[:8] != "replaced"}
    assert kept == {"secrets", "voxplatform.sqlite3"}


ERASED = """
from accounts.audit import Actor
from accounts.models import Account
from tests.voices.conftest import prepared
from voices.models import Origin, Voice, VoiceConsent
origin = Origin(Actor.of_command("test"))
account = Account.objects.default()
consent = VoiceConsent.attest(account, "Xanthippe says that this is her voice.", origin)
for name in ("Xanthippe", "Kept"):
    Voice.clone(account, name, prepared(), consent, origin, transcript=f"{name} spoke.")
"""
ERASE = """
from accounts.audit import Actor
from voices.models import Voice
Voice.objects.get(name="Xanthippe").consent.erase(Actor.of_command("test"))
Voice.objects.get(name="Xanthippe").erase(Actor.of_command("test"))
"""


@pytest.mark.slow
def test_what_was_erased_after_a_backup_stays_erased(place):
    data = place / "data"
    manage(data, "shell", "-c", ERASED)
    recordings = sorted((data / "media").rglob("*.wav"))
    paste(place, block("sh", "manage.py backup"))
    manage(data, "shell", "-c", ERASE)
    assert sorted((data / "media").rglob("*.wav")) != recordings
    assert "1 wait" not in paste(place, block("sh", "manage.py restore"))
    holding = [
        found for found in data.rglob("*") if found.is_file() and b"Xanthippe" in found.read_bytes()
    ]
    assert holding == []
    assert len(list((data / "media").rglob("*.wav"))) == 1
    with sqlite3.connect(data / "voxplatform.sqlite3") as database:
        states = database.execute(
            "SELECT state, name FROM voices_voice WHERE account_id IS NOT NULL ORDER BY id"
        ).fetchall()
    assert states == [("erased", ""), ("ready", "Kept")]


@pytest.mark.slow
def test_a_restore_refuses_what_is_no_backup(place):
    (place / "other").write_text("x")
    subprocess.run(["tar", "czf", "backup.tar.gz", "other"], cwd=place, check=True)
    before = (place / "data" / "voxplatform.sqlite3").read_bytes()
    with pytest.raises(AssertionError, match="no backup"):
        paste(place, block("sh", "manage.py restore"))
    assert (place / "data" / "voxplatform.sqlite3").read_bytes() == before


def unit() -> configparser.RawConfigParser:
    """systemd repeats names, which configparser does not allow: the repeated one is not read."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(block("ini", "[Service]"))
    return parser


def test_the_unit_runs_commands_that_are_there():
    service = unit()["Service"]
    for order, command in (("ExecStartPre", "bootstrap"), ("ExecStart", "serve")):
        python, script, name = shlex.split(service[order])
        assert python == f"{service['WorkingDirectory']}/.venv/bin/python"
        assert (ROOT / script).is_file()
        assert name == command
        assert name in get_commands()


def test_the_unit_gives_running_answers_time_to_finish():
    assert float(unit()["Service"]["TimeoutStopSec"]) > settings.DRAIN_SECONDS


def test_the_unit_sets_settings_that_exist():
    named = re.findall(r"^Environment=(\w+)=", block("ini", "[Service]"), re.MULTILINE)
    assert named
    assert all(hasattr(settings, name) for name in named)


def locations() -> dict[str, list[str]]:
    """nginx's locations and the directives of each."""
    text = re.sub(r"#.*", "", block("nginx", "proxy_pass"))
    found = re.findall(r"location ([^{]+) \{([^{}]*)\}", text)
    assert text.count("{") == text.count("}") == len(found)
    return {
        path: [" ".join(line.split()) for line in body.split(";") if line.strip()]
        for path, body in found
    }


@pytest.mark.parametrize(
    "directive",
    [
        "proxy_http_version 1.1",
        "proxy_buffering off",
        "proxy_set_header Host $host",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
        "proxy_set_header X-Forwarded-Proto $scheme",
    ],
)
def test_nginx_hands_speech_on_as_it_comes(directive):
    assert directive in locations()["/"]


def test_nginx_keeps_the_metrics_from_the_world():
    assert locations()["= /metrics"] == ["deny all"]


def test_nginx_lets_the_platform_refuse_large_bodies():
    [size] = [line for line in locations()["/"] if line.startswith("client_max_body_size")]
    assert int(size.split()[1].removesuffix("m")) * 1024**2 > settings.MAX_UPLOAD_BYTES


def test_the_containers_get_every_secret_they_ask_for(place):
    first, *others = block("sh", "docker compose up").splitlines()
    paste(place, first)
    written = re.findall(r"^(\w+)=.+$", (place / ".env").read_text(), re.MULTILINE)
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(written) == set(re.findall(r"\$\{(\w+):\?", compose))
    services = yaml.safe_load(compose)["services"]
    assert "web" in services
    assert any(line.startswith("docker compose logs web ") for line in others)
