"""What people may set of a voice by a form; what it means is decided in ``voices``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.seen import SeenForm
from voices.consents import REASON_LENGTH


def listed(text: str) -> list[str]:
    """Words between commas or lines, each once."""
    words = (word.strip() for word in text.replace("\n", ",").split(","))
    return list(dict.fromkeys(word for word in words if word))


class Plain(forms.Form):
    """No colon behind a label: languages differ in that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class VoiceForm(SeenForm, Plain):
    """What a voice is called, and what it is like."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    language = forms.CharField(
        label=_("Language"),
        max_length=35,
        required=False,
        help_text=_("A BCP 47 tag, such as en or zh-CN."),
    )
    tags = forms.CharField(
        label=_("Tags"), max_length=900, required=False, help_text=_("With commas between them.")
    )

    def clean_tags(self) -> list[str]:
        return listed(self.cleaned_data["tags"])


class SharingForm(SeenForm, Plain):
    """Who may speak with a voice."""

    PRIVATE, SHARED, PUBLIC = "private", "shared", "public"

    visibility = forms.ChoiceField(
        label=_("Who may speak with it"),
        choices=[
            (PRIVATE, _("This account alone")),
            (SHARED, _("This account, and those named below")),
            (PUBLIC, _("Everybody on this platform")),
        ],
        widget=forms.RadioSelect,
    )
    accounts = forms.CharField(
        label=_("Accounts"),
        max_length=5000,
        required=False,
        help_text=_("Names of accounts or of people, with commas between them."),
    )

    def clean_accounts(self) -> list[str]:
        return listed(self.cleaned_data["accounts"])


class WithdrawForm(Plain):
    """Why a consent is withdrawn, which nobody has to say."""

    reason = forms.CharField(max_length=REASON_LENGTH, required=False)


class ReportForm(Plain):
    """Why somebody thinks that a voice should not be here."""

    reason = forms.CharField(
        label=_("What is wrong with it?"),
        min_length=3,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
