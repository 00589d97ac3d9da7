"""Who a request speaks for, by its key or its session, and how every refusal is worded."""

from __future__ import annotations

import logging

import pytest
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.authentication import ApiKeyAuthentication, BrowserSession
from accounts.exceptions import AccountDeactivated, InvalidKey, MissingScope, NotAllowed
from accounts.models import ApiKey
from accounts.permissions import HasScope, ListingAllowed


class WhoAmI(APIView):
    """Raises what it refuses with, so that a test sees the exception itself."""

    authentication_classes = [ApiKeyAuthentication, BrowserSession]
    permission_classes = [IsAuthenticated]

    def get_exception_handler(self):
        def reraise(error, context):
            raise error

        return reraise

    def get(self, request):
        return Response({"user": request.user.get_username(), "key": bool(request.auth)})

    post = get


def ask(header=None, *, view=WhoAmI, address="127.0.0.1", **options):
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    request = APIRequestFactory().get("/", REMOTE_ADDR=address, **headers)
    return view.as_view(**options)(request)


def test_a_key_speaks_for_the_user_who_made_it(raw_key):
    assert ask(f"Bearer {raw_key}").data == {"user": "alice", "key": True}


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(raw_key, scheme):
    assert ask(f"{scheme} {raw_key}").status_code == 200


def test_a_key_needs_no_user(account):
    raw, _ = ApiKey.issue(account, "a machine's")
    assert ask(f"Bearer {raw}").data == {"user": "", "key": True}


@pytest.mark.parametrize("header", [None, "", " ", "Bearer", "Bearer ", "bearer  "])
def test_no_header_or_an_empty_token_is_nobody(db, header):
    with pytest.raises(NotAuthenticated):
        ask(header)
    assert ask(header, permission_classes=[ListingAllowed]).status_code == 200


def test_listings_can_be_closed_to_nobody(db, settings, raw_key):
    settings.ANONYMOUS_LISTING = False
    with pytest.raises(NotAuthenticated):
        ask(permission_classes=[ListingAllowed])
    assert ask(f"Bearer {raw_key}", permission_classes=[ListingAllowed]).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Basic YWxpY2U6cGFzcw==", "Bearer nonsense", "Bearer sk-1,Bearer sk-2", "Token x",
     "Bearer ' OR '1'='1", "Bearer \x00", "Bearer vox_é", "Bearer " + "v" * 100_000],
)  # fmt: skip
def test_a_wrong_header_is_refused_even_where_nobody_may_come(
    db, header, django_assert_num_queries
):
    with django_assert_num_queries(0), pytest.raises(InvalidKey) as refusal:
        ask(header, permission_classes=[ListingAllowed])
    assert header not in str(refusal.value)


def test_two_headers_are_one_wrong_one(raw_key):
    with pytest.raises(InvalidKey):
        ask(f"Bearer {raw_key},Bearer {raw_key}")


def test_a_key_of_a_closed_account_is_told_so(raw_key, account):
    account.is_active = False
    account.save()
    with pytest.raises(AccountDeactivated):
        ask(f"Bearer {raw_key}")


def test_a_key_is_refused_from_another_network(account):
    raw, _ = ApiKey.issue(account, "office", allowed_networks=["192.0.2.0/24"])
    assert ask(f"Bearer {raw}", address="192.0.2.7").status_code == 200
    with pytest.raises(NotAllowed):
        ask(f"Bearer {raw}", address="198.51.100.7")


def test_a_key_needs_the_scope(account):
    raw, _ = ApiKey.issue(account, "usage only", scopes=["usage"])
    assert ask(f"Bearer {raw}", permission_classes=[HasScope("usage")]).status_code == 200
    with pytest.raises(MissingScope, match="'speech'"):
        ask(f"Bearer {raw}", permission_classes=[HasScope("speech")])


def test_a_scope_lets_nobody_in_without_a_key(db):
    with pytest.raises(NotAuthenticated):
        ask(permission_classes=[HasScope("speech")])


def test_a_browser_session_needs_no_scope_but_its_csrf_token(alice):
    factory = APIRequestFactory(enforce_csrf_checks=True)
    view = WhoAmI.as_view(permission_classes=[HasScope("speech")])
    reading, writing = factory.get("/"), factory.post("/")
    reading.user = writing.user = alice
    assert view(reading).data == {"user": "alice", "key": False}
    with pytest.raises(PermissionDenied, match="CSRF"):
        view(writing)


def test_it_notes_that_the_key_was_used(raw_key, api_key):
    ask(f"Bearer {raw_key}")
    api_key.refresh_from_db()
    assert api_key.last_used_at is not None


def test_no_key_reaches_a_log_or_an_error(raw_key, api_key, caplog):
    caplog.set_level(logging.DEBUG)
    ask(f"Bearer {raw_key}")
    api_key.revoke()
    with pytest.raises(InvalidKey) as refusal:
        ask(f"Bearer {raw_key}")
    seen = caplog.text + repr(refusal.value) + str(refusal.value.detail)
    assert raw_key.split("_")[2] not in seen


@pytest.mark.parametrize(
    ("refusal", "status", "kind", "code"),
    [
        (InvalidKey, 401, "invalid_request_error", "invalid_api_key"),
        (AccountDeactivated, 401, "invalid_request_error", "account_deactivated"),
        (MissingScope, 401, "invalid_request_error", "missing_scope"),
        (NotAllowed, 403, "permission_error", "not_allowed"),
    ],
)
def test_each_refusal_knows_its_row_of_the_table(refusal, status, kind, code):
    error = refusal()
    assert (error.status, error.type, error.code) == (status, kind, code)
