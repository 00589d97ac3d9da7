"""How an operator sees models and what was spoken."""

from __future__ import annotations

from speech.admin.model import SpeechModelAdmin
from speech.admin.usage import UsageRecordAdmin

__all__ = ["SpeechModelAdmin", "UsageRecordAdmin"]
