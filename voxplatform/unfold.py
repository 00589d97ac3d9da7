"""How the admin looks: name, icon, colours and the order of its menu. Settings only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _logo(request: HttpRequest) -> str:
    return static("portal/logo.svg")


def _style(request: HttpRequest) -> str:
    return static("voxplatform/admin.css")


def _link(title: str, icon: str, model: str) -> dict[str, Any]:
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
    "SITE_SUBHEADER": "Speech, on your own machine",
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
                    {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                ]
            },
            {
                "title": "Speech",
                "separator": True,
                "items": [
                    {
                        "title": "Live engine",
                        "icon": "monitor_heart",
                        "link": reverse_lazy("admin:speech_engine"),
                        "permission": lambda request: request.user.is_staff,
                    },
                    _link("Usage log", "receipt_long", "speech.usagerecord"),
                    _link("Models", "tune", "speech.speechmodel"),
                    _link("Model downloads", "download", "speech.modeldownload"),
                    _link("Measurements", "speed", "speech.enginemeasurement"),
                    _link("Notices", "campaign", "speech.notice"),
                ],
            },
            {
                "title": "Voices",
                "separator": True,
                "items": [
                    _link("Voices", "record_voice_over", "voices.voice"),
                    _link("Consents", "verified_user", "voices.voiceconsent"),
                    _link("Reports", "flag", "voices.voicereport"),
                    _link("Imports", "library_add", "voices.voiceimport"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _link("Accounts", "account_balance_wallet", "accounts.account"),
                    _link("API keys", "key", "accounts.apikey"),
                    _link("Users", "person", "auth.user"),
                    _link("Groups", "group", "auth.group"),
                    _link("Audit log", "history", "accounts.auditentry"),
                ],
            },
        ]
    },
}
