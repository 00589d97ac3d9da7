"""Moving a job in the queue: before others of its account, and never before anybody else's."""

from __future__ import annotations

import math
from collections.abc import Iterable

from django.db import transaction

from speech.job_models import ACTIVE, Job, State, WrongState


@transaction.atomic
def move(job: Job, before: Job | None = None) -> None:
    """Put it before another job of its account, or before all of them. Raises WrongState.

    They exchange the places they have: however often they do, others wait no longer for it.
    """
    held = Job.objects.filter(account=job.account_id, state__in=(*ACTIVE, State.PAUSED))
    line = sorted(held.select_for_update(), key=lambda one: (one.position, one.pk))
    for one in (job, before or job):
        if one not in line:
            raise WrongState(one.state)
    moved = line[line.index(job)]
    if moved.state == State.RUNNING:
        raise WrongState(moved.state)
    if before == job:
        return
    places = _apart(one.position for one in line)
    line.remove(moved)
    line.insert(line.index(before) if before else 0, moved)
    for one, place in zip(line, places, strict=True):
        one.position = place
    Job.objects.bulk_update(line, ["position"])


def _apart(places: Iterable[float]) -> list[float]:
    """Two that were started at the same moment may have the same place."""
    apart: list[float] = []
    for place in places:
        apart.append(max(place, math.nextafter(apart[-1], math.inf)) if apart else place)
    return apart
