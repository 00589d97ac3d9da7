"""The built-in voices of models that have none of their own: each is spoken once and kept.

Whoever asks for one that is not there begins it, and the others follow at the priority of jobs.
The rows of ``voices/built_in.py`` say what is to be done and by whom, so that several servers make
each voice once, and what one of them leaves undone another finishes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from django.db import connection

from speech.engine.base import Engine
from speech.engine.errors import EngineBusy, EngineError, EngineUnavailable, QueueTimeout
from speech.engine.types import EngineState, Priority, VoicePrompt
from speech.prompts import built_in_prompt, makes_built_in_voices
from speech.runtime import runtime
from speech.takes import SEEDS, speak_preset
from voices.built_in import REST
from voices.exceptions import RefusedRecording, StorageUnavailable
from voices.models import BuiltInTake, Voice

log = structlog.get_logger("speech.baking")
# It is not the model's fault, and may soon be otherwise.
_LATER = (EngineBusy, EngineUnavailable, QueueTimeout, StorageUnavailable)
_following = threading.Lock()


def find_or_begin(voice: Voice, engine: Engine) -> VoicePrompt | None:
    """The voice if it is there; else somebody makes it now. Never waits for that.

    Raises EngineUnavailable where that has just failed, and StorageUnavailable.
    """
    info = engine.info
    takes = BuiltInTake.objects.of_model(info.model)
    take = takes.of_voice(voice).first()
    if take is None:
        takes.want_all(info.model)
        take = takes.of_voice(voice).get()
    if take.is_ready:
        return built_in_prompt(voice, take, info)
    if take.has_just_failed:
        raise EngineUnavailable(
            f"The voice {voice.public_id} could not be made: {take.error}",
            retry_after=REST.total_seconds(),
        )
    mark = uuid4().hex
    if take.claim(mark):
        _in_the_background(_make_first, take, mark, engine)
    return None


def follow() -> None:
    """Go on with the voices of the model that is loaded, where any was ever asked for."""
    if runtime.stats().state is not EngineState.READY:
        return
    engine = runtime.engine
    takes = BuiltInTake.objects.of_model(engine.info.model)
    if makes_built_in_voices(engine.info) and takes.to_make().exists():
        _in_the_background(_make_rest, engine)


def make_all(engine: Engine) -> Iterator[BuiltInTake]:
    """Make what is wanted of its model and nobody makes; yields each before it is begun."""
    takes = BuiltInTake.objects.of_model(engine.info.model)
    while (take := takes.to_make().first()) is not None:
        mark = uuid4().hex
        if not take.claim(mark):
            continue
        yield take
        if not _make(take, mark, engine, Priority.JOB):
            return


def _make(take: BuiltInTake, mark: str, engine: Engine, priority: Priority) -> bool:
    """Speak and keep it; False where nothing can be made at the moment."""
    recipe, renew = take.recipe, partial(_renew, take, mark)
    # None of those that did not please: neither the check, nor an operator.
    first_seed = recipe.seed + (take.failures + take.version - 1) * SEEDS
    try:
        sample, seed = speak_preset(recipe, first_seed, engine, priority, renew)
        is_ours = take.keep(mark, sample, recipe.sentence, seed)
    except _LATER as error:
        log.warning("built_in_voice_waits", voice=str(take), reason=str(error))
        take.let_go(mark)
        return False
    except (EngineError, RefusedRecording) as error:
        log.error("built_in_voice_failed", voice=str(take), reason=str(error))
        take.fail(mark, str(error))
    else:
        if is_ours:
            log.info("built_in_voice_made", voice=str(take), seed=seed)
    return True


def _renew(take: BuiltInTake, mark: str) -> None:
    if not take.renew(mark):
        raise EngineUnavailable("Another server makes this voice now.")


def _make_first(take: BuiltInTake, mark: str, engine: Engine) -> None:
    """Somebody waits for this one; the others follow."""
    if _make(take, mark, engine, Priority.INTERACTIVE):
        _make_rest(engine)


def _make_rest(engine: Engine) -> None:
    """One thread of a process does."""
    if _following.acquire(blocking=False):
        try:
            for _ in make_all(engine):
                pass
        finally:
            _following.release()


def _in_the_background(work: Callable[..., None], *arguments: Any) -> None:
    def enter() -> None:
        try:
            work(*arguments)
        finally:
            connection.close()

    threading.Thread(target=enter, name="baking", daemon=True).start()
