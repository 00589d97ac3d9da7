"""Accounts, their members and their API keys: who pays and owns, who may act, and how much.

Knows nothing of speech: what is counted is characters and milliseconds, whatever they were for.
"""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import keys
from accounts.counters import Counter, KeyUse, KeyUseQuerySet, Metered
from accounts.exceptions import InvalidKey, NotAllowed, QuotaExceeded

__all__ = ["SCOPES", "Account", "ApiKey", "Counter", "KeyUse", "Membership"]

SCOPES = ("speech", "voices", "jobs", "usage", "engine", "metrics")
_ROTATED = (
    "allowed_voices",
    "allowed_models",
    "allowed_networks",
    "monthly_characters",
    "monthly_seconds",
    "requests_per_minute",
    "parallel_streams",
    "expires_at",
)
_LAST_USED_STEP = timedelta(minutes=1)


def default_scopes() -> list[str]:
    return ["speech", "voices", "jobs", "usage"]


def check_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationError(f"Scopes are a list of some of: {', '.join(SCOPES)}.")


def check_names(names: object) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValidationError("This is a list of names.")


def check_networks(networks: object) -> None:
    check_names(networks)
    for network in cast("list[str]", networks):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ValidationError(f"{network} is not a network: {error}") from error


class AccountManager(models.Manager["Account"]):
    def for_user(self, user: User) -> Account:
        """The user's personal account, made on the spot when there is none yet."""
        with transaction.atomic():
            account, is_new = self.get_or_create(
                personal_of=user, defaults={"name": user.get_username()}
            )
            if is_new:
                Membership.objects.create(user=user, account=account, role=Membership.Role.OWNER)
        return account

    def default(self) -> Account:
        """The account of a platform on which nobody has an account yet."""
        return self.get_or_create(name="default", personal_of=None)[0]


