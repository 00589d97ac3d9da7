"""Members of the account one acts for: seen by all of them, changed by its owners."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts import teams
from accounts.admin.changes import changes_of
from accounts.audit import Actor, record
from accounts.current import choose_account
from accounts.exceptions import TeamRefusal
from accounts.models import Invitation, Membership
from accounts.seen import held
from portal.forms import AccountForm, InvitationForm, TeamForm
from portal.mail import mail_invitation
from portal.views.pages import PersonRequest, owners_only, page
from speech import history


@page()
def show(request: PersonRequest) -> HttpResponse:
    return _show(request, InvitationForm())


def _show(
    request: PersonRequest,
    form: InvitationForm,
    status: int = 200,
    rules: AccountForm | None = None,
) -> HttpResponse:
    account = request.account
    context = {
        "form": form,
        "members": account.memberships.select_related("user").order_by("role", "user__username"),
        "invitations": Invitation.objects.all().waiting().filter(account=account),
        "is_owner": request.membership.role == Membership.Role.OWNER,
        "rules": rules or AccountForm(instance=account),
    }
    return render(request, "portal/team/show.html", context, status=status)


@page("GET", "POST")
def create(request: PersonRequest) -> HttpResponse:
    """A new shared account, which one then acts for."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            name = form.cleaned_data["name"]
            account = teams.make_team(name, request.user, Actor.of_request(request))
        except TeamRefusal as refusal:
            form.add_error("name", str(refusal))
        else:
            choose_account(request, request.user, account.pk)
            return redirect("team")
    status = 400 if form.errors else 200
    return render(request, "portal/team/create.html", {"form": form}, status=status)


@page("POST")
def invite(request: PersonRequest) -> HttpResponse:
    owners_only(request)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _show(request, form, 400)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    actor = Actor.of_request(request)
    try:
        invitation = Invitation.send(request.account.pk, email, role, request.user, actor)
        mail_invitation(invitation)
    except TeamRefusal as refusal:
        form.add_error(None, str(refusal))
        return _show(request, form, 400)
    except OSError:
        invitation.withdraw(actor)
        form.add_error(None, _("The e-mail could not be sent. Please tell the operator."))
        return _show(request, form, 502)
    messages.success(request, _("An invitation is on its way to %s.") % invitation.email)
    return redirect("team")


@page("POST")
def withdraw(request: PersonRequest, pk: int) -> HttpResponse:
    owners_only(request)
    waiting = Invitation.objects.all().waiting().filter(account=request.account)
    get_object_or_404(waiting, pk=pk).withdraw(Actor.of_request(request))
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("team")


@page("POST")
def change(request: PersonRequest, pk: int) -> HttpResponse:
    """Another role for a member."""
    owners_only(request)
    member = get_object_or_404(request.account.memberships.all(), pk=pk)
    role = request.POST.get("role", "")
    if role not in Membership.Role.values:
        raise Http404
    return _do(request, lambda: teams.set_role(member, role, Actor.of_request(request)), "team")


@page("POST")
def remove(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a member out, or leave."""
    member = get_object_or_404(request.account.memberships.select_related("account"), pk=pk)
    leaves = member.user_id == request.user.pk
    if not leaves:
        owners_only(request)
    to = "home" if leaves else "team"
    return _do(request, lambda: teams.remove(member, Actor.of_request(request)), to)


@page("POST")
def rename(request: PersonRequest) -> HttpResponse:
    owners_only(request)
    form = TeamForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the account a name of at most 150 characters."))
        return redirect("team")
    name, actor = form.cleaned_data["name"], Actor.of_request(request)
    return _do(request, lambda: teams.rename(request.account, name, actor), "team")


@page("POST")
def rule(request: PersonRequest) -> HttpResponse:
    """Default voice, and what histories keep: that holds at once, for what is there as well."""
    owners_only(request)
    with held(request.account):
        rules = AccountForm(request.POST, instance=request.account)
        if rules.is_valid() and rules.changed_data:
            request.account.save(update_fields=rules.changed_data)
            details = changes_of(rules, (), ())
            actor = Actor.of_request(request)
            record("account.change", actor, request.account, request.account, details)
    if rules.errors:
        return _show(request, InvitationForm(), 400, rules)
    try:
        history.obey(request.account)
    except OSError:
        messages.error(request, _("Some audio cannot be deleted now. Please save again later."))
    else:
        messages.success(request, _("Saved."))
    return redirect("team")


def _do(request: PersonRequest, work: Callable[[], None], to: str) -> HttpResponse:
    """Do it, or say why it cannot be done."""
    try:
        work()
    except TeamRefusal as refusal:
        messages.error(request, str(refusal))
        return redirect("team")
    messages.success(request, _("Done."))
    return redirect(to)
