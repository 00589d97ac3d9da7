"""What states of the engine are called, in words for people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from speech.engine.types import EngineState

STATES = {
    EngineState.COLD: _("not loaded"),
    EngineState.LOADING: _("loading"),
    EngineState.READY: _("ready"),
    EngineState.FAILED: _("failed"),
    EngineState.STOPPED: _("stopped"),
}