class Account(Metered):
    """Who pays and owns: keys, voices, jobs, usage."""

    name = models.CharField(max_length=150)
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="personal_account",
        help_text="The one person this account is for; empty when several share it.",
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="accounts"
    )
    is_active = models.BooleanField("active", default=True)
    default_voice = models.CharField(
        max_length=100, blank=True, help_text="Speaks when a request names no voice."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AccountManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(personal_of__isnull=True),
                name="shared_accounts_have_names_of_their_own",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def _counted_as(self) -> dict[str, Any]:
        return {"account_id": self.pk}

    @property
    def is_open(self) -> bool:
        """False when the account, or the one person it is for, is switched off."""
        return self.is_active and (self.personal_of is None or self.personal_of.is_active)

    def check_quota(self, characters: int, ms: int, key: ApiKey | None = None) -> None:
        """Raise QuotaExceeded when so much does not fit into what is left of this month.

        Read-only: another request may still be faster, and ``reserve`` decides.
        """
        if not self.has_room(characters, ms) or not (key is None or key.has_room(characters, ms)):
            raise QuotaExceeded()


class Membership(models.Model):
    """A person who may act for an account."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="one_membership_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"


class ApiKeyManager(models.Manager["ApiKey"]):
    def for_key(self, raw: str) -> ApiKey:
        """The living key that is written so, with its account, or InvalidKey."""
        if not keys.plausible(raw):
            raise InvalidKey()
        key = (
            self.select_related("account__personal_of", "created_by")
            .filter(public_id=keys.public_id(raw))
            .first()
        )
        if key is None or not key.is_written_as(raw) or not key.is_alive:
            raise InvalidKey()
        return key


class ApiKey(Metered):
    """A credential of an account. The secret is shown once, by ``issue``; a digest is kept."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=10, unique=True, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=default_scopes, validators=[check_scopes])
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    rotated_from = models.OneToOneField(
        "self", models.SET_NULL, null=True, editable=False, related_name="rotated_to"
    )
    grace_until = models.DateTimeField(
        null=True, editable=False, help_text="When a rotated key stops being accepted."
    )
    first = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        editable=False,
        related_name="successors",
        help_text="The first of a line of rotated keys: its counters are those of the whole line.",
    )
    last_used_at = models.DateTimeField(null=True, editable=False)
    allowed_voices = models.JSONField(default=list, blank=True, validators=[check_names])
    allowed_models = models.JSONField(default=list, blank=True, validators=[check_names])
    allowed_networks = models.JSONField(default=list, blank=True, validators=[check_networks])
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    parallel_streams = models.PositiveIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (vox_{self.public_id}_…{self.last_four})"

    def _counted_as(self) -> dict[str, Any]:
        return {"key_id": self.meter_id}

    @classmethod
    def issue(
        cls,
        account: Account,
        name: str,
        scopes: list[str] | None = None,
        public_id: str | None = None,
        **limits: Any,
    ) -> tuple[str, ApiKey]:
        """A new key and its text. Only the caller has the text: show it once, store it nowhere."""
        raw = keys.make_key(public_id)
        key = cls(
            account=account,
            name=name,
            public_id=keys.public_id(raw),
            last_four=raw[-4:],
            digest=keys.digest(raw, settings.KEY_PEPPERS[0]),
            scopes=default_scopes() if scopes is None else scopes,
            **limits,
        )
        key.clean_fields()
        with transaction.atomic():
            key.save(force_insert=True)
            KeyUse.objects.create(key=key)
        return raw, key

    @property
    def meter_id(self) -> int:
        """Whose counters count this key: rotating a key must not refill its limits."""
        return self.first_id or self.pk

    @property
    def use_now(self) -> KeyUseQuerySet:
        return KeyUse.objects.filter(key_id=self.meter_id)

    @property
    def is_alive(self) -> bool:
        now = timezone.now()
        ends = (self.revoked_at, self.expires_at, self.grace_until)
        return all(end is None or end > now for end in ends)

    def is_written_as(self, raw: str) -> bool:
        """Compares in constant time; keys made under an older pepper still open."""
        return any(
            hmac.compare_digest(keys.digest(raw, pepper), self.digest)
            for pepper in settings.KEY_PEPPERS
        )

    def revoke(self) -> None:
        """At once and for ever. A second call leaves the first date."""
        now = timezone.now()
        if type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now):
            self.revoked_at = now

    def rotate(self, grace: timedelta) -> tuple[str, ApiKey]:
        """A successor with the same rights and limits; this key still works for ``grace``."""
        with transaction.atomic():
            raw, successor = type(self).issue(
                self.account,
                self.name,
                scopes=list(self.scopes),
                rotated_from=self,
                first_id=self.meter_id,
                created_by=self.created_by,
                **{field: getattr(self, field) for field in _ROTATED},
            )
            self.grace_until = timezone.now() + grace
            self.save(update_fields=["grace_until"])
        return raw, successor

    def touch(self, now: datetime | None = None) -> None:
        """Note that the key was used; writes at most once a minute."""
        now = now or timezone.now()
        before = now - _LAST_USED_STEP
        if self.last_used_at is not None and self.last_used_at > before:
            return
        stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
        if type(self).objects.filter(stale, pk=self.pk).update(last_used_at=now):
            self.last_used_at = now

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def check_voice(self, name: str) -> None:
        if self.allowed_voices and name not in self.allowed_voices:
            raise NotAllowed("This API key may not use this voice.", param="voice")

    def check_model(self, name: str) -> None:
        if self.allowed_models and name not in self.allowed_models:
            raise NotAllowed("This API key may not use this model.", param="model")

    def check_network(self, address: str) -> None:
        """``address`` is the peer's, as the server saw it; IPv4 inside IPv6 counts as IPv4."""
        if not self.allowed_networks:
            return
        peer: ipaddress.IPv4Address | ipaddress.IPv6Address | None
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            peer = None
        if isinstance(peer, ipaddress.IPv6Address):
            peer = peer.ipv4_mapped or peer
        networks = [ipaddress.ip_network(network) for network in self.allowed_networks]
        if peer is None or not any(peer in network for network in networks):
            raise NotAllowed("This API key may not be used from this network.")
