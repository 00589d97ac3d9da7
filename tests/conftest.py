"""What every test may use: a place for data that is not ``data/``, services, and three people.

Alice owns an account, Bob is a member of it, Charlie is a stranger who must see nothing.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

import django
import pytest
from django.conf import settings

from tests.choosing import (  # hooks of pytest, which it finds here
    POSTGRES,
    RUN_SLOW,
    pytest_collection,  # noqa: F401
    pytest_collection_modifyitems,  # noqa: F401
    pytest_runtest_setup,  # noqa: F401
    pytest_terminal_summary,  # noqa: F401
    pytest_xdist_make_scheduler,  # noqa: F401
)

pytest_plugins = ["schemathesis.pytest.plugin"] if RUN_SLOW else []
ROOT = Path(__file__).resolve().parent.parent
assert "voxplatform.settings" not in sys.modules, "the settings were read before DATA_DIR was set"
DATA_DIR = Path(tempfile.mkdtemp(prefix="voxplatform-tests-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
os.environ.update(DATA_DIR=str(DATA_DIR), DJANGO_SETTINGS_MODULE="voxplatform.settings")
for name in (
    "DATABASE_URL",
    "REDIS_URL",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "DEBUG",
    "SPEECH_ENGINE",
    "MODELS_DIR",
    "SPEECH_MODEL",
    "DEVICE",
    "DTYPE",
):
    os.environ.pop(name, None)
django.setup()
# Not for workers of pytest-xdist: they would read the settings before they come to this file.
del os.environ["DJANGO_SETTINGS_MODULE"]
# Slow on purpose is for people's passwords, not for those of these tests.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ISSUE_KEYS = """
from accounts.models import SCOPES, Account, ApiKey
for name in ("tests", "spare"):
    print(ApiKey.issue(Account.objects.default(), name, list(SCOPES))[0])
"""


@pytest.fixture(scope="session")
def django_db_keepdb():
    """Of several test processes each takes a copy of one migrated database: that costs seconds."""
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_keepdb, request):
    """A file, because a database in memory is one thread's own. ``DATA_DIR`` is this process's."""
    file = DATA_DIR / "test.sqlite3"
    if django_db_keepdb:
        shutil.copy(request.getfixturevalue("migrated_dir") / "voxplatform.sqlite3", file)
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(file)


@pytest.fixture
def models_to_ask_for(db):
    """The rows that a migration made, also where a transactional test has emptied the tables."""
    from importlib import import_module

    from django.apps import apps

    import_module("speech.migrations.0002_models_to_ask_for").add_models(apps, None)


@contextmanager
def _postgres_database(template="template1"):
    """The name of a PostgreSQL database that begins as ``template`` is, dropped afterwards."""
    import psycopg

    name = f"voxplatform_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgres(tmp_path_factory):
    """A migrated database, to be copied: to migrate each one costs seconds."""
    from tests.live import manage

    secrets = dict.fromkeys(("SECRET_KEY", "KEY_PEPPER"), "a secret of a test " * 4)
    with _postgres_database() as name:
        place = tmp_path_factory.mktemp("migrated")
        manage(place, "migrate", "--verbosity=0", DATABASE_URL=f"{POSTGRES}/{name}", **secrets)
        yield name


@pytest.fixture
def postgres_url(migrated_postgres):
    """A migrated PostgreSQL database of its own."""
    with _postgres_database(migrated_postgres) as name:
        yield f"{POSTGRES}/{name}"


@pytest.fixture
def alice(db, django_user_model):
    return django_user_model.objects.create_user("alice", "alice@example.com", "alice's password")


@pytest.fixture
def account(alice):
    """Alice's, personal at first."""
    from accounts.models import Account

    return Account.objects.for_user(alice)


@pytest.fixture
def bob(account, django_user_model):
    from accounts.models import Membership

    bob = django_user_model.objects.create_user("bob", "bob@example.com", "bob's password")
    Membership.objects.create(user=bob, account=account)
    return bob


