"""The forms behind API keys, in the look of the admin."""

from __future__ import annotations

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts import key_forms
from accounts.models import SCOPES, ApiKey, default_scopes

WHAT_SCOPES_ALLOW = {
    "speech": _("speech – speak"),
    "voices": _("voices – list and make voices"),
    "jobs": _("jobs – long texts in the background"),
    "usage": _("usage – read what was used"),
    "engine": _("engine – load and unload the model"),
    "metrics": _("metrics – read /metrics"),
}


class LinesField(key_forms.LinesField):
    widget = UnfoldAdminTextareaWidget


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A key's name, rights and limits."""

    scopes = forms.MultipleChoiceField(
        label=capfirst(_("scopes")),
        choices=[(scope, WHAT_SCOPES_ALLOW[scope]) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=default_scopes,
    )
    allowed_voices = LinesField(
        label=capfirst(_("allowed voices")), help_text=_("One a line. Empty: every voice.")
    )
    allowed_models = LinesField(
        label=capfirst(_("allowed models")), help_text=_("One a line. Empty: every model.")
    )
    allowed_networks = LinesField(
        label=capfirst(_("allowed networks")),
        help_text=_("One a line, as 192.0.2.0/24. Empty: from anywhere."),
    )

    class Meta:
        model = ApiKey
        fields = (
            *("account", "name", "scopes", "expires_at"),
            *("monthly_characters", "monthly_seconds", "requests_per_minute", "parallel_streams"),
            *("allowed_voices", "allowed_models", "allowed_networks"),
        )


class IssueForm(KeyForm):
    """A new key."""

    ticket = key_forms.TicketField()


class RotateForm(forms.Form):
    """A successor of a key."""

    grace = key_forms.GraceField(widget=UnfoldAdminSelectWidget)
