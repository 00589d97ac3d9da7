"""How the admin looks: name, icon, colours and the order of its menu. Settings only.

Unfold brings no catalogues: what it says and Django's do not know stands in ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


def _logo(request: HttpRequest) -> str:
    return static("portal/logo.svg")


def _style(request: HttpRequest) -> str:
    return static("voxplatform/admin.css")


def _labels(request: HttpRequest) -> str:
    return static("voxplatform/labels.js")


# The live engine's page lies below them, and has an entry of its own.
_MEASUREMENTS = re.compile("/admin/speech/enginemeasurement/(?!live/)")


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
    "SCRIPTS": [_labels],
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
                        "permission": lambda request: request.user.has_perm(
                            "speech.view_usagerecord"
                        ),
                    },
                    _link(_("Usage log"), "receipt_long", "speech.usagerecord"),
                    _link(_("Models"), "tune", "speech.speechmodel"),
                    _link(_("Model downloads"), "download", "speech.modeldownload"),
                    _link(_("Measurements"), "speed", "speech.enginemeasurement")
                    | {"active": lambda request: bool(_MEASUREMENTS.match(request.path))},
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

# Lazy: nothing here may ask for settings, which are being read when this is.
WORDS_OF_UNFOLD = (
    _("Add row"),
    _("All applications"),
    _("Apply Filters"),
    _("Choose file to upload"),
    _("Click to cancel"),
    _("Click to download"),
    _("Collapse"),
    _("Dark"),
    _("Date"),
    _("Date from"),
    _("Date to"),
    _("Expand row"),
    _("False"),
    _("From"),
    _("General"),
    _("Go back"),
    _("Light"),
    _("Loading more results..."),
    _("More actions"),
    _("No data"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("None"),
    _("Recent searches"),
    _("Reset filters"),
    _("Return to site"),
    _("Run"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("Submit"),
    _("System"),
    _("This item will be deleted."),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("To"),
    _("Toggle password visibility"),
    _("True"),
    _("Type to search"),
    _("Value"),
)
