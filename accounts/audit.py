"""Who changed what: entries that are added and never altered, each sealed over the one before.

``record`` is called inside the transaction of the change it tells of, so both stay or neither.
Whoever alters, removes or slips in a row breaks the chain, and ``verify`` says where. Knows nothing
of what is changed: an action is a word, a target any row.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.http import HttpRequest
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.request import Request

    from accounts.models import Account

_NOTHING_BEFORE = "0" * 64
_SEALED = (
    *("number", "action", "actor_kind", "actor_id", "actor_name", "address", "request_id"),
    *("target_type", "target_id", "target_name", "account_id", "details", "previous"),
)


class Altered(Exception):
    """The log is not what was written."""


def _never(*args: Any, **kwargs: Any) -> Any:
    raise TypeError("The audit log is only added to, and only by record().")


class AppendOnly(models.QuerySet["AuditEntry"]):
    """Rows that are asked for, and nothing else."""

    update = delete = bulk_create = bulk_update = _never


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as known at that moment: people and keys may be renamed or deleted later."""

    kind: str
    name: str
    id: int | None = None
    address: str = ""
    request_id: str = ""

    @classmethod
    def of_request(cls, request: HttpRequest | Request) -> Actor:
        """The key that asks, or else the person who is signed in."""
        key = getattr(request, "auth", None)
        if key is not None:
            return cls("key", str(key), key.pk, **_came(request))
        return cls.at(request, cast("User", request.user))

    @classmethod
    def at(cls, request: HttpRequest | Request, user: User) -> Actor:
        """This person, at that browser: for who is only just signing in or up."""
        return cls("user", user.get_username(), user.pk, **_came(request))

    @classmethod
    def of_user(cls, user: User) -> Actor:
        return cls("user", user.get_username(), user.pk)

    @classmethod
    def of_command(cls, name: str) -> Actor:
        """Somebody with a shell on the machine, through ``manage.py``."""
        return cls("command", name)


def _came(request: HttpRequest | Request) -> dict[str, str]:
    return {
        "address": request.META.get("REMOTE_ADDR", ""),
        "request_id": getattr(request, "id", ""),
    }


SYSTEM = Actor("system", "")


class AuditEntry(models.Model):
    """One change and who made it. Nothing here refers to a row that could be deleted."""

    number = models.PositiveBigIntegerField(primary_key=True, help_text="1, 2, 3, without a gap.")
    created_at = models.DateTimeField("when (UTC)", db_index=True)
    action = models.CharField(max_length=50, db_index=True, help_text="As in apikey.revoke.")
    actor_kind = models.CharField(
        "kind of actor", max_length=10, help_text="user, key, command or system."
    )
    actor_id = models.BigIntegerField("actor ID", null=True)
    actor_name = models.CharField("actor", max_length=300)
    address = models.CharField(max_length=45, help_text="Where the request came from.")
    request_id = models.CharField("request ID", max_length=64)
    target_type = models.CharField("kind of target", max_length=50)
    target_id = models.CharField("target ID", max_length=64)
    target_name = models.CharField("target", max_length=300)
    account_id = models.BigIntegerField("account", null=True, db_index=True)
    details = models.TextField(help_text="JSON, as it was sealed.")
    previous = models.CharField("previous digest", max_length=64)
    digest = models.CharField(
        max_length=64, help_text="SHA-256 over all of this and the previous digest."
    )

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.number}: {self.action}"

    delete = _never

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only what is new is written."""
        super().save(*args, **{**kwargs, "force_insert": True})

    def seal(self) -> str:
        """The digest that this entry must have."""
        content = {name: getattr(self, name) for name in _SEALED}
        content["created_at"] = self.created_at.astimezone(UTC).isoformat(timespec="microseconds")
        return hashlib.sha256(_json(content).encode()).hexdigest()


class AuditHead(models.Model):
    """The last entry. Its one row is the lock under which entries are numbered."""

    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default=_NOTHING_BEFORE)

    def __str__(self) -> str:
        return f"{self.number}: {self.digest}"


def record(
    action: str,
    actor: Actor,
    target: models.Model,
    account: Account | int | None = None,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry, in the transaction of the change; last in it, for others wait for its end.

    ``details`` hold what was changed, never a secret and never somebody's text.
    """
    assert connection.in_atomic_block, "an entry without its change's transaction could outlive it"
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    entry = AuditEntry(
        number=head.number + 1,
        created_at=timezone.now(),
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:300],
        address=actor.address[:45],
        request_id=actor.request_id[:64],
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_name=str(target)[:300],
        account_id=account.pk if isinstance(account, models.Model) else account,
        details=_json(details or {}),
        previous=head.digest,
    )
    head.number, head.digest = entry.number, entry.seal()
    entry.digest = head.digest
    entry.save()
    head.save()
    return entry


def verify() -> AuditHead:
    """Read the whole log; its head, or Altered with the first entry that is not as written."""
    told = _head()
    last = AuditHead()
    for entry in AuditEntry.objects.order_by("number").iterator():
        if entry.number != last.number + 1:
            raise Altered(f"Entry {last.number + 1} is missing.")
        if entry.previous != last.digest or entry.digest != entry.seal():
            raise Altered(f"Entry {entry.number} is not as it was written.")
        last = AuditHead(number=entry.number, digest=entry.digest)
        if last.number == told.number and last.digest != told.digest:
            raise Altered(f"Entry {entry.number} is not the one that was written last.")
    if last.number < told.number:
        raise Altered(f"Entry {last.number + 1} is missing.")
    if last.number > _head().number:
        raise Altered(f"Entry {last.number} was slipped in, or the head was taken away.")
    return last


def _head() -> AuditHead:
    return AuditHead.objects.filter(pk=1).first() or AuditHead()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(
        value, cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
