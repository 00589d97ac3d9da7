"""The URL map as the OpenAPI schema shows it: each route once, under its canonical form."""

from __future__ import annotations

from speech.urls import canonical

urlpatterns = canonical
