"""Lifecycle: the state an engine's model is in, and the thread that loads it.

Knows nothing of utterances; it tells its engine when the model is ready or has failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from speech.engine.errors import EngineError, EngineUnavailable
from speech.engine.types import EngineState
from speech.engine.worker import Worker

log = logging.getLogger(__name__)


class Lifecycle:
    """STOPPED -> COLD -> LOADING -> READY, with FAILED beside them; changed on the worker alone."""

    def __init__(
        self, worker: Worker, load: Callable[[], None], on_change: Callable[[], None]
    ) -> None:
        """``load`` runs on a thread of its own; ``on_change`` on the worker, after every load."""
        self.state = EngineState.STOPPED
        self.reason = "The engine has not been started."
        self.load_seconds: float | None = None
        self._worker = worker
        self._load = load
        self._on_change = on_change
        self._loader: threading.Thread | None = None

    @property
    def is_down(self) -> bool:
        """Nothing will speak until somebody acts."""
        return self.state in (EngineState.STOPPED, EngineState.FAILED)

    def to(self, state: EngineState, reason: str = "") -> None:
        """Enter ``state``; a load in progress no longer counts."""
        self._loader = None
        self.state, self.reason = state, reason

    def error(self) -> EngineUnavailable:
        """What to answer while there is nothing to speak with."""
        return EngineUnavailable(self.reason)

    def load(self) -> None:
        """Begin to load, unless that is done or under way."""
        if self.state in (EngineState.COLD, EngineState.FAILED):
            self.to(EngineState.LOADING, "The model is being loaded.")
            self._loader = threading.Thread(target=self._run, name="load", daemon=True)
            self._loader.start()

    def _run(self) -> None:
        began = time.monotonic()
        reason = ""
        try:
            self._load()
        except EngineError as error:
            reason = error.message
        except Exception:
            log.exception("The model could not be loaded.")
            reason = "The model could not be loaded."
        seconds = time.monotonic() - began
        self._worker.do(partial(self._loaded, threading.current_thread(), seconds, reason))

    def _loaded(self, loader: threading.Thread, seconds: float, reason: str) -> None:
        if loader is not self._loader:
            return  # the engine has been stopped meanwhile
        self.load_seconds = self.load_seconds if reason else seconds
        self.to(EngineState.FAILED if reason else EngineState.READY, reason)
        self._on_change()
