"""The API's URLs. The OpenAI face answers with and without /v1, with and without a final slash,
because clients build their URLs either way and a redirect would lose a POST's body."""

from __future__ import annotations

from django.urls import URLPattern, path

from accounts.gate import gated
from speech.api import native, openai
from voices.views import VoicesView

OPENAI = {
    "audio/speech": openai.create_speech,
    "audio/models": gated(openai.AudioModelsView.as_view()),
    "audio/voices": gated(VoicesView.as_view()),
    "models": gated(openai.ModelsView.as_view()),
}
NATIVE = {
    "api/speech": native.speak,
    "api/engine": gated(native.EngineView.as_view()),
    "api/engine/load": gated(native.EngineLoadView.as_view()),
    "api/engine/unload": gated(native.EngineUnloadView.as_view()),
    "api/usage": gated(native.UsageView.as_view()),
}
# ids hold slashes (openbmb/VoxCPM2), so the final slash cannot be told apart by a second route
BY_ID = {
    "models/<path:name>": gated(openai.ModelView.as_view()),
    "audio/voices/<path:name>": gated(openai.ModelVoicesView.as_view()),
}

canonical: list[URLPattern] = [
    *(path(f"v1/{route}", view) for route, view in OPENAI.items()),
    *(path(f"v1/{route}", view) for route, view in BY_ID.items()),
    *(path(route, view) for route, view in NATIVE.items()),
]
twins: list[URLPattern] = [
    *(path(f"v1/{route}/", view) for route, view in OPENAI.items()),
    *(path(route, view) for route, view in OPENAI.items()),
    *(path(f"{route}/", view) for route, view in OPENAI.items()),
    *(path(route, view) for route, view in BY_ID.items()),
    *(path(f"{route}/", view) for route, view in NATIVE.items()),
]
urlpatterns = twins + canonical
