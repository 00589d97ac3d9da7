"""The WebSockets' URLs."""

from __future__ import annotations

from django.urls import path, re_path

from speech.consumers import EngineConsumer, Nowhere, ProgressConsumer

websocket_urlpatterns = [
    path("ws/engine/", EngineConsumer.as_asgi()),
    path("ws/progress/", ProgressConsumer.as_asgi()),
    path("ws/progress/<str:job>/", ProgressConsumer.as_asgi()),
    re_path("", Nowhere.as_asgi()),
]
