"""Which voices somebody may know of, and which they mean: by id, or by name in order of claim."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from voices.consents import VoiceConsent, over_by_now
from voices.names import name_key
from voices.presets import PRESETS

if TYPE_CHECKING:
    from voices.models import Voice

# Between two notes of a voice's use.
NOTED_EVERY = timedelta(hours=1)


class Kind(models.TextChoices):
    """Where a voice comes from: it is built in, or a person's recording, or a description that a
    model spoke."""

    PRESET = "preset", "Built in"
    CLONED = "cloned"
    DESIGNED = "designed"


class Visibility(models.TextChoices):
    """Who may know of it and speak with it."""

    PRIVATE = "private"
    SHARED = "shared"
    PUBLIC = "public"


class State(models.TextChoices):
    """A draft waits for somebody to hear its consent; what is erased is as if it had never been."""

    DRAFT = "draft"
    READY = "ready"
    DISABLED = "disabled"
    ERASED = "erased"


class VoiceQuerySet(models.QuerySet["Voice"]):
    def living(self) -> VoiceQuerySet:
        return self.exclude(state=State.ERASED)

    def built_in(self) -> VoiceQuerySet:
        """In the order in which they are listed."""
        return self.filter(kind=Kind.PRESET).order_by("public_id")

    def owned(self) -> VoiceQuerySet:
        """Those that are somebody's."""
        return self.exclude(kind=Kind.PRESET)

    def owned_by(self, account: Account) -> VoiceQuerySet:
        return self.living().filter(account=account)

    def visible_to(self, account: Account | None) -> VoiceQuerySet:
        """What this account may know of: its own, what is shared with it, what is public.

        Of others' voices only those that speak; nobody (None) sees what is public.
        """
        others = Q(visibility=Visibility.PUBLIC)
        if account is not None:
            shared = _sharing().filter(account_id=account.pk)
            others |= Q(visibility=Visibility.SHARED, pk__in=shared.values("voice_id"))
        others &= Q(state=State.READY)
        own = Q(account=account) if account is not None else Q(pk=None)
        return self.living().filter(own | others)

    def in_order_of_claim(self, account: Account | None) -> VoiceQuerySet:
        """One's own first, then those that are shared, then those that are public, each oldest
        first; then those that are built in."""
        claim = models.Case(
            models.When(account=account, then=0) if account else models.When(pk=None, then=0),
            models.When(visibility=Visibility.SHARED, then=1),
            models.When(kind=Kind.PRESET, then=3),
            default=2,
        )
        return self.annotate(claim=claim).order_by("claim", "pk")

    def find(self, wanted: str, account: Account) -> Voice | None:
        """The voice an account means by an id or a name."""
        if wanted in PRESETS:  # for everybody, and nearly every request asks for one
            return self.filter(public_id=wanted, state=State.READY).first()
        visible = self.visible_to(account).select_related("consent")
        if wanted.startswith("voice_"):
            return visible.filter(public_id=wanted).first()
        return visible.filter(name_key=name_key(wanted)).in_order_of_claim(account).first()

    def note_use(self, public_id: str) -> None:
        """Somebody speaks with it; written at most once an hour."""
        now = timezone.now()
        stale = Q(used_at=None) | Q(used_at__lt=now - NOTED_EVERY)
        self.filter(stale, public_id=public_id).update(used_at=now)

    def silenced(self) -> VoiceQuerySet:
        """Those nobody may speak with any more, although somebody may be speaking."""
        gone = Q(state__in=(State.DISABLED, State.ERASED))
        withdrawn = Q(consent__state=VoiceConsent.State.WITHDRAWN)
        return self.filter(gone | withdrawn | over_by_now("consent__"))


def _sharing() -> models.QuerySet[Any]:
    """Which voice is shared with which account."""
    through: Any = apps.get_model("voices", "Voice").shared_with.through
    rows: models.QuerySet[Any] = through.objects.all()
    return rows
