"""Taking a long text: its bounds, its rows, and what it will cost before anything is spoken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.text import Truncator

from accounts.exceptions import NotAllowed
from speech.documents import Document
from speech.errors import InvalidField, RequestError
from speech.job_models import ENDED, Job
from speech.job_parts import Output
from speech.longform.splitting import Piece, language_of, pieces_of
from speech.plan import find_model, find_voice
from speech.requests import Caller
from speech.runtime import runtime
from voices.exceptions import ConsentRequired, UnknownVoice

# Django's own way of adding rows takes twenty-five times as long, and nobody else may write to
# SQLite meanwhile: 99,000 rows of two words each kept everybody from speaking for half a minute.
_ADD = """
INSERT INTO speech_segment
    (job_id, "index", chapter, speaker, text, characters, pause_ms, state, version,
     voice, attempts, error_code, error, audio, samples, sample_rate, spoken_voice, wall_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'pending', 1, '', 0, '', '', '', 0, 0, '', 0)
"""


class TooManyJobs(RequestError):
    """The account has as many jobs that have not ended as it may have."""

    status = 429
    type = "requests"
    code = "too_many_jobs"
    retry_after = 60
    should_retry = True


@dataclass(frozen=True, slots=True)
class JobRequest:
    """How a document is spoken. ``settings`` are a SpeechRequest's, but for text and voice."""

    title: str = ""
    voice: str = ""
    speakers: dict[str, str] = field(default_factory=dict)
    chapter_voices: dict[int, str] = field(default_factory=dict)
    seed: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[tuple[str, str], ...] = ()
    webhook_url: str = ""
    webhook_secret: str = ""


def submit(document: Document, request: JobRequest, caller: Caller, *, start: bool = True) -> Job:
    """The rows of a job; with ``start`` it is in the queue.

    Raises what ``prepare`` would for a model or voice that is not there.
    """
    account = caller.account
    if account.jobs.exclude(state__in=ENDED).count() >= settings.JOBS_PER_ACCOUNT:
        raise TooManyJobs(f"At most {settings.JOBS_PER_ACCOUNT} jobs may be under way.")
    if start:
        account.check_quota(1, 1, caller.key)
    if runtime.known_info() is not None:
        find_model(request.settings.get("model"), runtime.engine.info, caller.key)
    check_names(request.speakers, request.chapter_voices, document.speakers, len(document.chapters))
    # Takes a while for a book; nobody else's rows wait for it.
    pieces = list(pieces_of(document, request.settings.get("language") or ""))
    if not pieces:
        raise InvalidField("input: There is nothing to say.", "input", "empty_input")
    with transaction.atomic():
        job = Job.objects.create(
            account=account,
            user_id=caller.user_id,
            key=caller.key,
            title=(request.title or document.title)[:200]
            or first_words(piece.text for piece in pieces),
            settings=request.settings,
            voice=request.voice,
            speakers={name: request.speakers.get(name, "") for name in document.speakers if name},
            chapters=[
                {
                    "title": chapter.title,
                    "voice": request.chapter_voices.get(number, ""),
                    "language": language_of(document, chapter),
                }
                for number, chapter in enumerate(document.chapters)
            ],
            seed=request.seed,
            webhook_url=request.webhook_url,
            webhook_secret=request.webhook_secret,
        )
        job.characters = _add_segments(job, pieces)
        job.save(update_fields=["characters"])
        Output.objects.bulk_create(
            Output(job=job, format=format, split=split) for format, split in request.outputs
        )
        if start:
            job.start(find_cast(job, caller))
    return job


def first_words(texts: Iterable[str]) -> str:
    """What a text without a title is called."""
    return Truncator(" ".join(islice(texts, 5))).chars(60)


def check_names(
    speakers: Mapping[str, str],
    chapter_voices: Mapping[int, str],
    known: Collection[str],
    chapters: int,
) -> None:
    """Raise InvalidField for a voice that would be nobody's: nothing is taken and not used."""
    for name in speakers:
        if not name or name not in known:
            raise InvalidField(
                f"speakers: Nobody in the text is called {name[:100]!r}.", "speakers"
            )
    for number in chapter_voices:
        if number >= chapters:
            told = f"chapter_voices: There is no chapter {number}, the last one is {chapters - 1}."
            raise InvalidField(told, "chapter_voices")


def find_cast(job: Job, caller: Caller) -> dict[str, str]:
    """Which voice each is that a text is said in.

    Raises UnknownVoice, ConsentRequired or NotAllowed for one that cannot be had; where no language
    is stated, each piece is held to its own.
    """
    cast = {}
    for voice, given_by in voices_of(job).items():
        try:
            cast[voice], _ = find_voice(voice or None, caller, job.settings.get("language") or "")
        except (UnknownVoice, ConsentRequired, NotAllowed) as refused:
            if refused.param != "language":  # that of the text, which no voice states
                refused.param = given_by
            raise
    return cast


def voices_of(job: Job) -> dict[str, str]:
    """Every voice that a job's text is said in, and what it is given by; "" is the account's
    default."""
    chapters = {
        chapter["voice"] or job.voice: f"chapter_voices.{number}" if chapter["voice"] else "voice"
        for number, chapter in enumerate(job.chapters)
    }
    # Who is called as a voice is was given it by the text.
    speakers = {
        voice or name: f"speakers.{name}" if voice else "input"
        for name, voice in job.speakers.items()
    }
    return chapters | speakers


def _add_segments(job: Job, pieces: Sequence[Piece]) -> int:
    """Returns how many characters they have."""
    rows = [
        (job.pk, number, piece.chapter, piece.speaker, piece.text, len(piece.text), piece.pause_ms)
        for number, piece in enumerate(pieces)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)
    return sum(len(piece.text) for piece in pieces)
