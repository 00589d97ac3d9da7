"""A key is issued through a form, shown once and made once, however often the form is sent."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ApiKey

ADD = "/admin/accounts/apikey/add/"


def form_of(client, account, **changes):
    page = client.get(ADD).content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    return {
        "ticket": ticket,
        "account": account.pk,
        "name": "website",
        "scopes": ["speech"],
        **changes,
    }


def raw_key_in(response):
    return re.search(r"vox_[0-9A-Za-z]{10}_[0-9A-Za-z]{42}", response.content.decode())[0]


def test_it_shows_the_new_key_once_on_a_page_no_browser_keeps(operator, account):
    response = operator.post(ADD, form_of(operator, account))
    raw = raw_key_in(response)
    assert "no-store" in response.headers["cache-control"]
    key = ApiKey.objects.for_key(raw)
    assert (key.name, key.account, key.scopes) == ("website", account, ["speech"])
    assert key.created_by.username == "operator"
    again = operator.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
    assert raw not in again
    assert raw[15:] not in again
    assert key.digest not in again


def test_it_keeps_limits_and_lists(operator, account):
    form = form_of(
        operator,
        account,
        monthly_characters="5000",
        requests_per_minute="60",
        allowed_voices="alloy\n\n nova ",
        allowed_networks="192.0.2.0/24",
        expires_at_0="2030-01-02",
        expires_at_1="03:04:05",
    )
    key = ApiKey.objects.for_key(raw_key_in(operator.post(ADD, form)))
    assert (key.monthly_characters, key.requests_per_minute) == (5000, 60)
    assert (key.allowed_voices, key.allowed_networks) == (["alloy", "nova"], ["192.0.2.0/24"])
    assert key.expires_at.isoformat() == "2030-01-02T03:04:05+00:00"


def test_it_makes_one_key_of_a_form_that_is_sent_twice(operator, account):
    form = form_of(operator, account)
    first, second = operator.post(ADD, form), operator.post(ADD, form, follow=True)
    assert ApiKey.objects.count() == 1
    assert raw_key_in(first) not in second.content.decode()
    assert "already sent" in second.content.decode()


@pytest.mark.django_db(transaction=True)
def test_it_makes_one_key_of_two_clicks_at_once(operator, operator_user, account):
    form, together = form_of(operator, account), Barrier(2)

    def click(_):
        client = Client()
        client.force_login(operator_user)
        together.wait(10)
        try:
            return client.post(ADD, form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as clicks:
        assert sorted(clicks.map(click, range(2))) == [200, 302]
    assert ApiKey.objects.count() == 1


def test_it_takes_no_ticket_it_did_not_draw(operator, account):
    response = operator.post(ADD, form_of(operator, account, ticket="chosenbyme"))
    assert "This form is too old" in response.content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"scopes": []}, {"scopes": ["everything"]}, {"allowed_networks": "everywhere"}, {"name": ""}],
    ids=str,
)
def test_it_refuses_what_makes_no_sense(operator, account, changes):
    assert operator.post(ADD, form_of(operator, account, **changes)).status_code == 200
    assert not ApiKey.objects.exists()