@pytest.fixture
def charlie(db, django_user_model):
    return django_user_model.objects.create_user("charlie", "c@example.com", "charlie's password")


@pytest.fixture
def issued(account, alice):
    """The text of a key of Alice's account, and the key."""
    from accounts.models import ApiKey

    return ApiKey.issue(account, "Alice's laptop", created_by=alice)


@pytest.fixture
def raw_key(issued):
    return issued[0]


@pytest.fixture
def api_key(issued):
    return issued[1]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The directories that a hub holds; about a megabyte of weights in each."""
    from speech.engine.voxcpm.checkpoint import KNOWN
    from tests.engine.voxcpm.files import write_checkpoint

    root = tmp_path_factory.mktemp("hub")
    for name in KNOWN:
        directory = write_checkpoint(root / name, name, padding=60_000)
        (directory / ".gitattributes").write_text("*.bin filter=lfs\n")
        (directory / "README.md").write_text(f"# {name}\n")
        (directory / "tokenization.py").write_text("raise SystemExit('a hub's code never runs')")
    return root


@pytest.fixture
def hub_server(published):
    """Hugging Face and ModelScope at an address of this machine, with all three models."""
    from speech.engine.voxcpm.checkpoint import KNOWN
    from tests.hub.server import HubServer

    with HubServer() as server:
        for name, model in KNOWN.items():
            server.models[model] = published / name
            server.models[model.replace("openbmb", "OpenBMB")] = published / name
        yield server


@pytest.fixture
def models_dir(tmp_path, settings):
    """An empty place for models, which the settings name."""
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """``made_once(name, make)`` is a folder that ``make(folder)`` has filled, once for all test
    processes of a run: each command of ours takes more than a second."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent

    def made_once(name, make):
        folder = place / name
        with (place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                shutil.rmtree(place / f"{name}.part", ignore_errors=True)
                make(place / f"{name}.part")
                (place / f"{name}.part").rename(folder)
        return folder

    return made_once


@pytest.fixture(scope="session")
def tiny(made_once):
    """``tiny("voxcpm2")`` is a folder with a tiny random model: to be read, not changed."""

    def tiny(architecture):
        from tests.engine.voxcpm.checkpoints import build_tiny

        return made_once(f"tiny-{architecture}", lambda folder: build_tiny(folder, architecture))

    return tiny


@pytest.fixture(scope="session")
def migrated_dir(made_once):
    """A data directory with a migrated database: to be copied, not used.

    An empty place for static files keeps servers from compressing them, which takes many seconds.
    """
    from tests.live import manage

    def make(folder):
        folder.mkdir()
        manage(folder, "migrate", "--verbosity=0")
        (folder / "static").mkdir()

    return made_once("migrated", make)


@pytest.fixture(scope="session")
def keyed_dir(made_once, migrated_dir):
    """One in which somebody has keys; ``keys.txt`` beside it holds their texts."""
    from tests.live import manage

    def make(folder):
        shutil.copytree(migrated_dir, folder)
        keys = manage(folder, "shell", "-c", ISSUE_KEYS).splitlines()[-2:]
        (folder.parent / "keys.txt").write_text("\n".join(keys))

    return made_once("keyed", make)


@pytest.fixture(scope="session")
def _keys(keyed_dir):
    return (keyed_dir.parent / "keys.txt").read_text().splitlines()


@pytest.fixture(scope="session")
def live_key(_keys):
    """A key for every live server, with every scope."""
    return _keys[0]


@pytest.fixture(scope="session")
def spare_key(_keys):
    """One for a test that takes it away."""
    return _keys[1]


@pytest.fixture(scope="module")
def data_dir(keyed_dir, live_key, tmp_path_factory):
    """A data directory of this module's own, ready to serve from."""
    return shutil.copytree(keyed_dir, tmp_path_factory.mktemp("live") / "data")


@pytest.fixture(scope="module")
def server(data_dir):
    """The platform, live, with the tone engine. Tests that turn faults on turn them off again."""
    from tests.live import LiveServer

    with LiveServer(data_dir) as server:
        yield server
