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


class Heard:
    """Public ids and epochs, safe to use from any thread."""

    def __init__(self) -> None:
        self._epochs: OrderedDict[str, int] = OrderedDict()
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
        """Have the engine forget the voices whose epoch has risen, and those that are gone."""
        with self._lock:
            known = dict(self._epochs)
        if not known:
            return
        rows = Voice.objects.filter(public_id__in=known).values_list("public_id", "epoch")
        now = dict(rows)
        for public_id, epoch in known.items():
            if now.get(public_id) != epoch:
                with self._lock:
                    self._epochs.pop(public_id, None)
                runtime.forget(public_id)


heard = Heard()
