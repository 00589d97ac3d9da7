"""The voices that the filters of a query leave, of those that an account may see."""

from __future__ import annotations

from django.db.models import Q
from rest_framework.request import Request

from accounts.models import Account
from speech.errors import InvalidField
from voices.finding import VoiceQuerySet
from voices.models import Voice

CHOICES = {
    "owner": ["own", "others"],
    "kind": ["preset", "cloned", "designed"],
    "state": ["draft", "ready", "disabled"],
    "visibility": ["private", "shared", "public"],
}
_FILTERS = (*CHOICES, "language", "tag", "q", "after", "limit")


def searched(request: Request, account: Account) -> VoiceQuerySet:
    """The visible voices that the query's filters leave; built-in ones only where they are asked
    for."""
    asked = request.query_params
    for name in asked:
        if name not in _FILTERS:
            raise InvalidField(f"{name[:40]}: There is no such filter.", name[:40])
        if "\x00" in asked[name]:
            raise InvalidField(f"{name}: It holds characters that are not text.", name)
        if name in CHOICES and asked[name] not in CHOICES[name]:
            raise InvalidField(f"{name}: It must be one of {', '.join(CHOICES[name])}.", name)
    found = Voice.objects.visible_to(account)
    if "kind" not in asked:
        found = found.owned()
    if owner := asked.get("owner"):
        own = Q(account=account)
        found = found.filter(own if owner == "own" else ~own)
    for field in ("kind", "state", "visibility"):
        if value := asked.get(field):
            found = found.filter(**{field: value})
    if language := asked.get("language"):
        found = found.filter(Q(language__iexact=language) | Q(language__istartswith=f"{language}-"))
    if tag := asked.get("tag"):
        found = found.filter(pk__in=[row.pk for row in found.only("tags") if tag in row.tags])
    if text := asked.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(description__icontains=text))
    if after := asked.get("after"):
        last = Voice.objects.visible_to(account).filter(public_id=after).first()
        if last is None:
            raise InvalidField("after: There is no such voice.", "after")
        found = found.filter(pk__lt=last.pk)
    return found
