"""How often: the requests per minute of a key, counted in the database for all servers alike."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.exceptions import RateLimited
from accounts.models import ApiKey


@dataclass(frozen=True, slots=True)
class RateState:
    """Where a key stands in the running minute."""

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


class KeyRateThrottle(BaseThrottle):
    """Counts the request and leaves ``request.rate``, or raises RateLimited.

    The minutes are those of the clock. A key without a limit is not counted.
    """

    timer = staticmethod(time.time)

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = request.auth
        if not isinstance(key, ApiKey) or key.requests_per_minute is None:
            return True
        minute, second = divmod(int(self.timer()), 60)
        limit = key.requests_per_minute
        counted = key.count_request(minute)
        remaining = 0 if counted is None else max(0, limit - counted)
        # On Django's request, where the middleware that tells it finds it.
        request._request.rate = RateState(limit, remaining, 60 - second)  # type: ignore[attr-defined]
        if counted is None:
            raise RateLimited(retry_after=60 - second)
        return True
