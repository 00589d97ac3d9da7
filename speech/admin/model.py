"""Public model names and what they stand for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from accounts.admin.base import ModelAdmin
from accounts.admin.key_forms import LinesField
from speech.models import SpeechModel


class SpeechModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A model's row; its further names one a line."""

    aliases = LinesField(help_text="Further names it answers to, one a line.")

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
                    f"{', '.join(sorted(taken))} is a name of {other} already."
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

    @admin.display(description="further names")
    def further_names(self, model: SpeechModel) -> str:
        return ", ".join(model.aliases)
