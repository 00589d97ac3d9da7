"""The API's URLs. The OpenAI face answers with and without /v1, with and without a final slash,
because clients build their URLs either way and a redirect would lose a POST's body."""

from __future__ import annotations

from django.urls import URLPattern, path

from accounts import converters  # noqa: F401  # <number:…>
from accounts.gate import gated
from speech.api import (
    consents,
    designs,
    job_parts,
    jobs,
    mcp,
    native,
    native_consents,
    native_voices,
    openai,
    spoken,
    voices,
)

OPENAI = {
    "audio/speech": openai.create_speech,
    "audio/models": gated(openai.AudioModelsView.as_view()),
    "audio/voices": gated(voices.VoicesView.as_view(), takes_uploads=True),
    "audio/voice_consents": gated(consents.ConsentsView.as_view(), takes_uploads=True),
    "audio/voice_consents/phrase": gated(consents.PhraseView.as_view()),
    "models": gated(openai.ModelsView.as_view()),
}
NATIVE = {
    "api/speech": native.speak,
    "api/engine": gated(native.EngineView.as_view()),
    "api/engine/load": gated(native.EngineLoadView.as_view()),
    "api/engine/unload": gated(native.EngineUnloadView.as_view()),
    "api/voices": gated(native_voices.NativeVoicesView.as_view(), takes_uploads=True),
    # before the ids, none of which is called so
    "api/voices/designs": designs.designing_view(designs.DesignsView),
    "api/voices/designs/<str:name>": gated(designs.DesignView.as_view()),
    "api/voices/designs/<str:name>/candidates": designs.designing_view(designs.CandidatesView),
    "api/voices/designs/<str:name>/candidates/<number:number>/audio": gated(
        designs.CandidateAudioView.as_view()
    ),
    "api/voices/designs/<str:name>/candidates/<number:number>/keep": gated(
        designs.KeepView.as_view()
    ),
    "api/voices/<str:name>": gated(native_voices.NativeVoiceView.as_view()),
    "api/voices/<str:name>/versions": gated(
        native_voices.VersionsView.as_view(), takes_uploads=True
    ),
    "api/voices/<str:name>/versions/<number:version>/recording": gated(
        native_voices.RecordingView.as_view()
    ),
    "api/voices/<str:name>/versions/<number:version>/restore": gated(
        native_voices.RestoreVersionView.as_view()
    ),
    "api/voices/<str:name>/share": gated(native_voices.ShareView.as_view()),
    "api/voices/<str:name>/preview": native_voices.preview,
    "api/voices/<str:name>/report": gated(native_voices.ReportView.as_view()),
    "api/voices/<str:name>/export": gated(native_voices.ExportView.as_view()),
    "api/consents": gated(native_consents.NativeConsentsView.as_view(), takes_uploads=True),
    "api/consents/phrase": gated(native_consents.NativePhraseView.as_view()),
    "api/consents/<str:name>": gated(native_consents.NativeConsentView.as_view()),
    "api/consents/<str:name>/withdraw": gated(native_consents.WithdrawView.as_view()),
    "api/jobs": gated(jobs.JobsView.as_view(), takes_uploads=True),
    "api/jobs/<str:name>": gated(jobs.JobView.as_view()),
    "api/jobs/<str:name>/action": gated(jobs.JobActionView.as_view()),
    "api/jobs/<str:name>/segments": gated(job_parts.SegmentsView.as_view()),
    "api/jobs/<str:name>/segments/<number:index>": gated(job_parts.SegmentView.as_view()),
    "api/jobs/<str:name>/segments/<number:index>/audio": gated(
        job_parts.SegmentAudioView.as_view()
    ),
    "api/jobs/<str:name>/outputs": gated(job_parts.OutputsView.as_view()),
    "api/jobs/<str:name>/outputs/<str:output>": gated(job_parts.OutputView.as_view()),
    "api/jobs/<str:name>/captions": gated(job_parts.CaptionsView.as_view()),
    "api/usage": gated(native.UsageView.as_view()),
}
OTHER = {"mcp": mcp.mcp, "mcp/audio/<str:token>": gated(spoken.SpokenView.as_view())}
# ids hold slashes (openbmb/VoxCPM2), so the final slash cannot be told apart by a second route
BY_ID = {
    "models/<path:name>": gated(openai.ModelView.as_view()),
    "audio/voices/<path:name>": gated(openai.VoiceOrModelView.as_view()),
    "audio/voice_consents/<path:name>": gated(consents.ConsentView.as_view()),
}

canonical: list[URLPattern] = [
    *(path(f"v1/{route}", view) for route, view in OPENAI.items()),
    *(path(f"v1/{route}", view) for route, view in BY_ID.items()),
    *(path(route, view) for route, view in (NATIVE | OTHER).items()),
]
twins: list[URLPattern] = [
    *(path(f"v1/{route}/", view) for route, view in OPENAI.items()),
    *(path(route, view) for route, view in OPENAI.items()),
    *(path(f"{route}/", view) for route, view in OPENAI.items()),
    *(path(route, view) for route, view in BY_ID.items()),
    *(path(f"{route}/", view) for route, view in (NATIVE | OTHER).items()),
]
urlpatterns = canonical + twins
