"""The forms of long texts: what is to be said, and who says what of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.seen import SeenForm
from speech.documents import Document, read_document, read_text
from speech.job_models import Job
from speech.job_parts import Output
from speech.longform.submission import JobRequest
from voices.listing import listed_voices

_LARGEST = 10 * 2**20


def voice_choices(account: Account, empty: Any) -> list[tuple[str, Any]]:
    """Every voice that the account may speak with, behind an entry for none in particular."""
    voices = [(voice["id"], voice["label"]) for voice in listed_voices(account, None)]
    return [("", empty), *voices]


class JobForm(forms.Form):
    """A text, pasted or as a file, and who reads it."""

    text = forms.CharField(
        label=_("Text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        max_length=settings.MAX_JOB_CHARACTERS,
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        help_text=_("txt, md, srt, epub or docx, up to 10 MB"),
        widget=forms.FileInput(attrs={"accept": ".txt,.md,.srt,.epub,.docx"}),
    )
    title = forms.CharField(label=_("Title"), required=False, max_length=200)
    voice = forms.ChoiceField(label=_("Voice"), required=False)
    speed = forms.FloatField(
        label=_("Speed"), initial=1.0, min_value=0.25, max_value=4.0, required=False
    )
    output = forms.ChoiceField(
        label=_("File to make"),
        required=False,
        choices=[("", _("None for now")), *((format, format.upper()) for format in Output.FORMATS)],
        initial="mp3",
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["voice"].choices = voice_choices(account, _("The account's own"))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("text", "").strip() and not given.get("file") and not self.errors:
            raise forms.ValidationError(_("Paste a text, or choose a file."))
        if given.get("text", "").strip() and given.get("file"):
            raise forms.ValidationError(_("Paste a text or choose a file, not both."))
        if (file := given.get("file")) and file.size > _LARGEST:
            self.add_error("file", _("A file may have at most 10 MB."))
        return given

    def document(self) -> Document:
        """Raises UnreadableDocument."""
        given, limit = self.cleaned_data, settings.MAX_JOB_CHARACTERS
        if file := given.get("file"):
            return read_document(file.read(), file.name, limit)
        return read_text(given["text"], limit)

    def job_request(self) -> JobRequest:
        given = self.cleaned_data
        speed = given["speed"]
        return JobRequest(
            title=given["title"],
            voice=given["voice"],
            settings={"speed": speed} if speed and speed != 1.0 else {},
            outputs=((given["output"], "whole"),) if given["output"] else (),
        )


class VoicesForm(SeenForm, forms.Form):
    """Of a draft: the voice of the whole, of each chapter, of each speaker."""

    MOST_CHAPTERS = 200

    def __init__(self, *args: Any, job: Job, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._job = job
        own = voice_choices(account, _("The account's own"))
        self.fields["voice"] = forms.ChoiceField(
            label=_("Voice of the whole"), choices=own, required=False, initial=job.voice
        )
        for number, (speaker, voice) in enumerate(job.speakers.items()):
            self.fields[f"speaker-{number}"] = forms.ChoiceField(
                label=speaker,
                choices=[("", _("The voice of that name")), *own[1:]],
                required=False,
                initial=voice,
            )
        if len(job.chapters) > 1:
            for number, chapter in enumerate(job.chapters[: self.MOST_CHAPTERS]):
                self.fields[f"chapter-{number}"] = forms.ChoiceField(
                    label=chapter["title"] or str(number + 1),
                    choices=[("", _("As the whole")), *own[1:]],
                    required=False,
                    initial=chapter["voice"],
                )

    def of(self, kind: str) -> list[Any]:
        """The fields of ``speaker`` or ``chapter``."""
        return [self[name] for name in self.fields if name.startswith(f"{kind}-")]

    @property
    def speakers(self) -> list[Any]:
        return self.of("speaker")

    @property
    def chapters(self) -> list[Any]:
        return self.of("chapter")

    def keep(self) -> None:
        """Write it into the job's row. Raises WrongState where it is no draft any more."""
        given, job = self.cleaned_data, self._job
        job.change(
            voice=given["voice"],
            speakers={
                speaker: given[f"speaker-{number}"] for number, speaker in enumerate(job.speakers)
            },
            chapters=[
                chapter | {"voice": given.get(f"chapter-{number}", chapter["voice"])}
                for number, chapter in enumerate(job.chapters)
            ],
        )
