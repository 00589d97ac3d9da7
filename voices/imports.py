"""Many voices at once, from a zip with a table: looked through and kept, then made file by file.

A kill at any point makes nothing twice: a voice that has the id of its line is there already.
Knows nothing of where it runs: commands and servers both do it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict
from typing import IO

from django.core.files.base import File
from rest_framework.exceptions import NotFound

from accounts.audit import record
from accounts.models import Account
from voices import storage
from voices.bundle import Bundle, RefusedBundle
from voices.consents import Origin
from voices.decoding import DecoderBroken
from voices.erasure import Erasure, tombstones
from voices.exceptions import (
    ConsentRequired,
    InvalidVoiceField,
    RefusedRecording,
    VoiceLimitReached,
)
from voices.import_rows import MAX_ATTEMPTS, ImportedFile, VoiceImport
from voices.models import Voice
from voices.policy import check_statement
from voices.resolving import needed_consent
from voices.room import check_room
from voices.samples import Cut
from voices.taking import take

_REFUSALS = (
    *(ConsentRequired, InvalidVoiceField, RefusedBundle, RefusedRecording),
    *(DecoderBroken, VoiceLimitReached),
)


def begin(account: Account, archive: IO[bytes], origin: Origin, statement: str = "") -> VoiceImport:
    """Look through an archive and keep it for whoever works on it. Raises RefusedBundle,
    InvalidVoiceField and StorageUnavailable, and then nothing is left of it."""
    if statement:
        statement = check_statement(statement)
    rows = Bundle(archive).rows
    archive.seek(0)
    with storage.keeping_file(File(archive), "imports", ".zip") as key:
        made = VoiceImport.objects.create(
            account=account,
            archive_key=key,
            statement=statement,
            created_by=origin.user,
            asked_by=origin.actor.name[:300],
        )
        ImportedFile.objects.bulk_create(
            ImportedFile(of=made, number=number, **asdict(row))
            for number, row in enumerate(rows, 1)
        )
        record("voices.import", origin.actor, made, account, {"files": len(rows)})
    return made


def advance(should_stop: Callable[[], bool] = lambda: False) -> bool:
    """Work on one import that nobody works on, until it is done or the caller wants to stop;
    False when there is none. Raises StorageUnavailable, and whatever else a line did that nobody
    foresaw: it is taken up again later, with the other lines first."""
    job = VoiceImport.claim()
    if job is None:
        return False
    try:
        with storage.opened(job.archive_key) as archive:
            bundle = Bundle(archive)
            for file in job.waiting():
                if should_stop() or not job.renew():
                    return True
                if file.attempts >= MAX_ATTEMPTS:
                    file.tell(file.State.FAILED, f"It was tried {MAX_ATTEMPTS} times in vain.")
                    continue
                with file.attempt():
                    _take(file, bundle, job)
        job.finish()
    finally:
        job.release()
    return True


def _take(file: ImportedFile, bundle: Bundle, job: VoiceImport) -> None:
    """Make a line's voice, if that is not done yet, and say what came of it."""
    if (Erasure.Kind.VOICE, file.voice_id) in tombstones():
        # This database is older than its erasure.
        file.tell(file.State.DONE)
        file.forget(file.voice_id)
        return
    try:
        if not Voice.objects.filter(public_id=file.voice_id).exists():
            _make(file, bundle, job)
    except NotFound:
        file.tell(file.State.FAILED, "consent: This account has no such consent.")
    except _REFUSALS as refused:
        file.tell(file.State.FAILED, str(refused))
    else:
        file.tell(file.State.DONE)


def _make(file: ImportedFile, bundle: Bundle, job: VoiceImport) -> None:
    check_room(job.account)
    consent, statement = needed_consent(file.consent or job.statement, job.account)
    recording = bundle.read(file.file)
    sample = take(
        io.BytesIO(recording),
        len(recording),
        Cut.ENDS if file.transcript else Cut.BEST,
        transcript=file.transcript,
        override=file.override,
    )
    Voice.clone(
        job.account,
        file.name,
        sample,
        consent,
        Origin(job.actor, job.created_by),
        statement=statement,
        transcript=file.transcript,
        override=file.override,
        public_id=file.voice_id,
        language=file.language,
        description=file.description,
    )
