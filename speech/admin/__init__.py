"""How an operator sees models, has them fetched, and what was spoken."""

from __future__ import annotations

from speech.admin.download import ModelDownloadAdmin
from speech.admin.model import SpeechModelAdmin
from speech.admin.operations import EngineMeasurementAdmin, NoticeAdmin
from speech.admin.usage import UsageRecordAdmin

__all__ = [
    "EngineMeasurementAdmin",
    "ModelDownloadAdmin",
    "NoticeAdmin",
    "SpeechModelAdmin",
    "UsageRecordAdmin",
]
