"""What the frame of every page can do: act for another account, change language and theme."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST
from django.views.i18n import JavaScriptCatalog

from accounts.current import choose_account
from accounts.models import Profile
from portal.preferences import prefer
from portal.views.pages import PersonRequest, page


class Strings(JavaScriptCatalog):
    """The words of the portal's scripts. Django looks for catalogues in apps; ours lie together."""

    packages = ["portal"]

    def get_paths(self, packages: list[str]) -> list[str]:
        return [str(path) for path in settings.LOCALE_PATHS]


@page("POST")
def choose(request: PersonRequest) -> HttpResponse:
    """Act for another account. One of which they are no member is one that is not there."""
    chosen = request.POST.get("account", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        raise Http404
    if choose_account(request, request.user, int(chosen)) is None:
        raise Http404
    return redirect("home")


@csrf_exempt
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Language and theme, for anybody. Who is not signed in changes their own browser alone, and
    needs no token, so that a page which is only looked at leaves no cookie."""
    return _keep_safely(request) if request.user.is_authenticated else _keep(request)


def _keep(request: HttpRequest) -> HttpResponse:
    allowed = {"language": dict(settings.LANGUAGES), "theme": Profile.Theme.values}
    chosen = {name: request.POST[name] for name in allowed if name in request.POST}
    if not chosen or any(value not in allowed[name] for name, value in chosen.items()):
        return HttpResponseBadRequest()
    response = redirect(_back(request))
    prefer(request, response, **chosen)
    return response


_keep_safely = csrf_protect(_keep)


def _back(request: HttpRequest) -> str:
    """The page that the form stood on, where it is one of ours."""
    path = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(path, None, require_https=request.is_secure())
    return path if ours and path.startswith("/") else "/"
