"""The portal's menu: one entry a line, in this order; the first is where people begin."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Item:
    """``view`` is the name of the URL; pages below that URL belong to the entry too."""

    view: str
    title: Promise
    icon: str

    @property
    def url(self) -> str:
        return reverse(self.view)


MENU = (
    Item("studio", _("Studio"), "studio"),
    Item("voice-list", _("Voices"), "voice"),
    Item("job-list", _("Long texts"), "job"),
    Item("history", _("History"), "history"),
    Item("usage", _("Usage"), "usage"),
    Item("key-list", _("API keys"), "key"),
)
