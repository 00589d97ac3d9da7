"""The usage log as CSV: streamed page by page, bounded, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from accounts.spreadsheets import cell
from speech.models import UsageRecord

MOST_ROWS = 100_000
_PAGE = 1000
COLUMNS = (
    *("created_at", "request_id", "account__name", "user__username", "key__name", "key__public_id"),
    *("face", "voice", "model", "model_used", "engine", "response_format", "stream_format"),
    *("characters", "characters_charged", "audio_ms", "ms_charged", "bytes_sent"),
    *("queue_ms", "ttfa_ms", "wall_ms", "rtf", "seed", "outcome", "finish_reason", "error_code"),
    *("user_agent", "text_hash"),
)


def csv_response(records: QuerySet[UsageRecord]) -> StreamingHttpResponse:
    """The newest ``MOST_ROWS`` of ``records`` as a download."""
    response = StreamingHttpResponse(_lines(records), content_type="text/csv; charset=utf-8")
    response.headers["content-disposition"] = 'attachment; filename="usage.csv"'
    response.headers["cache-control"] = "no-store"
    return response


async def _lines(records: QuerySet[UsageRecord]) -> AsyncIterator[str]:
    """Each page is a short query of its own, so a slow reader holds no transaction open."""
    yield _write([[name.replace("__", "_") for name in COLUMNS]])
    newest = records.order_by("-pk").values_list("pk", *COLUMNS)
    page = await _fetch(newest)
    written = 0
    while page and written < MOST_ROWS:
        yield _write([[cell(value) for value in row[1:]] for row in page])
        written += len(page)
        page = await _fetch(newest.filter(pk__lt=page[-1][0]))


@sync_to_async
def _fetch(records: QuerySet[Any, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(records[:_PAGE])


class _Echo:
    """What csv.writer writes to, when lines are wanted and no file."""

    def write(self, line: str) -> str:
        return line


def _write(rows: list[list[str]]) -> str:
    writer = csv.writer(_Echo())
    return "".join(writer.writerow(row) for row in rows)
