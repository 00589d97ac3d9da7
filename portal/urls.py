"""The portal's URLs: one line a page, by noun. What people type without a slash finds its way."""

from __future__ import annotations

from django.templatetags.static import static
from django.urls import include, path, re_path
from django.utils.functional import lazy
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView

from accounts import converters  # noqa: F401  # <number:…>
from portal import speaking
from portal.views import (
    frame,
    history,
    home,
    invitations,
    jobs,
    keys,
    profile,
    studio,
    team,
    usage,
    voices,
)

# The page's URL of it names version and language, so that a browser may keep it for a while.
strings = cache_control(private=True, max_age=3600)(frame.Strings.as_view())
# Asked for beside pages that name no icon. A page in its place, if only to say that there is none,
# would bring another CSRF cookie than the page that is read.
icon = RedirectView.as_view(url=lazy(static, str)("portal/logo.svg"))

_NOUNS = "account|history|jobs|keys|studio|usage|voices"

urlpatterns = [
    path("", home.home, name="home"),
    path("strings.js", strings, name="strings"),
    path("favicon.ico", icon, name="icon"),
    path("preferences/", frame.preferences, name="preferences"),
    path("studio/", studio.studio, name="studio"),
    path("api/studio/speech", speaking.speak, name="studio-speech"),
    path("api/studio/takes/<str:name>.<str:format>", speaking.take, name="studio-take"),
    path("voices/", voices.voice_list, name="voice-list"),
    path("voices/new/", voices.voice_create, name="voice-create"),
    path("voices/<slug:public_id>/", voices.voice_detail, name="voice-detail"),
    path("voices/<slug:public_id>/share/", voices.voice_share, name="voice-share"),
    path("voices/<slug:public_id>/erase/", voices.voice_erase, name="voice-erase"),
    path("voices/<slug:public_id>/withdraw/", voices.voice_withdraw, name="voice-withdraw"),
    path("voices/<slug:public_id>/report/", voices.voice_report, name="voice-report"),
    path("voices/<slug:public_id>/record/", voices.voice_rerecord, name="voice-rerecord"),
    path(
        "voices/<slug:public_id>/versions/<number:version>/restore/",
        voices.voice_restore,
        name="voice-restore",
    ),
    path("account/choose/", frame.choose, name="account-choose"),
    path("account/team/", team.show, name="team"),
    path("account/team/new/", team.create, name="team-create"),
    path("account/team/name/", team.rename, name="team-rename"),
    path("account/team/rules/", team.rule, name="team-rule"),
    path("account/team/invite/", team.invite, name="team-invite"),
    path("account/team/invitations/<number:pk>/withdraw/", team.withdraw, name="team-withdraw"),
    path("account/team/<number:pk>/change/", team.change, name="team-change"),
    path("account/team/<number:pk>/remove/", team.remove, name="team-remove"),
    path("account/invitations/<str:token>/", invitations.follow, name="invitation"),
    path("account/profile/", profile.show, name="profile"),
    path("account/profile/export/", profile.export, name="profile-export"),
    path("account/profile/erase/", profile.erase, name="profile-erase"),
    path("account/", include("allauth.urls")),
    path("history/", history.index, name="history"),
    path("history/forget/", history.forget_all, name="history-forget-all"),
    path("history/<number:pk>/audio/", history.audio, name="history-audio"),
    path("history/<number:pk>/settings.json", history.settings, name="history-settings"),
    path("history/<number:pk>/forget/", history.forget, name="history-forget"),
    path("jobs/", jobs.index, name="job-list"),
    path("jobs/new/", jobs.create, name="job-create"),
    path("jobs/<slug:public_id>/", jobs.show, name="job-detail"),
    path("jobs/<slug:public_id>/voices/", jobs.cast, name="job-cast"),
    path("jobs/<slug:public_id>/act/", jobs.act, name="job-act"),
    path("jobs/<slug:public_id>/make/", jobs.make, name="job-make"),
    path("keys/", keys.index, name="key-list"),
    path("keys/new/", keys.create, name="key-create"),
    path("keys/<slug:public_id>/", keys.change, name="key-change"),
    path("keys/<slug:public_id>/rotate/", keys.rotate, name="key-rotate"),
    path("keys/<slug:public_id>/revoke/", keys.revoke, name="key-revoke"),
    path("usage/", usage.show, name="usage"),
    path("usage/usage.csv", usage.export, name="usage-export"),
    re_path(rf"^(?P<noun>{_NOUNS})$", RedirectView.as_view(url="/%(noun)s/")),
]
