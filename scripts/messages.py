"""Finds every word that people read, brings the catalogues up to date and compiles them.

Words stand in the sources, marked by gettext, and in the models: what the admin shows of those is
asked from ``voxplatform/model_words.py``. What built-in voices are like stands with them.

`make messages` runs it: what is new stands untranslated in locale/*/LC_MESSAGES/*.po, what is gone
is dropped, and tests/test_messages.py fails until everything is translated.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from voices.presets import PRESETS  # noqa: E402

LOCALES = ("zh_Hans", "zh_Hant", "ja")
DOMAINS = ("django", "djangojs")
# What allauth says, as the rest of the portal says things; written by hand, and compiled here.
ENGLISH = ("en", "django")
_APPS = ("accounts", "portal", "speech", "voices", "voxplatform")
_WORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def _sources(domain: str) -> Iterator[tuple[Path, str]]:
    """Every file with words, and the name of what reads it."""
    if domain == "djangojs":
        files = sorted((ROOT / "portal/static/portal").rglob("*.js"))
        yield from ((file, "javascript") for file in files if "vendor" not in file.parts)
        return
    for app in _APPS:
        files = sorted((ROOT / app).rglob("*.py"))
        yield from ((file, "python") for file in files if "gettext" in file.read_text("utf-8"))
    files = sorted((ROOT / "templates").rglob("*.*"))
    yield from ((file, "template") for file in files if "load i18n" in file.read_text("utf-8"))


def _read(file: Path, kind: str) -> bytes:
    text = file.read_text(encoding="utf-8")
    if kind == "template":  # to Python's tokens: indentation would be an error there
        text = "\n".join(line.strip() for line in templatize(text).split("\n"))
    return text.encode()


def extracted(domain: str) -> Catalog:
    """What the sources say now."""
    found = Catalog(fuzzy=False)
    for file, kind in _sources(domain):
        method = "javascript" if kind == "javascript" else "python"
        words = extract(method, io.BytesIO(_read(file, kind)), keywords=_WORDS)
        for _, message, _, context in words:
            found.add(message, locations=[(str(file.relative_to(ROOT)), None)], context=context)
    if domain == "django":
        from voxplatform.model_words import words_shown  # wants Django to be set up

        for module, word in words_shown():
            found.add(word, locations=[(f"{module.replace('.', '/')}.py", None)])
        for preset in PRESETS.values():
            found.add(preset.description, locations=[("voices/presets.py", None)])
    return found


def path(locale: str, domain: str) -> Path:
    return ROOT / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def catalogue(locale: str, domain: str) -> Catalog:
    with path(locale, domain).open("rb") as file:
        return read_po(file, locale=locale, domain=domain)


def compiled(words: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, words)
    return file.getvalue()


def update(locale: str, domain: str) -> int:
    """Write both files of a catalogue; how many messages wait for a translation."""
    words = catalogue(locale, domain)
    words.update(extracted(domain), no_fuzzy_matching=True, update_creation_date=False)
    words.obsolete.clear()
    with path(locale, domain).open("wb") as file:
        write_po(file, words, width=100, sort_output=True)
    path(locale, domain).with_suffix(".mo").write_bytes(compiled(words))
    return sum(not all(_texts(message.string)) for message in words if message.id)


def _texts(string: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """What is new has no string yet."""
    return string if isinstance(string, tuple) else (string or "",)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")
    django.setup()
    path(*ENGLISH).with_suffix(".mo").write_bytes(compiled(catalogue(*ENGLISH)))
    waiting = {f"{la}/{do}": update(la, do) for la in LOCALES for do in DOMAINS}
    for name, count in waiting.items():
        print(f"{name}: {count} to translate")
    sys.exit(any(waiting.values()))


if __name__ == "__main__":
    main()
