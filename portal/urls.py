"""The portal's URLs: one line a page, by noun. What people type without a slash finds its way."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

from portal.views import frame, home

_NOUNS = "account|history|jobs|keys|studio|usage|voices"

urlpatterns = [
    path("", home.home, name="home"),
    path("strings.js", JavaScriptCatalog.as_view(packages=["portal"]), name="strings"),
    path("preferences/", frame.preferences, name="preferences"),
    path("account/choose/", frame.choose, name="account-choose"),
    path("account/", include("allauth.urls")),
    re_path(rf"^(?P<noun>{_NOUNS})$", RedirectView.as_view(url="/%(noun)s/")),
]
