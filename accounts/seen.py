"""Forms of what several people may change at once: none of them writes over what it never showed.

Such a form carries a digest of each value that it showed. Where one of them is another by the time
it is sent, nothing is written, and whoever sent it is told at that field, which then shows what is
there now; what they wrote elsewhere stays in the form. Knows nothing of what the fields mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core import signing
from django.db import models, transaction
from django.utils.translation import gettext as _

_SALT = "accounts.seen"


@contextmanager
def held(row: models.Model) -> Iterator[None]:
    """The row as it is now, and nobody else's until what is decided about it is written."""
    with transaction.atomic():
        if not row._state.adding:
            row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())
        yield


class SeenField(forms.CharField):
    """What was shown: name by name, a digest. Shown again, a form has seen what is there now."""

    def __init__(self, shown: Callable[[], str]) -> None:
        anonymous = forms.HiddenInput(attrs={"id": False})  # a page may have several such forms
        super().__init__(label="", required=False, widget=anonymous, initial=shown)

    def clean(self, value: Any) -> dict[str, str] | None:
        """None where it is missing, or was made by somebody else."""
        try:
            seen: dict[str, str] = signing.loads(value or "", salt=_SALT)
        except signing.BadSignature:
            return None
        return seen

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class SeenForm(forms.BaseForm):
    """To be mixed into a form of what is there already; validate it while that is ``held``."""

    refusal = ""  # why it is not written, where that is for what happened meanwhile

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = False  # what is there counts, not what was sent along
        self.fields["seen"] = SeenField(lambda: signing.dumps(self._shown(), salt=_SALT))

    def _shown(self) -> dict[str, str]:
        return {
            name: hashlib.sha256(repr(self[name].initial).encode()).hexdigest()[:12]
            for name in self.fields
            if name != "seen"
        }

    def clean(self) -> dict[str, Any]:
        super().clean()
        seen = self.cleaned_data.pop("seen")
        if seen is None:
            self.refusal = _("This form is too old. Please open it again.")
            self.add_error(None, self.refusal)
            return self.cleaned_data
        for name, digest in self._shown().items():
            if seen.get(name) != digest:
                self._show_anew(name)
        return self.cleaned_data

    def _show_anew(self, name: str) -> None:
        self.fields[name].bound_data = lambda data, initial: initial  # type: ignore[method-assign]
        self.refusal = _(
            "This was changed meanwhile, and is shown as it is now. Please look again."
        )
        self.add_error(name, self.refusal)
