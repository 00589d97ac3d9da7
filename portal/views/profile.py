"""What a person prefers, and how they leave: with everything that is theirs, and for good."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.audit import Actor
from accounts.exceptions import TeamRefusal
from accounts.models import Profile
from accounts.seen import held
from portal import leaving, taking_along
from portal.forms import LeaveForm, ProfileForm
from portal.preferences import prefer
from portal.views.pages import PersonRequest, page
from voices.exceptions import StorageUnavailable


@page("GET", "POST")
def show(request: PersonRequest) -> HttpResponse:
    profile = Profile.of(request.user)
    form = ProfileForm(instance=profile, account=request.account)
    if request.method == "POST":
        with held(profile):
            form = ProfileForm(request.POST, instance=profile, account=request.account)
            if form.is_valid():
                form.save()
                return _kept(request, form)
    status = 400 if form.errors else 200
    return render(request, "portal/profile/show.html", {"form": form}, status=status)


def _kept(request: PersonRequest, form: ProfileForm) -> HttpResponse:
    messages.success(request, _("Saved."))
    response = redirect("profile")
    prefer(request, response, **{name: form.cleaned_data[name] for name in ("language", "theme")})
    return response


@page("POST")
@reauthentication_required  # type: ignore[untyped-decorator]
def export(request: PersonRequest) -> HttpResponseBase:
    """The zip is made while it is sent, and kept nowhere."""
    pieces = taking_along.export(request.user, Actor.of_request(request))
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["content-disposition"] = 'attachment; filename="voxplatform-export.zip"'
    return response


@page("GET", "POST")
@reauthentication_required  # type: ignore[untyped-decorator]
def erase(request: PersonRequest) -> HttpResponse:
    form = LeaveForm(request.POST or None, username=request.user.username)
    if request.method == "POST" and form.is_valid():
        try:
            leaving.erase(request.user, Actor.of_request(request))
        except TeamRefusal as refusal:
            form.add_error(None, str(refusal))
        except (OSError, StorageUnavailable):
            form.add_error(None, _("Some audio cannot be deleted now. Please try again later."))
        else:
            return _goodbye(request)
    status = 400 if form.errors else 200
    return render(request, "portal/profile/erase.html", {"form": form}, status=status)


def _goodbye(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, _("Your login and all that was yours alone are erased."))
    return redirect("home")
