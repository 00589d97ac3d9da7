"""How an operator sees voices, their consents and what is reported of them."""

from __future__ import annotations

from voices.admin.consent import VoiceConsentAdmin
from voices.admin.imports import VoiceImportAdmin
from voices.admin.report import VoiceReportAdmin
from voices.admin.voice import VoiceAdmin

__all__ = ["VoiceAdmin", "VoiceConsentAdmin", "VoiceImportAdmin", "VoiceReportAdmin"]
