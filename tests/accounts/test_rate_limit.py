"""Requests a minute for each key, and the headers that tell how many are left."""

from __future__ import annotations

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.exceptions import RateLimited
from accounts.models import ApiKey, KeyUse
from accounts.throttling import KeyRateThrottle, RateState


class Clock(KeyRateThrottle):
    now = 600.0

    def timer(self):
        return self.now


class Limited(APIView):
    throttle_classes = [Clock]

    def get_exception_handler(self):
        def reraise(error, context):
            raise error

        return reraise

    def get(self, request):
        return Response()


@pytest.fixture
def ask(account):
    raw, key = ApiKey.issue(account, "slow", requests_per_minute=2)

    def ask(at):
        Clock.now = at
        request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {raw}")
        Limited.as_view()(request)
        return request.rate

    ask.key = key
    return ask


def test_it_lets_so_many_through_a_minute_and_says_how_many_are_left(ask):
    assert ask(615.0) == RateState(limit=2, remaining=1, reset_seconds=45)
    assert ask(620.0) == RateState(limit=2, remaining=0, reset_seconds=40)
    with pytest.raises(RateLimited) as refusal:
        ask(659.0)
    assert refusal.value.retry_after == 1
    assert (refusal.value.status, refusal.value.type) == (429, "requests")
    assert refusal.value.code == "rate_limit_exceeded"


def test_a_refused_request_costs_nothing(ask):
    for _ in range(2):
        ask(600.0)
    for _ in range(3):
        with pytest.raises(RateLimited):
            ask(601.0)
    assert KeyUse.objects.get(key=ask.key).requests == 2


def test_the_next_minute_starts_afresh(ask):
    for _ in range(2):
        ask(600.0)
    assert ask(660.0).remaining == 1


def test_a_server_whose_clock_is_behind_counts_in_the_running_minute(ask):
    ask(660.0)
    assert ask(659.0).remaining == 0
    with pytest.raises(RateLimited):
        ask(660.0)


def test_a_key_without_a_limit_is_not_counted(raw_key, api_key, django_assert_num_queries):
    api_key.touch()
    with django_assert_num_queries(1):
        Limited.as_view()(APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {raw_key}"))
