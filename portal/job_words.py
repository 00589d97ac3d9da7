"""What states and errors of long texts are called, in words for people."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STATES: dict[str, Promise] = {
    "draft": _("Draft"),
    "queued": _("In the queue"),
    "running": _("Being spoken"),
    "waiting": _("Waiting"),
    "paused": _("Paused"),
    "completed": _("Finished"),
    "failed": _("Finished with errors"),
    "cancelled": _("Cancelled"),
}
ERRORS: dict[str, Promise] = {
    "insufficient_quota": _(
        "This month's quota is used up. It goes on by itself when there is room again."
    ),
    "invalid_api_key": _("The API key that started it has ended. Resume it to go on yourself."),
    "account_deactivated": _("The account is switched off."),
    "segments_failed": _("Some pieces could not be spoken. Look at them below, or try again."),
    "outputs_failed": _("A file could not be made. Try again."),
    "unknown_voice": _("The voice is not there any more. Choose another one."),
    "consent_required": _("The voice may not be used any more. Choose another one."),
    "synthesis_failed": _("The engine failed at this piece. Try again, or change its words."),
    "engine_unavailable": _("The engine is not there at the moment."),
    "storage_unavailable": _("The storage is not there at the moment. It goes on by itself."),
    "invalid_document": _("This file cannot be read. It must be txt, md, srt, epub or docx."),
    "document_too_large": _("This text is too large."),
    "too_many_jobs": _("There are too many long texts under way. Finish or erase some first."),
    "empty_input": _("There is nothing to say in it."),
}


def error_words(code: str | None, message: str) -> str:
    """The sentence for an error, else what it says itself."""
    return str(ERRORS.get(code or "", message))
