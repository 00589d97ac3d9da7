"""The forms behind API keys: issuing, changing, rotating.

A form to issue a key carries the signed id that key will have. Sent twice, however fast, the second
meets an id that is taken: one form makes one key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts import keys
from accounts.models import SCOPES, ApiKey, default_scopes

_SALT = "accounts.issue-key"
_FORM_LIVES = timedelta(hours=12)
WHAT_SCOPES_ALLOW = {
    "speech": "speech – speak",
    "voices": "voices – list and make voices",
    "jobs": "jobs – long texts in the background",
    "usage": "usage – read what was used",
    "engine": "engine – load and unload the model",
    "metrics": "metrics – read /metrics",
}


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, *, help_text: str) -> None:
        super().__init__(required=False, help_text=help_text)
        self.widget.attrs["rows"] = 3

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A key's name, rights and limits."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, WHAT_SCOPES_ALLOW[scope]) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=default_scopes,
    )
    allowed_voices = LinesField(help_text="One a line. Empty: every voice.")
    allowed_models = LinesField(help_text="One a line. Empty: every model.")
    allowed_networks = LinesField(help_text="One a line, as 192.0.2.0/24. Empty: from anywhere.")

    class Meta:
        model = ApiKey
        fields = (
            *("account", "name", "scopes", "expires_at"),
            *("monthly_characters", "monthly_seconds", "requests_per_minute", "parallel_streams"),
            *("allowed_voices", "allowed_models", "allowed_networks"),
        )


class IssueForm(KeyForm):
    """A new key. Its id is drawn with the form, not with the answer."""

    ticket = forms.CharField(widget=forms.HiddenInput, initial=lambda: draw_ticket())

    def clean_ticket(self) -> str:
        """The id that was drawn; nobody can choose one."""
        try:
            drawn: str = signing.loads(self.cleaned_data["ticket"], salt=_SALT, max_age=_FORM_LIVES)
        except signing.BadSignature:
            raise forms.ValidationError("This form is too old. Please open it again.") from None
        return drawn


def draw_ticket() -> str:
    """A fresh key id, signed."""
    return signing.dumps(keys.make_id(), salt=_SALT)


class RotateForm(forms.Form):
    """How long the old key goes on working beside the new one."""

    grace = forms.TypedChoiceField(
        label="The old key still works for",
        choices=[
            (0, "not at all"),
            (1, "1 hour"),
            (24, "1 day"),
            (168, "7 days"),
            (720, "30 days"),
        ],
        coerce=int,
        initial=24,
        widget=UnfoldAdminSelectWidget,
    )

    @property
    def period(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["grace"])
