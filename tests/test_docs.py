"""What is not documented does not exist: settings, routes, metrics, error codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from speech.metrics import REGISTRY
from speech.urls import canonical, twins

ROOT = Path(__file__).resolve().parent.parent
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for app in ("accounts", "voices", "speech", "portal", "voxplatform")
    for path in (ROOT / app).rglob("*.py")
)


def settings_read() -> set[str]:
    source = (ROOT / "voxplatform" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'(?:env\.\w+|_secret)\(\s*"([A-Z_]+)"', source))


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_it_documents_every_setting(name):
    assert f"`{name}`" in DOCS["settings.md"]


def test_it_documents_no_setting_that_is_not_read():
    named = set(re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", DOCS["settings.md"], re.MULTILINE))
    assert {item for group in named for item in re.findall(r"[A-Z_]+", group)} == settings_read()


@pytest.mark.parametrize("route", sorted(str(pattern.pattern) for pattern in canonical))
def test_it_documents_every_route(route):
    shown = re.sub(r"<(\w+):(\w+)>", r"{\2}", route).replace("{name}", "{id}")
    assert "/" + shown in DOCS["api.md"]


def test_every_twin_answers_as_its_canonical_route():
    views = {str(pattern.pattern): pattern.callback for pattern in canonical}
    for twin in twins:
        route = str(twin.pattern).strip("/")
        route = route if route.startswith(("v1/", "api/", "mcp")) else f"v1/{route}"
        assert views[route] is twin.callback


def error_table() -> str:
    return DOCS["api.md"].partition("## Errors")[2].partition("## ")[0]


def test_every_code_of_the_error_table_is_raised_somewhere():
    codes = set(re.findall(r"`([a-z_]+)`", error_table()))
    named = {"error", "voice", "name"}
    for code in codes - named:
        assert f'"{code}"' in CODE, code


def test_every_code_that_is_raised_stands_in_the_error_table():
    raised = set(re.findall(r'code(?:: str \| None)? = "([a-z_]+)"', CODE))
    assert raised
    for code in raised:
        assert f"`{code}`" in error_table(), code


def test_it_says_where_any_exception_is_caught_and_why():
    apps = ("accounts", "voices", "speech", "portal", "voxplatform")
    files = [path for app in apps for path in (ROOT / app).rglob("*.py")]
    catching = {
        str(path.relative_to(ROOT))
        for path in files
        if re.search(r"except (Base)?Exception\b|except:", path.read_text(encoding="utf-8"))
    }
    section = DOCS["architecture.md"].partition("## Where any exception is caught")[2]
    assert (
        set(re.findall(r"^\| `(\S+\.py)`", section.partition("## ")[0], re.MULTILINE)) == catching
    )


def test_it_documents_every_metric():
    for family in REGISTRY.collect():
        assert f"`{family.name}`" in DOCS["operations.md"], family.name
