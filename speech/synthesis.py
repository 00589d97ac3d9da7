"""The one path from a SpeechRequest to audio, for every face.

``prepare`` decides and touches nothing: it may be dropped without a trace. The Synthesis it
returns acts when its first chunk is asked for: reserves, opens the usage row, asks the engine; and
closes that row exactly once, however it ends. Knows nothing of HTTP or containers.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType

from django.conf import settings

from accounts.gate import in_gate
from accounts.keys import digest
from speech import metrics
from speech.audio.pcm import silence
from speech.audio.tempo import Tempo
from speech.baking import find_or_begin
from speech.engine.base import Engine
from speech.engine.errors import EngineUnavailable, QueueTimeout, ReaderStalled
from speech.engine.stream import Stream
from speech.engine.types import (
    Ability,
    AudioChunk,
    EngineInfo,
    EngineState,
    Mark,
    Priority,
    Utterance,
)
from speech.errors import describe
from speech.history import Keep, keep_of
from speech.job_models import Unwanted
from speech.ledger import ledger
from speech.plan import Plan, make_plan
from speech.recital import Recital
from speech.requests import BY_HAND, LISTENED_TO, Caller, Manner, SpeechRequest
from speech.runtime import runtime
from speech.tapes import Tape
from speech.usage import Entry, Outcome

# Signs with nothing to say ("." or "…") are answered with this much silence.
PAUSE_SECONDS = 0.2
# Between two looks whether a built-in voice is made by now; whoever makes it may be elsewhere.
LOOK_SECONDS = 0.25


def prepare(request: SpeechRequest, caller: Caller, manner: Manner = LISTENED_TO) -> Synthesis:
    """Decide whether this can be said, by whom and with what. Read-only; runs in the gate.

    Raises whatever ``speech.errors.describe`` knows: unknown voice or model, a quota that is used
    up, text or settings the engine cannot take, an engine that is busy or not there.
    """
    engine = runtime.engine
    plan = make_plan(request, caller, engine.info, manner)
    caller.account.check_quota(plan.characters, plan.ceiling_ms, caller.key)
    try:
        for utterance in plan.utterances:
            engine.check(utterance)
    finally:
        if plan.once:  # what is returned may be dropped without a trace
            engine.forget(plan.once)
    return Synthesis(plan, caller, engine, manner)


_under_way: dict[int, Synthesis] = {}


def under_way() -> list[Synthesis]:
    """What is being spoken in this process, oldest first."""
    return list(_under_way.values())


class Synthesis:
    """One request being carried out: ``start`` for the first chunk, ``chunks`` for all.

    Use it in a ``with`` block, whose end closes it; ``close`` may come from any thread.
    """

    def __init__(
        self, plan: Plan, caller: Caller, engine: Engine, manner: Manner = LISTENED_TO
    ) -> None:
        self.plan = plan
        self.caller = caller
        self.info: EngineInfo = engine.info
        self.seed = plan.seed
        self.bytes_sent = 0
        self._engine = engine
        # What nobody waits for may wait for everybody.
        self._patience = None if manner.priority is Priority.JOB else settings.QUEUE_SECONDS
        self._began = time.monotonic()
        self._submitted: float | None = None
        self._first: float | None = None
        self._samples = 0
        self._utterances_started = 0
        self._length_reached = False
        self._record: int | None = None
        self._keep = _kept(plan, caller)
        self._tape = Tape(self.info.sample_rate) if self._keep and self._keep.with_audio else None
        self._streams: list[Stream] = []
        self._audio: AsyncGenerator[AudioChunk] | None = None
        self._stop_reason: Exception | None = None
        self._closed = False
        self._closing = threading.Lock()

    # -- audio

    async def start(self) -> AudioChunk:
        """The first chunk; from here on it is metered."""
        self._audio = self._speak()
        try:
            async with asyncio.timeout(self._patience):
                return await anext(self._audio)
        except TimeoutError:
            raise self._waited_too_long() from None

    async def chunks(self, first: AudioChunk) -> AsyncGenerator[AudioChunk]:
        """``first`` and all that follows it, at ``info.sample_rate``, ``speed`` applied."""
        assert self._audio is not None, "start() comes first"
        yield first
        del first  # a client that stops here would keep it in memory
        async for chunk in self._audio:
            yield chunk

    async def _speak(self) -> AsyncGenerator[AudioChunk]:
        self._record = await ledger().open(self._entry(), self.stop)
        _under_way[self._record] = self
        metrics.RUNNING.inc()
        async with aclosing(self._said()) as said:
            async for chunk in said:
                if self._first is None:
                    self._first = time.monotonic()
                self._samples += len(chunk.samples)
                if self._tape:
                    self._tape.write(chunk.samples)
                yield chunk

    @property
    def record_id(self) -> int | None:
        """The usage record, once it is open."""
        return self._record

    @property
    def began(self) -> float:
        """When it was asked for (``time.monotonic``)."""
        return self._began

    @property
    def has_begun(self) -> bool:
        """Whether the engine was asked."""
        return self._submitted is not None

    @property
    def audio_ms(self) -> int:
        """What was handed on so far, after ``speed``."""
        return round(self._samples * 1000 / self.info.sample_rate)

    async def _said(self) -> AsyncGenerator[AudioChunk]:
        rate = self.info.sample_rate
        if not self.plan.utterances:
            yield AudioChunk(silence(PAUSE_SECONDS, rate))
            return
        tempo = Tempo(self.plan.speed, rate)
        # Changing the tempo holds samples back; their marks wait for them.
        held: tuple[Mark, ...] = ()
        spoken = begin = 0
        depth = settings.LOOKAHEAD if self.info.batches else 1
        await self._have_voice()
        recital = Recital(self.plan.utterances, self.info, depth, self._submit)
        async with aclosing(recital.parts()) as parts:
            async for part in parts:
                if part.index >= self._utterances_started:
                    self._utterances_started = part.index + 1
                    self.seed = self.seed if self.seed is not None else part.stream.seed
                    begin = spoken
                    held += self._whole_utterance(part.index, begin / rate)
                samples = part.chunk.samples
                spoken += len(samples)
                held += self._marks(part.chunk, begin / rate, self.plan.offsets[part.index])
                if (samples := tempo.process(samples)).size:
                    yield AudioChunk(samples, held)
                    held = ()
        self._raise_if_stopped()
        self._length_reached = any(stream.finish_reason == "length" for stream in self._streams)
        yield AudioChunk(tempo.flush(), held)

    async def _have_voice(self) -> None:
        """A built-in voice is made at its first use: wait for that, and speak with it."""
        if self.plan.unmade is None:
            return
        while (prompt := await in_gate(find_or_begin, self.plan.unmade, self._engine)) is None:
            await asyncio.sleep(LOOK_SECONDS)
            self._raise_if_stopped()
        utterances = tuple(replace(one, voice=prompt) for one in self.plan.utterances)
        self.plan = replace(self.plan, utterances=utterances, unmade=None)

    def _submit(self, utterance: Utterance) -> Stream:
        self._raise_if_stopped()
        if self.seed is not None:
            # A text of several utterances is one take: they share the first one's seed.
            drawn = self.plan.seed is None or utterance.params.drawn
            params = replace(utterance.params, seed=self.seed, drawn=drawn)
            utterance = replace(utterance, params=params)
        stream = self._engine.submit(utterance)
        self._submitted = self._submitted or time.monotonic()
        self._streams.append(stream)
        return stream

    def _marks(self, chunk: AudioChunk, begin: float, offset: int) -> tuple[Mark, ...]:
        return tuple(
            Mark(offset + mark.offset, mark.length, (begin + mark.time) / self.plan.speed)
            for mark in chunk.marks
        )

    def _whole_utterance(self, index: int, begin: float) -> tuple[Mark, ...]:
        """What an engine that does not know where words begin is known to say now."""
        if Ability.MARKS in self.info.abilities:
            return ()
        length = len(self.plan.utterances[index].text)
        return (Mark(self.plan.offsets[index], length, begin / self.plan.speed),)

    def _raise_if_stopped(self) -> None:
        if self._stop_reason is not None:
            raise self._stop_reason

    def _waited_too_long(self) -> EngineUnavailable:
        stats = self._engine.stats()
        if self.plan.unmade is not None and stats.state is EngineState.READY:
            return EngineUnavailable(
                f"The voice {self.plan.voice} is being made: it is there soon."
            )
        if stats.state is EngineState.READY:
            return QueueTimeout("The queue did not move in time.", retry_after=2)
        seconds = stats.load_seconds or settings.QUEUE_SECONDS
        return EngineUnavailable("The model is still loading.", retry_after=min(60, seconds))

    # -- the end

    def stop(self, reason: Exception) -> None:
        """End it from outside, as a person or an operator does: its reader gets the first
        ``reason``, whatever else comes before it has left."""
        self._stop_reason = self._stop_reason or reason
        for stream in self._streams:
            stream.cancel()

    def __enter__(self) -> Synthesis:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._close("completed", self.plan.characters)
        elif isinstance(error, (asyncio.CancelledError, GeneratorExit, ReaderStalled)):
            self.close()
        elif error is self._stop_reason:
            self._close("cancelled", self._characters_started(), error)
        else:
            self._close("server_failed", 0, error)

    def close(self) -> None:
        """The client has left: what was started is charged. Does nothing when already closed."""
        self._close("client_closed", self._characters_started())

    async def complete(self, beside: Callable[[], None]) -> None:
        """It was spoken in full: close it in one transaction with ``beside``.

        Raises Unwanted when ``beside`` does, or when the record is closed; nothing is charged then.
        """
        assert self._record is not None, "start() comes first"
        closing = self._close("completed", self.plan.characters, beside=beside)
        if closing is None:
            raise Unwanted
        # Whoever gives up waiting must not cancel what the ledger will still settle.
        await asyncio.shield(asyncio.wrap_future(closing))

    def abandon(self, reason: Exception) -> None:
        """We end it, not its reader: free of charge."""
        self._close("server_failed", 0, reason)

    def _characters_started(self) -> int:
        """The share of the input whose utterances had begun, never more than all of it."""
        lengths = [len(utterance.text) for utterance in self.plan.utterances]
        started = sum(lengths[: self._utterances_started])
        return -(-self.plan.characters * started // sum(lengths)) if lengths else 0

    def _close(
        self,
        outcome: str,
        charged: int,
        error: BaseException | None = None,
        beside: Callable[[], None] | None = None,
    ) -> Future[None] | None:
        with self._closing:
            if self._closed:
                return None
            self._closed = True
        for stream in self._streams:
            stream.cancel()
        if self.plan.once:
            self._engine.forget(self.plan.once)
        if self._record is None:
            return None
        _under_way.pop(self._record, None)
        metrics.RUNNING.dec()
        closed = self._outcome(outcome, charged, error)
        closing = ledger().close(self._record, closed, beside)
        if self._tape:
            self._tape.keep(self._record)
        metrics.observe(self.caller.face, self.plan.response_format, closed)
        return closing

    # -- what the usage row says

    def _entry(self) -> Entry:
        plan, caller = self.plan, self.caller
        return Entry(
            request_id=caller.request_id,
            account_id=caller.account.pk,
            user_id=caller.user_id,
            key_id=caller.key.pk if caller.key else None,
            user_agent=caller.user_agent,
            face=caller.face,
            voice=plan.voice,
            model=plan.model,
            model_used=self.info.model,
            engine=self.info.engine,
            response_format=plan.response_format,
            stream_format=plan.stream_format,
            characters=plan.characters,
            ceiling_ms=plan.ceiling_ms,
            text_hash=digest(plan.input, settings.KEY_PEPPERS[0]),
            settings=plan.settings,
            seed=plan.seed,
            keep=self._keep,
            is_noted=plan.use_is_noted,
        )

    def _outcome(self, outcome: str, charged: int, error: BaseException | None) -> Outcome:
        now = time.monotonic()
        return Outcome(
            outcome=outcome,
            finish_reason="length" if self._length_reached else "stop",
            error_code=(describe(error).code or "") if error else "",
            characters_charged=charged,
            audio_ms=self.audio_ms,
            bytes_sent=self.bytes_sent,
            queue_ms=_ms(self._submitted, self._first),
            ttfa_ms=_ms(self._began, self._first),
            wall_ms=round((now - self._began) * 1000),
            seed=self.seed,
        )


def _kept(plan: Plan, caller: Caller) -> Keep | None:
    """What people's histories keep of it: what they spoke themselves, not a program, and no piece
    of a long text, which has a page of its own."""
    if caller.user_id is None or caller.key is not None or caller.face not in BY_HAND:
        return None
    return keep_of(caller.account, caller.user_id, plan.input, plan.instructions)


def _ms(begin: float | None, end: float | None) -> int | None:
    return None if begin is None or end is None else round((end - begin) * 1000)
