"""Which voices the engine of this process has heard, and whether it must forget them.

``voices`` never calls upward: whatever makes a cached voice void raises its epoch, wherever that
was done. Who looks every few seconds finds it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from speech.runtime import runtime
from voices.models import Voice

_MOST = 4096
"""Voices to look after; the engine has forgotten those that were heard longest ago."""
_ROUNDS = 6
"""So often is forgotten what nobody may speak with any more: what is being said with it takes a
round or two to end, and may show the engine its recording until then."""


class Heard:
    """Public ids and epochs, safe to use from any thread."""

    def __init__(self) -> None:
        self._epochs: OrderedDict[str, int] = OrderedDict()
        self._ending: dict[str, int] = {}  # the rounds that are left
        self._lock = threading.Lock()

    def note(self, voice: Voice) -> None:
        """It is about to be shown to the engine, as it is in this epoch."""
        with self._lock:
            # An older epoch stays: what was cached then is still to be forgotten.
            self._epochs.setdefault(voice.public_id, voice.epoch)
            self._epochs.move_to_end(voice.public_id)
            if len(self._epochs) > _MOST:
                self._epochs.popitem(last=False)

    def forget_changed(self) -> None:
        """Have the engine forget the voices whose epoch has risen, and those that are gone. One
        thread calls this, every few seconds."""
        with self._lock:
            known = dict(self._epochs)
        rows = Voice.objects.filter(public_id__in=known).values_list("public_id", "epoch")
        now = dict(rows) if known else {}
        changed = {public_id for public_id in known if now.get(public_id) != known[public_id]}
        if changed:
            silenced = Voice.objects.silenced().filter(public_id__in=changed)
            self._ending |= dict.fromkeys(silenced.values_list("public_id", flat=True), _ROUNDS)
            self._update({public_id: now.get(public_id) for public_id in changed})
        for public_id in changed | self._ending.keys():
            runtime.forget(public_id)
        self._ending = {name: left - 1 for name, left in self._ending.items() if left > 1}

    def _update(self, epochs: dict[str, int | None]) -> None:
        """What still speaks in an older epoch is looked after in the new one as well."""
        with self._lock:
            for public_id, epoch in epochs.items():
                if epoch is None:
                    self._epochs.pop(public_id, None)
                elif public_id in self._epochs:
                    self._epochs[public_id] = epoch


heard = Heard()
