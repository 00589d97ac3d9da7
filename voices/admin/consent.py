"""Consents: who gave them and what was said; a queue of those that wait for somebody to listen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.audit import Actor
from voices.admin.pages import ReasonForm, RecordedAdmin, checked_by, in_sentence, in_words
from voices.models import VoiceConsent


@admin.register(VoiceConsent)
class VoiceConsentAdmin(RecordedAdmin):
    recording = "recording_key"
    list_display = ("shown", "account", "condition", "kind", "given_as", "created_at")
    list_select_related = ("account",)
    list_filter = ("state", "language", ("account", AutocompleteSelectFilter))
    list_filter_submit = True
    search_fields = ("name", "public_id", "given_as", "account__name")
    actions_detail = ("listen", "approve", "refuse", "withdraw")
    fieldsets = (
        (None, {"fields": (("name", "public_id"), "account", ("stands", "heard"))}),
        (
            gettext_lazy("What was said"),
            {
                "fields": (
                    *("statement", ("phrase", "phrase_language"), "language", "relationship"),
                    *("document_sha256", "findings"),
                )
            },
        ),
        (
            gettext_lazy("How far it goes"),
            {"fields": ("purposes", "spoken", "expires_at")},
        ),
        (
            gettext_lazy("By whom"),
            {
                "fields": (
                    ("given_as", "given_by"),
                    ("given_through", "address"),
                    ("user_agent", "release"),
                )
            },
        ),
        (
            gettext_lazy("History"),
            {
                "fields": (
                    "created_at",
                    ("withdrawn_at", "withdrawal_reason"),
                    ("reviewed_by", "reviewed_at"),
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("consent"), ordering="name")
    def shown(self, consent: VoiceConsent) -> str:
        return consent.name or consent.public_id

    @display(  # type: ignore[untyped-decorator]
        description=gettext_lazy("state"),
        label={
            "active": "success",
            "pending": "warning",
            "refused": "danger",
            "withdrawn": None,
            "expired": None,
        },
    )
    def condition(self, consent: VoiceConsent) -> tuple[str, str]:
        return consent.standing, consent.get_standing_display()

    @admin.display(description=gettext_lazy("state"))
    def stands(self, consent: VoiceConsent) -> str:
        return consent.get_standing_display()

    @admin.display(description=gettext_lazy("given by"))
    def kind(self, consent: VoiceConsent) -> str:
        return _("recording") if consent.recording_hash else _("somebody's word")

    @admin.display(description=gettext_lazy("languages"))
    def spoken(self, consent: VoiceConsent) -> str:
        return ", ".join(consent.languages)

    @admin.display(description=gettext_lazy("words checked"))
    def heard(self, consent: VoiceConsent) -> str:
        return checked_by(consent.words_checked)

    @admin.display(description=gettext_lazy("findings"))
    def findings(self, consent: VoiceConsent) -> str:
        return in_words(consent.report)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        consent = VoiceConsent.objects.filter(pk=object_id).first()
        offered = list(super().get_actions_detail(request, object_id)) if consent else []
        hidden = set()
        if consent and consent.standing != VoiceConsent.State.PENDING:
            hidden |= {"approve", "refuse"}
        if consent and not consent.recording_key:
            hidden.add("listen")
        return [item for item in offered if item.action_name.rpartition("_")[2] not in hidden]

    @action(
        description=gettext_lazy("Listen"),
        url_path="listen",
        permissions=["listen"],
        icon="hearing",
    )  # type: ignore[untyped-decorator]
    def listen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consent = self.get_object(request, object_id)
        if consent is None or not consent.recording_key:
            return self.nothing_to_hear(request, object_id)
        return self.listen_to(request, consent, consent.recording_key, consent.report)

    @action(
        description=gettext_lazy("Approve"),
        url_path="approve",
        permissions=["change"],
        icon="findings",
    )  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("You have heard the owner of the voice say the phrase, with its number.")
        return self.ask_and_do(request, object_id, question, self._review(request, agreed=True))

    @action(
        description=gettext_lazy("Refuse"), url_path="refuse", permissions=["change"], icon="close"
    )  # type: ignore[untyped-decorator]
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = _("Nobody speaks with the voices that wait for this consent.")
        return self.ask_and_do(request, object_id, question, self._review(request, agreed=False))

    def _review(self, request: HttpRequest, *, agreed: bool) -> Any:
        def do(consent: VoiceConsent, form: forms.Form) -> str:
            consent.review(request.user, Actor.of_request(request), agreed=agreed)  # type: ignore[arg-type]
            return _("The consent is %(state)s.") % {"state": in_sentence(consent)}

        return do

    @action(
        description=gettext_lazy("Withdraw"),
        url_path="withdraw",
        permissions=["change"],
        icon="undo",
        variant=ActionVariant.DANGER,
    )  # type: ignore[untyped-decorator]
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(consent: VoiceConsent, form: forms.Form) -> str:
            consent.withdraw(Actor.of_request(request), form.cleaned_data["reason"])
            return _("The consent is withdrawn.")

        question = _("Every voice that rests on this consent is silent from now on.")
        return self.ask_and_do(request, object_id, question, do, ReasonForm)
