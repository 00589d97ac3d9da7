"""The names of our models and of their fields, in the reader's language.

Models say their words in English and once. Here every name, help text and label of a choice is put
behind gettext, and ``scripts/messages.py`` learns which of them the admin shows. It has to happen
before a form is made of a model: a form asks for its labels once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, override

OURS = ("accounts", "voices", "speech")


def translate_models() -> None:
    """Nothing changes for migrations: lazy words equal their own English."""
    for model in _our_models():
        # Django makes a plural of the name when it is asked for: here, while that is English.
        model._meta.verbose_name_plural = gettext_lazy(str(model._meta.verbose_name_plural))
        model._meta.verbose_name = _lazy(model._meta.verbose_name)
        for field in _fields_of(model):
            field.verbose_name = _lazy(field.verbose_name)
            field.help_text = _lazy(field.help_text)
            if field.choices:
                field.choices = [(value, _lazy(label)) for value, label in field.choices]


def words_shown() -> Iterator[tuple[str, str]]:
    """The module of each model, and a word of it that the admin shows, in English."""
    pages = [admin.site.get_model_admin(model) for model in _our_models() if _has_page(model)]
    inlines = {inline.model for page in pages for inline in page.inlines}
    with override(None):
        for model in _our_models():  # who deletes something is told of every kind that goes with it
            names = [model._meta.verbose_name, model._meta.verbose_name_plural]
            if _has_page(model) or model in inlines:
                names += [word for field in _fields_of(model) for word in _words_of(field)]
            yield from ((model.__module__, str(name)) for name in names if name)


def _our_models() -> Iterator[type[models.Model]]:
    return (model for app in OURS for model in apps.get_app_config(app).get_models())


def _has_page(model: type[models.Model]) -> bool:
    return admin.site.is_registered(model)


def _fields_of(model: type[models.Model]) -> list[Any]:
    """Without ids that Django made."""
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    return [field for field in fields if not field.auto_created]


def _words_of(field: Any) -> list[Any]:
    return [field.verbose_name, field.help_text, *(label for _, label in field.choices or ())]


def _lazy(word: Any) -> Any:
    return gettext_lazy(word) if word and not isinstance(word, Promise) else word
