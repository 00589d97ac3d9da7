"""``manage.py bakevoices``: have all built-in voices made now, and say how far that is.

A server that runs makes them with the model it holds; otherwise the model is loaded for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from speech.baking import make_all
from speech.engine.base import Engine
from speech.engine.errors import EngineError, EngineUnavailable
from speech.engine.types import EngineState
from speech.errors import describe
from speech.local import server_engine
from speech.prompts import makes_built_in_voices
from speech.runtime import runtime
from voices.built_in import TakeQuerySet
from voices.models import BuiltInTake
from voices.presets import PRESETS

LOOK_SECONDS = 0.5
OWN_VOICES = "This engine has built-in voices of its own: there is nothing to make."


class Command(BaseCommand):
    help = "Make all built-in voices now, instead of at their first use."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            server = server_engine()
            model = str(server["model"]) if server else self._make_here()
            if server and "clone" not in server["abilities"]:
                model = ""
            elif server:
                self._leave_to(server, model)
        except EngineError as error:
            raise CommandError(describe(error).message) from error
        self._report(model) if model else self.stdout.write(OWN_VOICES)

    def _make_here(self) -> str:
        """The model that made them; "" where there is nothing to make."""
        with _engine() as engine:
            if not makes_built_in_voices(engine.info):
                return ""
            takes = BuiltInTake.objects.of_model(engine.info.model)
            takes.want_all(engine.info.model)
            with _bar(takes) as bar:
                for take in make_all(engine):
                    bar.set_postfix_str(take.preset)
                    bar.update(takes.ready().count() - bar.n)
            if takes.to_make().exists():
                raise EngineUnavailable(runtime.stats().reason or "The engine does not speak.")
            _follow(takes, lambda: not takes.being_made().exists())  # another server has some
        return engine.info.model

    def _leave_to(self, server: dict[str, Any], model: str) -> None:
        if server["state"] != EngineState.READY:
            raise CommandError(
                "The server has not loaded its model: speak with it once, or stop it."
            )
        takes = BuiltInTake.objects.of_model(model)
        takes.want_all(model)
        _follow(takes, lambda: all(take.is_ready or take.has_just_failed for take in takes.all()))

    def _report(self, model: str) -> None:
        failed = [take for take in BuiltInTake.objects.of_model(model) if not take.is_ready]
        for take in failed:
            self.stderr.write(f"{take.preset}: {take.error}")
        if failed:
            raise CommandError(f"{len(failed)} of {len(PRESETS)} voices could not be made.")
        self.stdout.write(f"All {len(PRESETS)} built-in voices of {model} are there.")


@contextmanager
def _engine() -> Iterator[Engine]:
    """An engine of our own with its model loaded. Raises EngineUnavailable."""
    runtime.start()
    try:
        while runtime.stats().state in (EngineState.COLD, EngineState.LOADING):
            time.sleep(LOOK_SECONDS)
        yield runtime.engine
    finally:
        runtime.stop()


def _follow(takes: TakeQuerySet, is_done: Callable[[], bool]) -> None:
    """Show how far those are who make them."""
    with _bar(takes) as bar:
        while not is_done():
            bar.update(takes.ready().count() - bar.n)
            time.sleep(LOOK_SECONDS)


def _bar(takes: TakeQuerySet) -> tqdm[None]:
    made = takes.ready().count()
    return tqdm(total=len(PRESETS), initial=made, unit=" voices", disable=None, leave=False)
