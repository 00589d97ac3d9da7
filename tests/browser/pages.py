"""Every page there is: of who is signed in, of who is not, of who has a second factor, and of the
admin. Where a URL names a thing, ``furnished.py`` has made it. Knows no browser."""

from __future__ import annotations

import os

from django.contrib.admin import site
from django.urls import URLPattern, URLResolver, get_resolver, reverse

SOAK = os.environ.get("SOAK") == "1"
SIGNED_IN = [
    "/studio/",
    "/voices/",
    "/voices/new/",
    "/voices/{voice}/",
    "/voices/{theirs}/",
    "/voices/{voice}/record/",
    "/jobs/",
    "/jobs/new/",
    "/jobs/{completed}/",
    "/jobs/{draft}/",
    "/jobs/{cancelled}/",
    "/history/",
    "/usage/",
    "/keys/",
    "/keys/new/",
    "/keys/{key}/",
    "/account/team/",
    "/account/team/new/",
    "/account/invitations/{invitation}/",
    "/account/profile/",
    "/account/profile/erase/",
    "/account/email/",
    "/account/password/change/",
    "/account/password/set/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/recovery-codes/generate/",
    "/account/sessions/",
    "/account/logout/",
    "/account/3rdparty/",
    "/account/3rdparty/login/cancelled/",
    "/account/reauthenticate/",
    "/docs",
]
SIGNED_OUT = [
    "/",
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/done/",
    "/account/password/reset/key/1-x/",
    "/account/confirm-email/",
    "/account/confirm-email/x/",
    "/account/inactive/",
    "/account/3rdparty/login/cancelled/",
    "/account/3rdparty/login/error/",
    "/account/invitations/{invitation}/",
    "/account/invitations/x/",
    "/nowhere",
    "/docs",
]
# Those of allauth that are the same whoever reads them, in the frame or outside of it.
SAME = [
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/done/",
    "/account/confirm-email/",
    "/account/inactive/",
]
# Of Mara, who has a second factor, and of herself before she has shown it.
SECOND_FACTOR = [
    ("mara", "/account/2fa/"),
    ("mara", "/account/2fa/recovery-codes/"),
    ("mara", "/account/2fa/recovery-codes/generate/"),
    ("mara", "/account/2fa/totp/deactivate/"),
    ("mara", "/account/2fa/reauthenticate/"),
    ("mara, half", "/account/2fa/authenticate/"),
]
# What is refused or fails, and how.
ERRORS = {
    ("nell", "/voices/?{too_many_fields}"): 400,
    ("mara", "/keys/new/"): 403,
    ("nell", "POST /preferences/"): 403,
    ("nell", "/nowhere"): 404,
    ("nell", "/voices/{broken}/"): 500,
}
PORTAL = [
    *(("nell", path) for path in SIGNED_IN + (SAME if SOAK else [])),
    *((None, path) for path in SIGNED_OUT),
    *SECOND_FACTOR,
    *ERRORS,
]


# Of the admin's lists and forms, which one frame makes, a few stand for all but in the long run.
FORMS = ("user", "account", "apikey", "voice")


def admin_pages():
    """Lists and forms of everything, and our own pages."""
    pages = [
        "/admin/",
        "/admin/speech/enginemeasurement/live/",
        "/admin/speech/usagerecord/charts/",
        "/admin/accounts/apikey/1/rotate/",
        "/admin/accounts/apikey/1/revoke/",
    ]
    for model in site._registry:
        app, one = model._meta.app_label, model._meta.model_name
        is_ours = app in ("accounts", "auth", "speech", "voices")
        if one in FORMS or SOAK:
            pages.append(reverse(f"admin:{app}_{one}_changelist"))
        if one in FORMS or (is_ours and SOAK):
            pages += [
                reverse(f"admin:{app}_{one}_add"),
                reverse(f"admin:{app}_{one}_change", args=[1]),
            ]
    return pages


ADMIN = [("operator", path) for path in admin_pages()]


def urls_without_things():
    """URLs of the portal that name nothing; some of them lead to pages."""

    def walk(patterns, before=""):
        for one in patterns:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, before + str(one.pattern))
            elif isinstance(one, URLPattern):
                yield before + str(one.pattern)

    found = {f"/{one}" for one in walk(get_resolver().url_patterns)}
    others = ("/admin", "/api/", "/v1/", "/audio/", "/models", "/mcp", "/^")
    return sorted(one for one in found if "<" not in one and not one.startswith(others))
