"""`manage.py bootstrap`: an admin and a key on the first start, nothing made twice."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_root(settings: Settings, tmp_path: Path) -> Path:
    """Static files go aside, uncompressed: compressing them takes many seconds."""
    settings.STATIC_ROOT = tmp_path / "static"
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    return tmp_path / "static"


def bootstrap() -> str:
    output = StringIO()
    call_command("bootstrap", stdout=output)
    return output.getvalue()


def test_it_makes_an_admin_and_a_key_and_prints_both() -> None:
    output = bootstrap()

    [user], [key] = User.objects.all(), ApiKey.objects.all()
    [password] = [line.split()[1] for line in output.splitlines() if "Password" in line]
    [raw] = [line.split()[2] for line in output.splitlines() if "API key   " in line]
    assert user.is_superuser and user.check_password(password)
    assert ApiKey.objects.for_key(raw) == key
    assert key.account.personal_of == user
    assert output.count(raw) == 3  # on its own, in the curl line and in the snippet


def test_it_makes_nothing_twice() -> None:
    bootstrap()

    output = bootstrap()

    assert output.startswith("Everything is in place")
    assert (User.objects.count(), ApiKey.objects.count()) == (1, 1)


def test_it_leaves_a_platform_alone_that_has_an_admin() -> None:
    User.objects.create_superuser("root")

    assert "vox_" not in bootstrap()
    assert not ApiKey.objects.exists()


def test_it_does_not_issue_a_new_key_when_the_first_was_deleted() -> None:
    bootstrap()
    ApiKey.objects.all().delete()

    assert "vox_" not in bootstrap()
    assert not ApiKey.objects.exists()


def test_it_collects_static_files_only_when_one_changed(static_root: Path) -> None:
    bootstrap()
    collected = next(path for path in static_root.rglob("*.css"))
    os.utime(collected, (1, 1))

    bootstrap()
    assert collected.stat().st_mtime == 1

    static_root.with_suffix(".stamp").write_text("another state of the sources")
    bootstrap()
    assert collected.stat().st_mtime != 1
