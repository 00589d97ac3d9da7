"""How the admin looks: name, icon, colours and the order of its menu. Settings only.

Unfold brings no catalogues: what it says and Django's do not know stands in ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


def _logo(request: HttpRequest) -> str:
    return static("portal/logo.svg")


def _style(request: HttpRequest) -> str:
    return static("voxplatform/admin.css")


def _link(title: StrPromise, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: (
            request.user.has_perm(f"{app}.view_{name}")
            or request.user.has_perm(f"{app}.change_{name}")
        ),
    }


UNFOLD = {
    "SITE_TITLE": "VoxPlatform",
    "SITE_HEADER": "VoxPlatform",
    "SITE_SUBHEADER": _("Speech, on your own machine"),
    "SITE_SYMBOL": "graphic_eq",
    "SITE_ICON": _logo,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _logo}],
    "SITE_URL": "/",
    "STYLES": [_style],
    "DASHBOARD_CALLBACK": "voxplatform.admin.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        }
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": _("Overview"),
                        "icon": "dashboard",
                        "link": reverse_lazy("admin:index"),
                    },
                ]
            },
            {
                "title": pgettext_lazy("menu", "Speech"),
                "separator": True,
                "items": [
                    {
                        "title": _("Live engine"),
                        "icon": "monitor_heart",
                        "link": reverse_lazy("admin:speech_engine"),
                        "permission": lambda request: request.user.is_staff,
                    },
                    _link(_("Usage log"), "receipt_long", "speech.usagerecord"),
                    _link(_("Models"), "tune", "speech.speechmodel"),
                    _link(_("Model downloads"), "download", "speech.modeldownload"),
                    _link(_("Measurements"), "speed", "speech.enginemeasurement"),
                    _link(_("Notices"), "campaign", "speech.notice"),
                ],
            },
            {
                "title": _("Voices"),
                "separator": True,
                "items": [
                    _link(_("Voices"), "record_voice_over", "voices.voice"),
                    _link(_("Consents"), "verified_user", "voices.voiceconsent"),
                    _link(_("Reports"), "flag", "voices.voicereport"),
                    _link(_("Imports"), "library_add", "voices.voiceimport"),
                ],
            },
            {
                "title": _("Access"),
                "separator": True,
                "items": [
                    _link(_("Accounts"), "account_balance_wallet", "accounts.account"),
                    _link(_("API keys"), "key", "accounts.apikey"),
                    _link(_("Users"), "person", "auth.user"),
                    _link(_("Groups"), "group", "auth.group"),
                    _link(_("Audit log"), "history", "accounts.auditentry"),
                ],
            },
        ]
    },
}

WORDS_OF_UNFOLD = (
    gettext_noop("Add row"),
    gettext_noop("All applications"),
    gettext_noop("Apply Filters"),
    gettext_noop("Choose file to upload"),
    gettext_noop("Click to cancel"),
    gettext_noop("Click to download"),
    gettext_noop("Collapse"),
    gettext_noop("Dark"),
    gettext_noop("Date"),
    gettext_noop("Date from"),
    gettext_noop("Date to"),
    gettext_noop("Expand row"),
    gettext_noop("False"),
    gettext_noop("From"),
    gettext_noop("General"),
    gettext_noop("Go back"),
    gettext_noop("Light"),
    gettext_noop("Loading more results..."),
    gettext_noop("More actions"),
    gettext_noop("No data"),
    gettext_noop("No recent searches"),
    gettext_noop("No results found"),
    gettext_noop("No results matching your query"),
    gettext_noop("None"),
    gettext_noop("Recent searches"),
    gettext_noop("Reset filters"),
    gettext_noop("Return to site"),
    gettext_noop("Run"),
    gettext_noop("Search apps and models..."),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("Select value"),
    gettext_noop("Submit"),
    gettext_noop("System"),
    gettext_noop("This item will be deleted."),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("To"),
    gettext_noop("Toggle password visibility"),
    gettext_noop("True"),
    gettext_noop("Type to search"),
    gettext_noop("Value"),
)
