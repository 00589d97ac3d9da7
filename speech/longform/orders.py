"""What a runner needs to know of a segment to have it said: request, caller, manner.

Looks things up and changes nothing. Raises InvalidKey or AccountDeactivated where nobody may go on.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.exceptions import AccountDeactivated, InvalidKey
from speech.engine.types import EngineInfo, Priority, Recording, VoicePrompt
from speech.job_models import Job
from speech.job_parts import Segment
from speech.longform.storage import read_segment
from speech.plan import find_voice
from speech.prompts import makes_built_in_voices, voice_prompt
from speech.recital import is_spaced
from speech.requests import Caller, Manner, SpeechRequest
from speech.synthesis import Synthesis, prepare


@dataclass(frozen=True, slots=True)
class Order:
    """A segment as it stood when it was begun, and the synthesis that will say it."""

    segment: Segment
    synthesis: Synthesis


def check_caller(job: Job) -> None:
    """Whoever the job runs for may still do so."""
    job.account.refresh_from_db()
    if not job.account.is_open:
        raise AccountDeactivated
    if job.key is not None:
        job.key.refresh_from_db()
        if not job.key.is_alive:
            raise InvalidKey


def caller_of(job: Job, request_id: str = "") -> Caller:
    """Who pays for a job's segments, and may use which voices."""
    return Caller(job.account, "job", request_id, job.key, None if job.key else job.user_id)


def voice_meant(job: Job, asked: str) -> str | None:
    """The voice that was called so when the job began; None leaves it to us."""
    return job.cast.get(asked) or asked or None


def is_drawn(job: Job, voice: str, info: EngineInfo) -> bool:
    """Whether every segment in ``voice`` would sound like somebody else."""
    _, found = find_voice(voice_meant(job, voice), caller_of(job))
    if found is not None and found.is_built_in and makes_built_in_voices(info):
        return False  # made once, and the same ever after
    return info.draws_a_voice(voice_prompt(found, info)[0] if found else None)


def place_order(job: Job, segment_id: int, take: VoicePrompt | None) -> Order:
    """Raises whatever ``prepare`` does, and Segment.DoesNotExist."""
    segment = Segment.objects.get(pk=segment_id)
    segment.job = job
    check_caller(job)
    request = SpeechRequest(
        input=segment.text,
        voice=voice_meant(job, segment.voice_asked),
        response_format="flac",
        seed=segment.seed if segment.seed is not None else job.seed,
        **job.settings,
    )
    request_id = f"{job.public_id}.{segment.index}.{segment.version}"
    around = job.chapters[segment.chapter].get("language", "")
    manner = Manner(Priority.JOB, segment.drawn_seed, take, around)
    return Order(segment, prepare(request, caller_of(job, request_id), manner))


def take_of(job: Job, voice: str) -> VoicePrompt | None:
    """What was said first in a voice that is nobody's: others go on in its voice."""
    kept = job.takes.get(voice)
    if kept is None:
        return None
    samples, rate = read_segment(kept["audio"])
    said = kept["text"] + (" " if is_spaced(kept["text"]) else "")  # more follows at once
    return VoicePrompt(f"take:{kept['audio']}", prompt=Recording(samples, rate, said))
