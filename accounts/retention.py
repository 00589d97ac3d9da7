"""How much of what its people have spoken an account remembers, and for how long."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Retention(models.TextChoices):
    """Each keeps what the one before keeps, and more."""

    OFF = "off", _("nothing")
    HASH = "hash", _("voice, settings and seed; of the text only a hash")
    TEXT = "text", _("the text too")
    AUDIO = "audio", _("the text and the audio")


class Remembering(models.Model):
    """An account's rule for the history of its people. Empty: as the platform has it."""

    history = models.CharField(
        _("history keeps"), max_length=5, choices=Retention.choices, blank=True
    )
    history_days = models.PositiveSmallIntegerField(
        _("days in the history"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
    )

    class Meta:
        abstract = True

    @property
    def retention(self) -> str:
        """What is kept now."""
        return self.history or settings.HISTORY

    @property
    def retention_days(self) -> int:
        return self.history_days or settings.HISTORY_DAYS

    def remembers(self, what: str) -> bool:
        """Whether the rule keeps as much as ``what``."""
        steps = Retention.values
        return steps.index(self.retention) >= steps.index(what)
