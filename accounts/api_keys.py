"""An API key: issued, found by its text, rotated, revoked, and what it may be used for.

How a key is written stands in ``accounts/keys.py``. Knows nothing of requests: an address, a voice
or a scope is handed in as text.
"""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, keys
from accounts.audit import Actor
from accounts.counters import KeyUse, Metered
from accounts.exceptions import InvalidKey, NotAllowed
from accounts.validators import check_names, check_networks, check_scopes, default_scopes

if TYPE_CHECKING:
    from accounts.models import Account

_Model = TypeVar("_Model", bound=models.Model)

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

# Every request asks this, and the ORM would take three times as long to compose it as to run it.
_BROUGHT = {
    "account": (
        "id",
        "name",
        "personal_of_id",
        "is_active",
        "default_voice",
        "monthly_characters",
        "monthly_seconds",
    ),
    "owner": ("id", "username", "is_active"),
    "creator": ("id", "username", "is_active", "is_staff", "is_superuser"),
}
_FIND = """
SELECT apikey.*, {}
FROM accounts_apikey apikey
JOIN accounts_account account ON account.id = apikey.account_id
LEFT JOIN auth_user owner ON owner.id = account.personal_of_id
LEFT JOIN auth_user creator ON creator.id = apikey.created_by_id
WHERE apikey.public_id = %s
""".format(
    ", ".join(
        f"{table}.{column} AS {table}_{column}"
        for table, columns in _BROUGHT.items()
        for column in columns
    )
)


class ApiKeyManager(models.Manager["ApiKey"]):
    def for_key(self, raw: str) -> ApiKey:
        """The living key that is written so, with its account and people, or InvalidKey."""
        if not keys.plausible(raw):
            raise InvalidKey()
        found = list(self.raw(_FIND, [keys.public_id(raw)]))
        if not found or not found[0].is_written_as(raw) or not found[0].is_alive:
            raise InvalidKey()
        found[0].bring_along()
        return found[0]


class ApiKey(Metered):
    """A credential of an account. The secret is shown once, by ``issue``; a digest is kept."""

    account = models.ForeignKey("Account", models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    public_id = models.CharField("public ID", max_length=10, unique=True, editable=False)
    last_four = models.CharField("last four characters", max_length=4, editable=False)
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
        verbose_name="first of its line",
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
        by: Actor = audit.SYSTEM,
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
            audit.record("apikey.issue", by, key, account, key._granted())
        return raw, key

    def _granted(self) -> dict[str, Any]:
        """What it may, and how much, where that is limited."""
        granted = {field: getattr(self, field) for field in ("scopes", *_ROTATED)}
        return {field: value for field, value in granted.items() if value not in (None, [])}

    @property
    def meter_id(self) -> int:
        """Whose counters count this key: rotating a key must not refill its limits."""
        return self.first_id or self.pk

    def bring_along(self) -> None:
        """Turn the columns that came with the row of ``_FIND`` into the objects they belong to."""
        self.account = self._brought(apps.get_model("accounts", "Account"), "account")
        if self.account.personal_of_id:
            self.account.personal_of = self._brought(User, "owner")
        if self.created_by_id:
            self.created_by = self._brought(User, "creator")

    def _brought(self, model: type[_Model], table: str) -> _Model:
        """Whatever column did not come along is deferred: asking for it costs a query."""
        attributes = [field.attname for field in model._meta.concrete_fields]
        names = [name for name in attributes if name in _BROUGHT[table]]
        return model.from_db(None, names, [getattr(self, f"{table}_{name}") for name in names])

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

    @transaction.atomic
    def revoke(self, by: Actor = audit.SYSTEM) -> None:
        """At once and for ever. A second call leaves the first date."""
        now = timezone.now()
        if type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now):
            self.revoked_at = now
            audit.record("apikey.revoke", by, self, self.account_id)

    def rotate(self, grace: timedelta, by: Actor = audit.SYSTEM) -> tuple[str, ApiKey]:
        """A successor with the same rights and limits; this key still works for ``grace``."""
        with transaction.atomic():
            raw, successor = type(self).issue(
                self.account,
                self.name,
                scopes=list(self.scopes),
                rotated_from=self,
                first_id=self.meter_id,
                by=by,
                created_by=self.created_by,
                **{field: getattr(self, field) for field in _ROTATED},
            )
            self.grace_until = timezone.now() + grace
            self.save(update_fields=["grace_until"])
            told = {"successor": successor.public_id, "grace_seconds": grace.total_seconds()}
            audit.record("apikey.rotate", by, self, self.account_id, told)
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

    def count_request(self, minute: int) -> int | None:
        """Count a request in this minute since 1970; how many it has now, or None when it is full.

        A key without a limit is not counted and has none.
        """
        if self.requests_per_minute is None:
            return 0
        return KeyUse.count_request(self.meter_id, minute, self.requests_per_minute)

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def check_voice(self, *names: str) -> None:
        """Raise NotAllowed unless the key may use the voice by one of its names."""
        if self.allowed_voices and not set(names) & set(self.allowed_voices):
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
