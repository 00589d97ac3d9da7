"""The portal's forms: teams and profile. They check shape; verbs of the models do the rest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, Profile
from accounts.profiles import time_zones
from accounts.retention import Retention
from accounts.seen import SeenForm
from portal.choices import voice_choices
from speech.audio import ENCODERS
from voices.exceptions import ConsentRequired, UnknownVoice
from voices.resolving import resolve

NAME_LENGTH = 150


class TeamForm(forms.Form):
    """The name of a shared account."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Membership.Role.choices,
        initial=Membership.Role.MEMBER,
        help_text=_("Owners manage members, keys and limits; members speak, and make voices."),
    )


class ProfileForm(SeenForm, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """How the portal is for one person."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("as the browser")), *settings.LANGUAGES],
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("as the browser")), *_zones()],
    )
    default_voice = forms.ChoiceField(
        label=_("Default voice"), required=False, help_text=_("The studio begins with it.")
    )
    default_format = forms.ChoiceField(
        label=_("Audio format"),
        choices=[(name, name) for name in ENCODERS],
        help_text=_("What downloads are made in."),
    )

    class Meta:
        model = Profile
        fields = ("language", "theme", "time_zone", "default_voice", "default_format")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        voices = {voice["id"]: voice["name"] for voice in voice_choices(account)}
        if kept := self.instance.default_voice:  # it may be one of another account of theirs
            voices.setdefault(kept, kept)
        choices = [("", _("as the account")), *voices.items()]
        self.fields["default_voice"].choices = choices  # type: ignore[attr-defined]


class AccountForm(SeenForm, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What holds for everybody who acts for an account."""

    class Meta:
        model = Account
        fields = ("default_voice", "history", "history_days")
        labels = {"default_voice": _("Default voice")}
        help_texts = {
            "default_voice": _("Name or id. Speaks when a request names no voice."),
            "history": _("What the history of each member keeps of what they have spoken."),
            "history_days": _("Then it is gone for good."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = Retention(settings.HISTORY).label
        empty = _("as this platform: %(rule)s") % {"rule": rule}
        self.fields["history"].choices = [("", empty), *Retention.choices]  # type: ignore[attr-defined]
        self.fields["history_days"].widget.attrs["placeholder"] = str(settings.HISTORY_DAYS)

    def clean_default_voice(self) -> str:
        name: str = self.cleaned_data["default_voice"]
        try:
            if name:
                resolve(name, self.instance)
        except (UnknownVoice, ConsentRequired) as error:
            raise forms.ValidationError(_("This account has no such voice.")) from error
        return name


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(time_zones())]


class LeaveForm(forms.Form):
    """Erasing oneself takes one's own name, typed."""

    username = forms.CharField(label=_("Your user name"), max_length=150)

    def __init__(self, *args: object, username: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._username = username
        self.fields["username"].widget.attrs["autocomplete"] = "off"

    def clean_username(self) -> str:
        if self.cleaned_data["username"] != self._username:
            raise forms.ValidationError(_("This is not your user name."))
        return self._username
