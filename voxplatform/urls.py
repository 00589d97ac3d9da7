"""The whole URL map."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from voxplatform import health

urlpatterns = [
    # A request keeps the list of all routes tried before its own: streams are many and long.
    path("", include("speech.urls")),
    path("", include("portal.urls")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("health", health.health),
    path("metrics", health.metrics),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("schema.json", SpectacularJSONAPIView.as_view(), name="schema"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
handler400 = "voxplatform.errors.bad_request"
handler404 = "voxplatform.errors.not_found"
handler500 = "voxplatform.errors.server_error"
