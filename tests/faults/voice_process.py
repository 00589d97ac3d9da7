"""Processes that record, erase and withdraw one voice at the same time, or die on the way.

Run as a script with DATA_DIR or DATABASE_URL set; prints one line of JSON.
"""

# ruff: noqa: E402  (Django must be set up before models are imported)
from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxplatform.settings")

import django

django.setup()

from django.conf import settings
from django.db import connection

from accounts.audit import Actor, verify
from accounts.models import Account
from tests.voices.conftest import prepared
from voices import storage
from voices.erasure import Erasure, finish_all
from voices.exceptions import ConsentRequired, UnknownVoice, VoiceLimitReached
from voices.models import (
    Origin,
    UnclaimedObject,
    Voice,
    VoiceConsent,
    VoiceReport,
    VoiceSample,
)
from voices.scope import Scope
from voices.tombstones import reapply

RECORDINGS = 6
SECRET = "Xanthippe"
ACTOR = Actor.of_command("test")


def make() -> Voice:
    account, origin = Account.objects.default(), Origin(ACTOR)
    consent = VoiceConsent.attest(account, "Alice says that this is her voice.", origin)
    return Voice.clone(account, "Alice", prepared(), consent, origin)


def state() -> dict[str, object]:
    media = Path(settings.DATA_DIR) / "media"
    return {
        "voices": list(Voice.objects.owned().order_by("pk").values_list("state", flat=True)),
        "consents": list(VoiceConsent.objects.values_list("state", "name")),
        "versions": list(VoiceSample.objects.order_by("version").values_list("version", flat=True)),
        "speaks": [voice.version for voice in Voice.objects.owned().all()],
        "files": len(list(media.rglob("*.wav"))),
        "unclaimed": UnclaimedObject.objects.count(),
        "unfinished": Erasure.objects.filter(finished_at=None).count(),
        "entries": verify().number,
    }


def finish(**more: object) -> None:
    print(json.dumps({**state(), **more}))
    if connection.vendor == "postgresql":
        connection.close_pool()


# -- dying


def dying_at(statement: str):
    """Dies as the database is about to be told so."""

    def watch(execute, sql, params, many, context):
        if sql.startswith(statement):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    return connection.execute_wrapper(watch)


def die_storing() -> None:
    make()
    with dying_at('INSERT INTO "voices_voice"'):
        Voice.clone(Account.objects.default(), "Bob", prepared(), None, Origin(ACTOR))


def die_erasing_rows() -> None:
    voice = make()
    with dying_at('UPDATE "voices_voice"'):
        voice.erase(ACTOR)


def die_before_objects(voice: Voice | VoiceConsent | None = None) -> None:
    voice = voice or make()
    storage.forget = lambda key: os.kill(os.getpid(), signal.SIGKILL)
    voice.erase(ACTOR)


def die_erasing_objects() -> None:
    voice = make()
    with dying_at('UPDATE "voices_erasure"'):
        voice.erase(ACTOR)


def spoken_consent() -> VoiceConsent:
    account, origin = Account.objects.default(), Origin(ACTOR)
    return VoiceConsent.record(account, prepared(), origin, name="Alice", language="en")


def die_erasing_consent() -> None:
    consent = spoken_consent()
    with dying_at('UPDATE "voices_voiceconsent"'):
        consent.erase(ACTOR)


def die_before_its_recording() -> None:
    die_before_objects(spoken_consent())


def recover() -> None:
    """What a server does at its start and in its background."""
    storage._ABANDONED = timedelta(0)
    reapply()
    finish_all()
    storage.sweep()
    finish()


def erase_words() -> None:
    """All that can be said of a voice and its consent is said, and erased."""
    account, origin = Account.objects.default(), Origin(ACTOR)
    about = {"name": SECRET, "relationship": SECRET, "scope": Scope(SECRET)}
    consent = VoiceConsent.record(account, prepared(), origin, language="en", **about)
    voice = Voice.clone(
        account, SECRET, prepared(6.0), consent, origin, transcript=SECRET, description=SECRET
    )
    voice.change(ACTOR, tags=[SECRET])
    VoiceReport.file(voice, account, SECRET, ACTOR)
    consent.withdraw(ACTOR, SECRET)
    voice.erase(ACTOR)
    consent.erase(ACTOR)
    finish()


# -- racing


def recorder(voice: Voice, start, failures) -> None:
    start.wait()
    done = 0
    try:
        for _ in range(RECORDINGS):
            voice.rerecord(prepared(), Origin(ACTOR))
            done += 1
    except UnknownVoice:
        pass
    except Exception as error:  # noqa: BLE001  (told to whoever started us)
        failures.put(repr(error))
    connection.close()


RECORDERS = [recorder] * 3


def eraser(voice: Voice, start, failures) -> None:
    start.wait()
    while VoiceSample.objects.filter(voice=voice).count() < 4:
        pass
    voice.erase(ACTOR)
    connection.close()


def withdrawer(voice: Voice, start, failures) -> None:
    start.wait()
    voice.consent.withdraw(ACTOR)
    connection.close()


def cloner(voice: Voice, start, failures) -> None:
    start.wait()
    account, origin = Account.objects.default(), Origin(ACTOR)
    try:
        for number in range(5):
            Voice.clone(account, f"{os.getpid()} {number}", prepared(), voice.consent, origin)
    except VoiceLimitReached:
        pass
    except Exception as error:  # noqa: BLE001  (told to whoever started us)
        failures.put(repr(error))
    connection.close()


def compete(*workers) -> None:
    voice = make()
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # its sockets must not be shared with the children
    forked = multiprocessing.get_context("fork")
    start, failures = forked.Event(), forked.SimpleQueue()
    processes = [forked.Process(target=work, args=(voice, start, failures)) for work in workers]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join()
    failed = [process.exitcode for process in processes if process.exitcode]
    while not failures.empty():
        failed.append(failures.get())
    voice.refresh_from_db()
    try:
        voice.check_usable()
        usable = True
    except ConsentRequired:
        usable = False
    finish(failed=failed, usable=usable, epoch=voice.epoch)


if __name__ == "__main__":
    {
        "die_storing": die_storing,
        "die_erasing_rows": die_erasing_rows,
        "die_before_objects": die_before_objects,
        "die_erasing_objects": die_erasing_objects,
        "die_erasing_consent": die_erasing_consent,
        "die_before_its_recording": die_before_its_recording,
        "recover": recover,
        "look": finish,
        "erase_words": erase_words,
        "record": lambda: compete(*RECORDERS),
        "erase": lambda: compete(*RECORDERS, eraser),
        "withdraw": lambda: compete(*RECORDERS, *[withdrawer] * 2),
        "clone": lambda: compete(*[cloner] * 4),
    }[sys.argv[1]]()
