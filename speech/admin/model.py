"""Public model names and what they stand for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.base import ModelAdmin
from accounts.admin.key_forms import LinesField
from speech.models import SpeechModel


class SpeechModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A model's row; its further names one a line."""

    aliases = LinesField(
        label=capfirst(gettext_lazy("further names")),
        help_text=gettext_lazy("Further names it answers to, one a line."),
    )

    class Meta:
        model = SpeechModel
        fields = (
            *("name", "aliases", "enabled", "inference_timesteps", "cfg_value"),
            *("allows_instructions", "ignores_stream_format", "owned_by"),
        )

    def clean(self) -> dict[str, Any]:
        """A name stands for one row only, or the order of rows would decide what speaks."""
        cleaned = super().clean() or {}
        names = [cleaned.get("name", ""), *cleaned.get("aliases", [])]
        for other in SpeechModel.objects.exclude(pk=self.instance.pk):
            if taken := set(names) & {other.name, *other.aliases}:
                raise forms.ValidationError(
                    _("%(names)s: a name of %(model)s already."),
                    params={"names": ", ".join(sorted(taken)), "model": other},
                )
        return cleaned


@admin.register(SpeechModel)
class SpeechModelAdmin(ModelAdmin):
    form = SpeechModelForm
    list_display = (
        *("name", "further_names", "enabled", "inference_timesteps", "cfg_value"),
        *("allows_instructions", "owned_by"),
    )
    list_filter = ("enabled",)
    search_fields = ("name",)

    @admin.display(description=gettext_lazy("further names"))
    def further_names(self, model: SpeechModel) -> str:
        return ", ".join(model.aliases)
