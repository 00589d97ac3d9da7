"""How often: the requests per minute of a key, or of a person who has none, counted in the database
for all servers alike."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.exceptions import RateLimited
from accounts.models import ApiKey, PersonUse


@dataclass(frozen=True, slots=True)
class RateState:
    """Where somebody stands in the running minute."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The same as OpenAI tells it."""
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": f"{self.reset_seconds}s",
        }


class RateThrottle(BaseThrottle):
    """Counts the request and leaves ``request.rate``, or raises RateLimited.

    The minutes are those of the clock. Whoever has no limit is not counted.
    """

    timer = staticmethod(time.time)
    refusal: str | None = None

    def counted(self, request: Request, minute: int) -> tuple[int, int | None] | None:
        """The limit, and how many requests it is with this one: None where that is too many."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        minute, second = divmod(int(self.timer()), 60)
        found = self.counted(request, minute)
        if found is None:
            return True
        limit, counted = found
        remaining = 0 if counted is None else max(0, limit - counted)
        # On Django's request, where the middleware that tells it finds it.
        request._request.rate = RateState(limit, remaining, 60 - second)  # type: ignore[attr-defined]
        if counted is None:
            raise RateLimited(self.refusal, retry_after=60 - second)
        return True


class KeyRateThrottle(RateThrottle):
    """Every request with a key that has a limit."""

    def counted(self, request: Request, minute: int) -> tuple[int, int | None] | None:
        key = request.auth
        if not isinstance(key, ApiKey) or key.requests_per_minute is None:
            return None
        return key.requests_per_minute, key.count_request(minute)


class PersonRateThrottle(RateThrottle):
    """For views that speak: what a person asks for at their browsers, for whatever account."""

    refusal = "Too many requests this minute for one person."

    def counted(self, request: Request, minute: int) -> tuple[int, int | None] | None:
        limit = settings.PERSON_REQUESTS_PER_MINUTE
        if request.auth is not None or not limit or request.method != "POST":
            return None
        person = cast(User, request.user)
        return limit, PersonUse.count_request(person.pk, minute, limit)
