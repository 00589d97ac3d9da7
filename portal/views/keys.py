"""API keys of the account: owners make and change them, members see them and make none.

A new key's text is shown by the answer to its form, once, and kept nowhere.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.admin.changes import changes_of
from accounts.admin.use import with_use
from accounts.audit import Actor, record
from accounts.models import ApiKey, Membership
from accounts.seen import held
from portal.key_forms import ChangeForm, IssueForm, RotateForm
from portal.views.pages import PersonRequest, owners_only, page


@page()
def index(request: PersonRequest) -> HttpResponse:
    """Living keys first; those that open nothing any more on demand."""
    keys: list[Any] = list(with_use(_keys(request), key_id="meter").order_by("-created_at"))
    living = [key for key in keys if key.is_alive]
    context = {
        "keys": living,
        "ended": [key for key in keys if not key.is_alive],
        "is_owner": request.membership.role == Membership.Role.OWNER,
    }
    return render(request, "portal/keys/index.html", context)


def _keys(request: PersonRequest) -> QuerySet[Any]:
    """With whose counters count them: a line of rotated keys has one."""
    keys = ApiKey.objects.filter(account=request.account)
    return keys.annotate(meter=Coalesce("first_id", "pk"))


def _living(request: PersonRequest, public_id: str) -> ApiKey:
    owners_only(request)
    key: ApiKey = get_object_or_404(_keys(request), public_id=public_id, revoked_at=None)
    return key


@page("GET", "POST")
def create(request: PersonRequest) -> HttpResponse:
    owners_only(request)
    form = IssueForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        ticket = given.pop("ticket")
        actor = Actor.of_request(request)
        try:
            raw, key = ApiKey.issue(
                request.account, by=actor, created_by=request.user, public_id=ticket, **given
            )
        except IntegrityError:
            messages.warning(
                request, _("This form was sent before, and its key was shown once. None was made.")
            )
            return redirect("key-list")
        return _show_once(request, key, raw)
    status = 400 if form.errors else 200
    return render(request, "portal/keys/create.html", {"form": form}, status=status)


def _show_once(request: PersonRequest, key: ApiKey, raw: str) -> HttpResponse:
    return render(request, "portal/keys/issued.html", {"key": key, "raw": raw})


@page("GET", "POST")
def change(request: PersonRequest, public_id: str) -> HttpResponse:
    key = _living(request, public_id)
    form = ChangeForm(instance=key)
    if request.method == "POST":
        with held(key):
            form = ChangeForm(request.POST, instance=key)
            if form.is_valid():
                _keep(request, form)
                return redirect("key-list")
    context = {"form": form, "key": key, "rotate_form": RotateForm()}
    return render(request, "portal/keys/change.html", context, status=400 if form.errors else 200)


def _keep(request: PersonRequest, form: ChangeForm) -> None:
    key = form.instance
    if form.changed_data:
        key.save(update_fields=form.changed_data)
        details = changes_of(form, (), ())
        record("apikey.change", Actor.of_request(request), key, request.account, details)
    messages.success(request, _("Saved."))


@page("POST")
def rotate(request: PersonRequest, public_id: str) -> HttpResponse:
    key = _living(request, public_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return redirect("key-change", public_id)
    try:
        raw, successor = key.rotate(form.cleaned_data["grace"], Actor.of_request(request))
    except IntegrityError:
        messages.warning(request, _("This key was rotated before. None was made."))
        return redirect("key-list")
    return _show_once(request, successor, raw)


@page("POST")
def revoke(request: PersonRequest, public_id: str) -> HttpResponse:
    key = _living(request, public_id)
    key.revoke(Actor.of_request(request))
    messages.success(request, _("%s is revoked and opens nothing any more.") % key.name)
    return redirect("key-list")
