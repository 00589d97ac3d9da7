"""The portal's URLs: one line a page, by noun. What people type without a slash finds its way."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

from portal import speaking
from portal.views import frame, home, studio, voices

_NOUNS = "account|history|jobs|keys|studio|usage|voices"

urlpatterns = [
    path("", home.home, name="home"),
    path("strings.js", JavaScriptCatalog.as_view(packages=["portal"]), name="strings"),
    path("preferences/", frame.preferences, name="preferences"),
    path("studio/", studio.studio, name="studio"),
    path("api/studio/speech", speaking.speak, name="studio-speech"),
    path("api/studio/takes/<str:name>.<str:format>", speaking.take, name="studio-take"),
    path("voices/", voices.voice_list, name="voice-list"),
    path("voices/new/", voices.voice_create, name="voice-create"),
    path("voices/<slug:public_id>/", voices.voice_detail, name="voice-detail"),
    path("voices/<slug:public_id>/share/", voices.voice_share, name="voice-share"),
    path("voices/<slug:public_id>/erase/", voices.voice_erase, name="voice-erase"),
    path("voices/<slug:public_id>/report/", voices.voice_report, name="voice-report"),
    path("voices/<slug:public_id>/record/", voices.voice_rerecord, name="voice-rerecord"),
    path(
        "voices/<slug:public_id>/versions/<int:version>/",
        voices.voice_recording,
        name="voice-recording",
    ),
    path(
        "voices/<slug:public_id>/versions/<int:version>/restore/",
        voices.voice_restore,
        name="voice-restore",
    ),
    path("account/choose/", frame.choose, name="account-choose"),
    path("account/", include("allauth.urls")),
    re_path(rf"^(?P<noun>{_NOUNS})$", RedirectView.as_view(url="/%(noun)s/")),
]
