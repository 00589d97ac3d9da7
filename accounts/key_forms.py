"""What every form of API keys is made of, the portal's and the admin's.

A form to make a key carries the signed id that the key will have: sent twice, however fast, the
second meets an id that is taken, and one form makes one key. Knows nothing of how a form looks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from accounts import keys

_SALT = "accounts.issue-key"
_FORM_LIVES = timedelta(hours=12)
_GRACE = [
    (0, _("not at all")),
    (1, _("1 hour")),
    (24, _("1 day")),
    (168, _("7 days")),
    (720, _("30 days")),
]


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.widget.attrs["rows"] = 2

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class TicketField(forms.CharField):
    """The id of the key to be made: drawn with the form, not with the answer."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(label="", initial=lambda: signing.dumps(keys.make_id(), salt=_SALT))

    def clean(self, value: Any) -> str:
        """The id that was drawn; nobody can choose one."""
        try:
            drawn: str = signing.loads(super().clean(value), salt=_SALT, max_age=_FORM_LIVES)
        except signing.BadSignature:
            raise forms.ValidationError(_("This form is too old. Please open it again.")) from None
        return drawn


class GraceField(forms.TypedChoiceField):
    """How long the old key goes on working beside the new one."""

    def __init__(self, **options: Any) -> None:
        label, coerce = _("The old key still works for"), lambda hours: timedelta(hours=int(hours))
        super().__init__(label=label, choices=_GRACE, coerce=coerce, initial=24, **options)
