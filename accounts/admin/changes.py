"""What a form of the admin changed, as the audit log tells it: each field before and after.

Knows nothing of what the fields mean. What is no field of the model, as a password that is typed,
is never told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models


def changes_of(form: Any, formsets: Iterable[Any], private: Iterable[str]) -> dict[str, Any]:
    """``{"name": ["before", "after"]}``, and the rows beside it that were added or taken away."""
    changes = _fields_of(form, private)
    for formset in formsets:
        rows = {
            "added": [str(row) for row in formset.new_objects],
            "changed": [str(row) for row, _ in formset.changed_objects],
            "deleted": [str(row) for row in formset.deleted_objects],
        }
        if any(rows.values()):
            changes[str(formset.model._meta.model_name)] = {
                verb: names for verb, names in rows.items() if names
            }
    return changes


def _fields_of(form: Any, private: Iterable[str]) -> dict[str, Any]:
    options = form.instance._meta
    known = {field.name for field in (*options.concrete_fields, *options.many_to_many)}
    changed = [name for name in form.changed_data if name in known]
    return {
        name: "changed"
        if name in private
        else [_plain(form.initial.get(name)), _plain(form.cleaned_data[name])]
        for name in changed
    }


def _plain(value: Any) -> Any:
    """As JSON can hold it; rows by their keys."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | models.QuerySet):
        return [_plain(item) for item in value]
    return value
