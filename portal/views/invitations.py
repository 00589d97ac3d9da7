"""Following an invitation: who is signed in joins by a button, who is not signs in or up."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.audit import Actor
from accounts.current import choose_account
from accounts.exceptions import InvitationSpent
from accounts.models import Invitation
from portal.adapters import remember_invitation


@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest, token: str) -> HttpResponse:
    invitation = Invitation.objects.all().by_link(token)
    if invitation is None:
        return render(request, "portal/team/spent.html", status=410)
    if request.user.is_authenticated and request.method == "POST":
        try:
            invitation.accept(request.user, Actor.of_request(request))
        except InvitationSpent:
            return render(request, "portal/team/spent.html", status=410)
        choose_account(request, request.user, invitation.account_id)
        messages.success(request, _("You are in."))
        return redirect("home")
    if not request.user.is_authenticated:
        remember_invitation(request, token)
        # The link came by e-mail: that the address is theirs is shown.
        get_adapter().stash_verified_email(request, invitation.email)
    response = render(request, "portal/team/invitation.html", {"invitation": invitation})
    patch_cache_control(response, no_store=True, private=True)
    return response
