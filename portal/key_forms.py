"""The forms of API keys. A form to make one carries the signed id that the key will have: sent
twice, however fast, it makes one key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import keys
from accounts.models import ApiKey, default_scopes
from accounts.validators import check_networks

_SALT = "portal.issue-key"
_FORM_LIVES = timedelta(hours=12)
WHAT_SCOPES_ALLOW = {
    "speech": _("speak"),
    "voices": _("list and make voices"),
    "jobs": _("long texts in the background"),
    "usage": _("read what was used"),
}
_GRACE = [
    (0, _("not at all")),
    (1, _("1 hour")),
    (24, _("1 day")),
    (168, _("7 days")),
    (720, _("30 days")),
]


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 2}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A key's name, rights and limits."""

    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=list(WHAT_SCOPES_ALLOW.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=default_scopes,
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: never."),
    )
    allowed_voices = LinesField(label=_("Voices"), help_text=_("One a line. Empty: every voice."))
    allowed_models = LinesField(label=_("Models"), help_text=_("One a line. Empty: every model."))
    allowed_networks = LinesField(
        label=_("Networks"),
        validators=[check_networks],
        help_text=_("One a line, as 192.0.2.0/24. Empty: from anywhere."),
    )

    class Meta:
        model = ApiKey
        fields = (
            *("name", "scopes", "expires_at"),
            *("monthly_characters", "monthly_seconds", "requests_per_minute", "parallel_streams"),
            *("allowed_voices", "allowed_models", "allowed_networks"),
        )
        labels = {
            "name": _("Name"),
            "monthly_characters": _("Characters a month"),
            "monthly_seconds": _("Seconds of audio a month"),
            "requests_per_minute": _("Requests a minute"),
            "parallel_streams": _("Streams at once"),
        }
        help_texts = {
            "monthly_characters": _("Empty: as much as the account has."),
            "monthly_seconds": _("Empty: as much as the account has."),
        }

    def clean_scopes(self) -> list[str]:
        """What an operator gave it besides stays."""
        kept = [one for one in self.instance.scopes if one not in WHAT_SCOPES_ALLOW]
        return [*self.cleaned_data["scopes"], *(kept if self.instance.pk else [])]

    def clean_expires_at(self) -> Any:
        expires = self.cleaned_data["expires_at"]
        if expires and "expires_at" in self.changed_data and expires <= timezone.now():
            raise forms.ValidationError(_("This is in the past."))
        return expires


class IssueForm(KeyForm):
    """A new key. Its id is drawn with the form, not with the answer."""

    ticket = forms.CharField(widget=forms.HiddenInput, initial=lambda: draw_ticket())

    def clean_ticket(self) -> str:
        """The id that was drawn; nobody can choose one."""
        try:
            drawn: str = signing.loads(self.cleaned_data["ticket"], salt=_SALT, max_age=_FORM_LIVES)
        except signing.BadSignature:
            raise forms.ValidationError(_("This form is too old. Please open it again.")) from None
        return drawn


def draw_ticket() -> str:
    """A fresh key id, signed."""
    return signing.dumps(keys.make_id(), salt=_SALT)


class RotateForm(forms.Form):
    """How long the old key goes on working beside the new one."""

    grace = forms.TypedChoiceField(
        label=_("The old key still works for"), choices=_GRACE, coerce=int, initial=24
    )

    @property
    def period(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["grace"])
