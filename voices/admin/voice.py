"""Voices: whose they are and what they were made from; listened to with a reason, approved,
disabled, given to another account, erased. Those that are built in are only disabled, and what
models made of them is made anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.audit import Actor
from accounts.models import Account
from voices.admin.pages import checked_by, in_sentence, in_words
from voices.admin.takes import TakesAdmin
from voices.models import Voice, VoiceSample


class TransferForm(forms.Form):
    """To whom."""

    account = forms.ModelChoiceField(
        Account.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
        label=gettext_lazy("To which account"),
    )


class UseFilter(admin.SimpleListFilter):
    """By when somebody last spoke with it."""

    title = gettext_lazy("use")
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = [
            (str(n), ngettext("in the last %(n)s day", "in the last %(n)s days", n) % {"n": n})
            for n in (7, 30, 90)
        ]
        return [*days, ("older", _("longer ago")), ("never", _("never used"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "never":
                return queryset.filter(used_at=None)
            case "older":
                return queryset.filter(used_at__lt=timezone.now() - timedelta(days=90))
            case "7" | "30" | "90" as days:
                return queryset.filter(used_at__gte=timezone.now() - timedelta(days=int(days)))
        return queryset


class VoiceSampleInline(TabularInline):  # type: ignore[misc]
    model = VoiceSample
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        *("version", "created_at", "sample_rate", "transcript", "findings", "heard"),
    )
    verbose_name_plural = gettext_lazy("versions")

    @admin.display(description=gettext_lazy("speaker checked"))
    def heard(self, sample: VoiceSample) -> str:
        return checked_by(sample.speaker_checked)

    @admin.display(description=gettext_lazy("findings"))
    def findings(self, sample: VoiceSample) -> str:
        return in_words(sample.report)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Voice)
class VoiceAdmin(TakesAdmin):
    recording = "samples__object_key"
    list_display = (
        *("shown", "kind", "account", "condition", "visibility", "language"),
        *("used_at", "created_at"),
    )
    list_select_related = ("account",)
    list_filter = (
        UseFilter,
        "kind",
        "state",
        "visibility",
        "language",
        ("account", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    search_fields = ("name", "public_id", "description", "account__name")
    inlines = (VoiceSampleInline,)
    actions = ("disable_selected",)
    actions_detail = ("listen", "approve", "disable", "enable", "transfer", "erase")
    fieldsets = (
        (None, {"fields": (("name", "public_id"), ("kind", "account"), ("state", "visibility"))}),
        (
            gettext_lazy("About it"),
            {"fields": ("description", ("language", "tagged"), "shared_with")},
        ),
        (gettext_lazy("Consent"), {"fields": (("consent", "consent_policy"),)}),
        (
            gettext_lazy("History"),
            {"fields": (("version", "created_by"), ("created_at", "used_at"), "updated_at")},
        ),
    )

    @admin.display(description=gettext_lazy("voice"), ordering="name")
    def shown(self, voice: Voice) -> str:
        return voice.name or voice.public_id

    @admin.display(description=gettext_lazy("tags"))
    def tagged(self, voice: Voice) -> str:
        return ", ".join(voice.tags)

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"),
        label={"ready": "success", "draft": "warning", "disabled": "danger", "erased": "info"},
    )
    def condition(self, voice: Voice) -> tuple[str, str]:
        return voice.state, voice.get_state_display()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        voice = Voice.objects.living().filter(pk=object_id).first()
        offered = list(super().get_actions_detail(request, object_id)) if voice else []
        hidden = {"disable"} if voice and voice.state == Voice.State.DISABLED else {"enable"}
        if voice and voice.state != Voice.State.DRAFT:
            hidden.add("approve")
        return [item for item in offered if item.action_name.rpartition("_")[2] not in hidden]

    def get_inlines(self, request: HttpRequest, obj: Voice | None) -> Any:
        return () if obj and obj.is_built_in else super().get_inlines(request, obj)

    def has_listen_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return super().has_listen_permission(request) and not _is_built_in(object_id)

    def has_own_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """What takes an owner: nobody is that of a built-in voice."""
        return self.has_change_permission(request) and not _is_built_in(object_id)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """What it waits for is its consent, and to settle that is a right of its own."""
        return bool(request.user.has_perm("voices.change_voiceconsent"))

    @action(
        description=gettext_lazy("Listen"),
        url_path="listen",
        permissions=["listen"],
        icon="hearing",
    )  # type: ignore[untyped-decorator]
    def listen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        voice = self.get_object(request, object_id)
        sample = voice.samples.filter(version=voice.version).first() if voice else None
        if sample is None:
            return self.nothing_to_hear(request, object_id)
        return self.listen_to(request, voice, sample.object_key, sample.report)

    @action(
        description=gettext_lazy("Approve"),
        url_path="approve",
        permissions=["approve"],
        icon="findings",
    )  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(voice: Voice, form: forms.Form) -> str:
            if voice.consent:
                voice.consent.review(request.user, Actor.of_request(request), agreed=True)  # type: ignore[arg-type]
                voice.refresh_from_db()
            return _("The voice is %(state)s.") % {"state": in_sentence(voice)}

        question = _(
            "You have heard the owner of the voice say the phrase, with its number. Every voice "
            "that waits for this consent may speak then."
        )
        return self.ask_and_do(request, object_id, question, do)

    @action(
        description=gettext_lazy("Disable"),
        url_path="disable",
        permissions=["change"],
        icon="block",
    )  # type: ignore[untyped-decorator]
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("Nobody speaks with this voice any more until it is enabled again.")
        return self.ask_and_do(request, object_id, question, self._setting(request, "disabled"))

    @action(
        description=gettext_lazy("Enable"),
        url_path="enable",
        permissions=["change"],
        icon="findings",
    )  # type: ignore[untyped-decorator]
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("Those who may use this voice can speak with it.")
        return self.ask_and_do(request, object_id, question, self._setting(request, "ready"))

    def _setting(self, request: HttpRequest, state: str) -> Any:
        def do(voice: Voice, form: forms.Form) -> str:
            voice.set_state(Actor.of_request(request), state)
            return _("The voice is %(state)s.") % {"state": in_sentence(voice)}

        return do

    @action(
        description=gettext_lazy("Transfer"),
        url_path="transfer",
        permissions=["own"],
        icon="move_up",
    )  # type: ignore[untyped-decorator]
    def transfer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(voice: Voice, form: Any) -> str:
            voice.transfer(Actor.of_request(request), form.cleaned_data["account"])
            return _("The voice has another owner.")

        question = _("The voice becomes private to another account. Its consent stays as it is.")
        return self.ask_and_do(request, object_id, question, do, TransferForm)

    @action(
        description=gettext_lazy("Erase"),
        url_path="erase",
        permissions=["own"],
        icon="delete_forever",
        variant=ActionVariant.DANGER,
    )  # type: ignore[untyped-decorator]
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(voice: Voice, form: forms.Form) -> str:
            voice.erase(Actor.of_request(request))
            return _("The voice is erased.")

        question = _(
            "Its recordings, its name and its words are gone for good, in backups as well."
        )
        return self.ask_and_do(request, object_id, question, do)

    @admin.action(description=gettext_lazy("Disable the selected voices"), permissions=["change"])
    def disable_selected(self, request: HttpRequest, voices: Any) -> None:
        for voice in voices:
            voice.set_state(Actor.of_request(request), "disabled")
        self.message_user(request, _("The selected voices are disabled."))


def _is_built_in(object_id: Any) -> bool:
    return object_id is not None and Voice.objects.built_in().filter(pk=object_id).exists()
