"""Forms with recordings in them: read strictly, whatever a broken or hostile body holds.

A file's name and stated type are not looked at. Knows nothing of what a field means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.http.multipartparser import MultiPartParserError
from rest_framework.request import Request

from speech.api.parsers import check_encoding
from speech.errors import InvalidField, RequestError
from voices.exceptions import RecordingTooLarge, RefusedRecording
from voices.limits import LIMITS
from voices.samples import Cut, Sample
from voices.taking import take

# Everything but line breaks and tabs that is no text.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONGEST_FIELD = 4096


class Form:
    """The fields of a multipart body, by name, each once."""

    def __init__(self, request: Request, *known: Iterable[str] | str) -> None:
        """With ``known`` names, or collections of them, any other field is an error."""
        check_encoding(request.headers)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            raise RequestError(
                "Send the body as multipart/form-data.", code="unsupported_content_type"
            )
        try:
            self._fields = request._request.POST
            self._files = request._request.FILES
        except MultiPartParserError:
            raise RequestError("The form cannot be read.", code="invalid_body") from None
        self._asked: set[str] = set()
        for name in {*self._fields, *self._files}:
            if len(self._fields.getlist(name)) + len(self._files.getlist(name)) > 1:
                shown = _shown(name)
                raise InvalidField(
                    f"{shown}: The field stands twice in the form.", shown, "duplicate_key"
                )
        names = {name for group in known for name in ([group] if isinstance(group, str) else group)}
        if known and (strange := sorted({*self._fields, *self._files} - names)):
            shown = _shown(strange[0])
            raise InvalidField(f"{shown}: There is no such field.", shown)

    def text(self, *names: str, required: bool = False, longest: int = _LONGEST_FIELD) -> str:
        """The first of these fields that is there, without spaces around it; else ""."""
        self._asked.update(names)
        for name in names:
            if name in self._files:
                raise InvalidField(f"{name}: This field is a text, not a file.", name)
            if value := self._fields.get(name, "").strip():
                if len(value) > longest:
                    raise InvalidField(f"{name}: At most {longest} characters.", name)
                if _UNPRINTABLE.search(value):
                    raise InvalidField(f"{name}: It holds characters that are not text.", name)
                return value
        if required:
            raise missing(names[0])
        return ""

    def flag(self, name: str) -> bool:
        """true or false, written so; false when it is not there."""
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            raise InvalidField(f"{name}: Send true or false.", name)
        return value == "true"

    def file(self, name: str) -> UploadedFile[Any]:
        """The recording in this field."""
        upload = self.upload(name)
        if (upload.size or 0) > LIMITS.upload_bytes:
            raise RecordingTooLarge(LIMITS.upload_bytes, name)
        return upload

    def upload(self, name: str) -> UploadedFile[Any]:
        """The file in this field, of whatever size a body may have."""
        self._asked.add(name)
        if name not in self._files:
            raise missing(name)
        return cast("UploadedFile[Any]", self._files[name])

    def unknown(self) -> list[str]:
        """The fields that nobody asked for, as they can stand in a header."""
        return [_shown(name) for name in sorted({*self._fields, *self._files} - self._asked)[:20]]


def missing(name: str) -> InvalidField:
    return InvalidField(f"{name}: This field is required.", name, "missing_required_parameter")


def _shown(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "?", name[:40])


def take_recording(
    form: Form, name: str, cut: Cut, *, transcript: str = "", override: bool = False
) -> Sample:
    """The checked sample in a field of a form. Raises RefusedRecording, which names the field."""
    upload = form.file(name)
    try:
        file = cast(BinaryIO, upload.file)
        return take(file, upload.size or 0, cut, transcript=transcript, override=override)
    except RefusedRecording as refused:
        refused.param = refused.param or name
        raise
