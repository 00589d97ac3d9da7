"""Why a caller is turned away: who they are, what they may, how much they may.

Each class carries its row of the error table in ``docs/api.md``; the HTTP layers read it off and
decide nothing themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, AuthenticationFailed

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class Refusal(APIException):
    """A request is refused; the class attributes are its row of the error table."""

    status_code = 403
    type = "invalid_request_error"
    code: str | None = None
    default_detail: str = "This request is not allowed."
    should_retry: bool | None = None  # None leaves it to the client

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, self.code)
        self.param = param
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        return self.status_code


class InvalidKey(Refusal, AuthenticationFailed):
    """The key is malformed, unknown, revoked or expired. The answer never says which."""

    status_code = 401
    code = "invalid_api_key"
    default_detail = "Incorrect API key provided, or one that was revoked or has expired."


class AccountDeactivated(Refusal, AuthenticationFailed):
    """The account the key belongs to is switched off."""

    status_code = 401
    code = "account_deactivated"
    default_detail = "The account associated with this API key has been deactivated."


class MissingScope(Refusal):
    """The key is good, but was not issued for this."""

    status_code = 401
    code = "missing_scope"
    default_detail = "This API key lacks the scope for this request."


class NotAllowed(Refusal):
    """The key may not be used from this network, or with this voice or model."""

    type = "permission_error"
    code = "not_allowed"


class NoMember(NotAllowed):
    """Whoever began it at a browser may not act for the account any more."""

    default_detail = "You may not speak for this account any more."


class RateLimited(Refusal):
    """More requests this minute than the key may make."""

    status_code = 429
    type = "requests"
    code = "rate_limit_exceeded"
    default_detail = "Too many requests this minute for this API key."
    should_retry = True


class TooManyStreams(Refusal):
    """More streams at once than the key may hold."""

    status_code = 429
    type = "requests"
    code = "concurrency_limit_exceeded"
    default_detail = "Too many parallel streams for this API key."
    should_retry = True

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, retry_after=1)


class TooManyUploads(TooManyStreams):
    """More recordings at once than one caller may have waiting."""

    default_detail = "Too many uploads at once: wait for those before."


class QuotaExceeded(Refusal):
    """This month's characters or audio seconds do not suffice; waiting a minute does not help."""

    status_code = 429
    type = "insufficient_quota"
    code = "insufficient_quota"
    default_detail = "You exceeded your quota for this month."
    should_retry = False


class DatabaseUnavailable(Refusal):
    """The database is locked or gone. Nothing was reserved, so nothing may start."""

    status_code = 503
    type = "service_unavailable_error"
    code = "database_unavailable"
    default_detail = "The database does not answer. Please try again."
    should_retry = True

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, retry_after=5)


class TeamRefusal(Exception):
    """Something about a team cannot be done; people read why on the page that they are on."""

    sentence: StrPromise | str = ""

    def __str__(self) -> str:
        return str(self.sentence)


class NameTaken(TeamRefusal):
    sentence = _("Another account has this name.")


class TooManyTeams(TeamRefusal):
    sentence = _("You have made as many shared accounts as one person may.")


class LastOwner(TeamRefusal):
    sentence = _("An account needs an owner: make somebody else one first.")


class TooManyInvitations(TeamRefusal):
    sentence = _("This account has sent too many invitations this week.")


class TooManyInvitationsOfYours(TooManyInvitations):
    sentence = _("You have sent too many invitations this week.")


class TooManyInvitationsToThem(TooManyInvitations):
    sentence = _("This address was sent too many invitations this week.")


class InvitationSpent(TeamRefusal):
    sentence = _("This invitation was used, withdrawn, or has expired. Ask for another one.")
