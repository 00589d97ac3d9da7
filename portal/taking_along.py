"""A person takes along what is theirs alone: a zip of their history everywhere, and of all that
their own account holds, made while it is being sent.

Of a table some rows are in memory, of a file one piece, and while the browser takes its time no
connection is held. What cannot be read now is named in the zip, and nothing else waits for it.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import models, transaction

from accounts.audit import Actor, record
from accounts.gate import release_connections
from accounts.models import Account, Profile
from accounts.spreadsheets import cell
from speech import history
from speech.models import HistoryItem, Job, Segment, UsageRecord
from voices import storage
from voices.archive import export as export_voice
from voices.exceptions import StorageUnavailable
from voices.listing import design_object
from voices.models import DesignCandidate, Voice, VoiceConsent, VoiceDesign, VoiceSample

Row = TypeVar("Row", bound=models.Model)
Entries = Iterator[tuple[str, Iterable[bytes]]]
_AT_ONCE = 500
_PIECE = 64 * 1024
_USAGE = (
    *("created_at", "voice", "model", "characters_charged", "audio_ms", "outcome", "face"),
    *("settings", "seed"),
)
_CONSENT = (
    *("public_id", "name", "language", "relationship", "statement", "phrase", "phrase_language"),
    *("words_checked", "purposes", "languages", "expires_at", "document_sha256"),
    *("state", "given_as", "given_through", "release", "address", "user_agent", "created_at"),
    *("withdrawn_at", "withdrawal_reason"),
)
_PREFERRED = ("language", "theme", "time_zone", "default_voice", "default_format")


async def export(user: User, actor: Actor) -> AsyncIterator[bytes]:
    """The zip, piece by piece. That it is asked for is in the audit log before the first."""
    account = await sync_to_async(_note)(user, actor)
    packed = _packed(_entries(user, account, actor))
    try:
        while piece := await sync_to_async(_next)(packed):
            yield piece
    finally:
        await sync_to_async(packed.close)()


def _note(user: User, actor: Actor) -> Account:
    account = Account.objects.for_user(user)
    with transaction.atomic():
        record("user.export", actor, user, account)
    return account


def _next(packed: Iterator[bytes]) -> bytes:
    try:
        return next(packed, b"")
    finally:
        release_connections()


class _Sent(io.RawIOBase):
    """What a zip is written into on its way: nobody can seek in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> Iterator[bytes]:
        """What was written since the last time, if anything was."""
        if self._held:
            yield bytes(self._held)
            self._held.clear()


def _packed(entries: Entries) -> Generator[bytes]:
    sent, missing = _Sent(), []
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in entries:
            try:
                pieces = iter(source)
                first = next(pieces, b"")  # what is not there makes no entry
                with archive.open(name, "w", force_zip64=True) as entry:
                    entry.write(first)
                    for piece in pieces:
                        entry.write(piece)
                        yield from sent.take()
            except (OSError, StorageUnavailable):
                missing.append(name)
            yield from sent.take()
        if missing:
            archive.writestr("missing.txt", "\n".join(["Could not be read now:", *missing, ""]))
    yield from sent.take()


def _entries(user: User, account: Account, actor: Actor) -> Entries:
    """Names and contents, each read when its turn has come."""
    yield "person.json", _json(_person(user, account))
    yield "history.json", _json_list(_history(user))
    yield "usage.csv", _usage(account)
    yield "long-texts.json", _json_list(_long_texts(account))
    consents = VoiceConsent.objects.filter(account=account, deleted_at=None)
    yield "consents.json", _json_list({n: getattr(c, n) for n in _CONSENT} for c in _all(consents))
    designs = VoiceDesign.objects.filter(account=account)
    yield (
        "designs.json",
        _json_list(design_object(one, list(one.candidates.all())) for one in _all(designs)),
    )
    for item in _all(HistoryItem.objects.filter(user=user).exclude(audio_key="")):
        yield f"history/{item.pk}.{history.AUDIO_FORMAT}", _file(item.audio_key)
    samples = VoiceSample.objects.filter(voice__in=Voice.objects.owned_by(account))
    for sample in _all(samples.select_related("voice__consent")):
        name = f"voices/{sample.voice.public_id}-{sample.version}.zip"
        yield name, _made(partial(export_voice, sample.voice, sample, actor))
    for consent in _all(consents.exclude(recording_key="")):
        yield f"consents/{consent.public_id}.wav", _file(consent.recording_key)
    takes = DesignCandidate.objects.filter(design__in=designs).select_related("design")
    for take in _all(takes):
        yield f"designs/{take.design.public_id}-{take.number}.wav", _file(take.object_key)
    said = Segment.objects.filter(job__account=account).exclude(audio="").select_related("job")
    for segment in _all(said):
        yield f"long-texts/{segment.job.public_id}/{segment.index:06}.flac", _file(segment.audio)


def _all(rows: models.QuerySet[Row]) -> Iterator[Row]:
    """A batch at a time: a cursor that is held while somebody downloads would hold up SQLite."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        yield from batch
        last = batch[-1].pk


def _file(key: str) -> Iterator[bytes]:
    with storage.opened(key) as kept:
        while piece := kept.read(_PIECE):
            yield piece


def _made(make: Callable[[], bytes]) -> Iterator[bytes]:
    yield make()


# -- what is told of it


def _person(user: User, account: Account) -> dict[str, Any]:
    memberships = user.memberships.select_related("account")
    profile = Profile.of(user)
    return {
        "username": user.username,
        "email": user.email,
        "joined": user.date_joined,
        "prefers": {name: getattr(profile, name) for name in _PREFERRED},
        "accounts": [{"name": one.account.name, "role": one.role} for one in memberships],
        "keys": [
            {"name": key.name, "id": key.public_id, "scopes": key.scopes, "made": key.created_at}
            for key in account.keys.all()
        ],
    }


def _history(user: User) -> Iterator[dict[str, Any]]:
    for item in _all(HistoryItem.objects.filter(user=user).select_related("record")):
        said = {name: getattr(item.record, name) for name in _USAGE}
        yield said | {"id": item.pk, "text": item.text, "instructions": item.instructions}


def _long_texts(account: Account) -> Iterator[dict[str, Any]]:
    for job in _all(Job.objects.filter(account=account)):
        about = ("title", "state", "voice", "speakers", "chapters", "settings", "seed")
        texts = job.segments.order_by("index").values_list("text", flat=True)
        said = {name: getattr(job, name) for name in about}
        yield {"id": job.public_id, "made": job.created_at, "text": list(texts)} | said


def _usage(account: Account) -> Iterator[bytes]:
    yield _line(_USAGE)
    for row in _all(UsageRecord.objects.filter(account=account)):
        yield _line(cell(getattr(row, name)) for name in _USAGE)


def _line(values: Iterable[Any]) -> bytes:
    sink = io.StringIO()
    csv.writer(sink).writerow(values)
    return sink.getvalue().encode()


def _json_list(values: Iterable[Any]) -> Iterator[bytes]:
    begin = b"[\n"
    for value in values:
        yield begin
        yield from _json(value)
        begin = b",\n"
    yield b"[]" if begin == b"[\n" else b"\n]"


def _json(value: Any) -> Iterator[bytes]:
    yield json.dumps(value, ensure_ascii=False, indent=2, default=str).encode()
