"""The table of errors in docs/api.md is what is answered: each row's status, type and code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from accounts import exceptions as accounts
from speech import errors
from speech.documents import DocumentTooLarge, UnreadableDocument
from speech.engine import errors as engine
from speech.errors import Failure, describe
from speech.job_models import WrongState
from speech.longform.submission import TooManyJobs
from voices.exceptions import (
    ComparisonUnavailable,
    ConsentRequired,
    InvalidVoiceField,
    RecordingTooLarge,
    RefusedRecording,
    StorageUnavailable,
    TranscriberUnavailable,
    UnknownVoice,
    VoiceLimitReached,
    VoiceSilenced,
)
from voxplatform.server import refusals

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs/api.md").read_text().partition("| case |")[2].partition("\n\n")[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("|") and "---" not in line]

RAISED = [
    drf.NotAuthenticated(),
    accounts.InvalidKey(),
    accounts.AccountDeactivated(),
    accounts.MissingScope(),
    accounts.NotAllowed(),
    accounts.RateLimited(retry_after=30),
    accounts.TooManyStreams(),
    accounts.QuotaExceeded(),
    accounts.DatabaseUnavailable(),
    OperationalError(),
    DisallowedHost(),
    RequestDataTooBig(),
    Http404(),
    drf.MethodNotAllowed("GET"),
    drf.NotFound(),
    UnknownVoice(),
    ConsentRequired("x"),
    VoiceSilenced(),
    VoiceLimitReached("Enough."),
    InvalidVoiceField("x", "name"),
    InvalidVoiceField("x", "name", "name_taken"),
    RecordingTooLarge(1),
    StorageUnavailable(),
    TranscriberUnavailable(),
    ComparisonUnavailable(),
    RefusedRecording("no_speech", "x"),
    RefusedRecording("transcript_mismatch", "x"),
    errors.InvalidField("x", "speed"),
    errors.InvalidField("x", "input", "empty_input"),
    errors.ModelNotFound("x", "model"),
    errors.UnsupportedContentEncoding("x"),
    errors.RequestError("x", code="unsupported_content_type"),
    errors.RequestError("x", code="invalid_json"),
    errors.ShuttingDown("x"),
    engine.EngineBusy("x", retry_after=1),
    engine.QueueTimeout("x", retry_after=1),
    engine.EngineUnavailable("x", retry_after=1),
    engine.UnsupportedByEngine("x", "voice"),
    engine.InvalidUtterance("x", "input"),
    engine.SynthesisFailed("x"),
    WrongState("paused"),
    TooManyJobs("x"),
    UnreadableDocument("x"),
    DocumentTooLarge("x"),
    KeyError("our bug"),
]
REFUSED = [
    refusals.too_large(1),
    refusals.no_key(shown=False),
    refusals.no_key(shown=True),
    refusals.bad_request("x"),
    refusals.REQUEST_TIMEOUT,
    refusals.INTERNAL_ERROR,
    refusals.shutting_down(5),
]


def row_of(status: int, code: str | None) -> str:
    wanted = f"`{code}`" if code else f"{status} invalid_request_error, null"
    rows = [row for row in ROWS if wanted in row and str(status) in row]
    assert len(rows) == 1, (status, code, rows)
    return rows[0]


def retried(row: str, code: str | None) -> bool:
    """The last column; where it has two halves, they go with the codes in the middle."""
    _, _, codes, answers, _ = row.split("|")
    halves = answers.split("/")
    if len(halves) == 1:
        return "yes" in answers
    return "yes" in halves[[f"`{code}`" in half for half in codes.split(" / ")].index(True)]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_is_raised_is_answered_as_the_table_says(error):
    failure = describe(error)
    row = row_of(failure.status, failure.code)
    named = re.findall(r"\b[a-z_]+_error\b|type `requests`|\d insufficient_quota", row)
    if named:
        assert any(failure.type in name for name in named)
    if failure.status in (429, 503) and failure.code != "insufficient_quota":
        assert 1 <= int(failure.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("due", "earliest", "latest"),
    [(0, 1, 1.25), (1, 1, 1.25), (8, 8, 10), (60, 48, 60), (900, 48, 60)],
)
def test_clients_that_are_refused_together_are_called_back_apart(due, earliest, latest):
    headers = [Failure(503, "", None, "", retry_after=due).headers for _ in range(200)]
    waits = [int(header["retry-after-ms"]) / 1000 for header in headers]
    assert earliest <= min(waits) < max(waits) <= latest
    assert max(waits) - min(waits) > (latest - earliest) / 2
    assert all(
        abs(int(header["retry-after"]) - wait) <= 0.5
        for header, wait in zip(headers, waits, strict=True)
    )


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_clients_try_again_just_where_the_table_says(error):
    failure = describe(error)
    by_status = failure.status in (408, 409, 429) or failure.status >= 500
    told = failure.headers.get("x-should-retry")
    again = by_status if told is None else told == "true"
    assert again == retried(row_of(failure.status, failure.code), failure.code)


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: str(refusal.code))
def test_what_the_server_refuses_by_itself_stands_in_the_table_too(refusal):
    row_of(refusal.status, refusal.code)
