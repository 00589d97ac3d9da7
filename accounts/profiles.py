"""How a person wants the portal to be: language, theme, time zone, and the format they hear in."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


@cache
def time_zones() -> frozenset[str]:
    """All names: to find them takes hundreds of files that are opened, and 20 ms."""
    return frozenset(zoneinfo.available_timezones())


def check_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError(_("This is no time zone."))


class Profile(models.Model):
    """One row a person, made when they first prefer something."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="profile"
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=settings.LANGUAGES
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[check_time_zone]
    )
    default_voice = models.CharField(
        _("default voice"), max_length=100, blank=True, help_text=_("The studio begins with it.")
    )
    default_format = models.CharField(
        _("audio format"), max_length=10, default="mp3", help_text=_("What downloads are made in.")
    )

    def __str__(self) -> str:
        return f"profile of {self.user_id}"

    @classmethod
    def of(cls, user: Any) -> Profile:
        """The person's profile, or what stands for one until they prefer something."""
        return cls.objects.filter(user=user).first() or cls(user=user)
