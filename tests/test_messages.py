"""The catalogues say everything that the sources say, in every language, and are compiled."""

from __future__ import annotations

import functools
import re

import pytest

from scripts import messages

CATALOGUES = [(locale, domain) for locale in messages.LOCALES for domain in messages.DOMAINS]
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ 0]*\d*(?:\.\d+)?[a-zA-Z%]")
every_catalogue = pytest.mark.parametrize(("locale", "domain"), CATALOGUES)
found = functools.cache(messages.extracted)
kept = functools.cache(messages.catalogue)


class Anything(dict):
    """A value for every name."""

    def __missing__(self, name):
        return 1


def entries(catalogue):
    return {(message.context, message.id): message for message in catalogue if message.id}


def texts(of):
    return [of] if isinstance(of, str) else list(of)


def placeholders(text):
    return sorted(one for one in PLACEHOLDER.findall(text) if one != "%%")


@every_catalogue
def test_it_holds_what_the_sources_say_and_nothing_else(locale, domain):
    assert set(entries(kept(locale, domain))) == set(entries(found(domain))), "run make messages"
    assert not kept(locale, domain).obsolete


@every_catalogue
def test_everything_is_translated(locale, domain):
    waiting = [
        message.id
        for message in entries(kept(locale, domain)).values()
        if message.fuzzy or not all(texts(message.string))
    ]
    assert not waiting


@every_catalogue
def test_translations_keep_placeholders_and_the_ends_of_lines(locale, domain):
    for message in entries(kept(locale, domain)).values():
        of_many = texts(message.id)[-1]  # these languages have one form for any number
        for text in texts(message.string):
            assert placeholders(text) == placeholders(of_many), text
            assert text.count("\n") == of_many.count("\n"), text


@pytest.mark.parametrize("locale", [*messages.LOCALES, messages.ENGLISH[0]])
def test_translations_can_be_filled_in(locale):
    """Where a sign of per cent stands alone Django shows the English, and tells nobody."""
    filled = 0
    for message in entries(kept(locale, "django")).values():
        for text in texts(message.string) if placeholders(texts(message.id)[0]) else ():
            text % (Anything() if "%(" in text else (1,) * len(placeholders(text)))
            filled += 1
    assert filled


@pytest.mark.parametrize(("locale", "domain"), [*CATALOGUES, messages.ENGLISH])
def test_the_compiled_catalogue_is_what_the_source_compiles_to(locale, domain):
    compiled = messages.path(locale, domain).with_suffix(".mo").read_bytes()
    assert compiled == messages.compiled(kept(locale, domain)), "run make messages"


def test_the_words_of_pages_scripts_and_mail_are_found():
    words = {message for _, message in entries(found("django"))}
    assert {"Sign in", "Owner", "There is no page here"} <= words
    assert any(isinstance(word, tuple) for word in words)
    assert any("invites you to the account" in word for word in words if isinstance(word, str))
    assert (None, "Copied") in entries(found("djangojs"))
