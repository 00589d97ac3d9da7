"""The forms of API keys, as people see them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.key_forms import GraceField, LinesField, TicketField
from accounts.models import ApiKey, default_scopes
from accounts.seen import SeenForm
from accounts.validators import check_networks

WHAT_SCOPES_ALLOW = {
    "speech": _("speak"),
    "voices": _("list and make voices"),
    "jobs": _("long texts in the background"),
    "usage": _("read what was used"),
}


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


class ChangeForm(SeenForm, KeyForm):
    """A key that is there."""


class IssueForm(KeyForm):
    """A new key."""

    ticket = TicketField()


class RotateForm(forms.Form):
    """A successor of a key."""

    grace = GraceField()
