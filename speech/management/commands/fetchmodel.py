"""``manage.py fetchmodel [NAME|ID|PATH]``: have a model on this machine, and say so."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from speech.engine.voxcpm.checkpoint import KNOWN
from speech.hub.errors import FetchError
from speech.hub.fetch import Plan, have_model
from speech.hub.hubs import HUBS


class Shown:
    """Says the size, then draws a bar where there is a terminal."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write
        self._bar: tqdm[None] | None = None

    def planned(self, plan: Plan) -> None:
        self._write(str(plan))
        self._bar = tqdm(
            total=plan.size,
            unit="B",
            unit_scale=True,
            disable=None,
            leave=False,
            dynamic_ncols=True,
        )

    def progress(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Command(BaseCommand):
    help = "Fetch a model's weights, or link a directory that holds them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "model",
            nargs="?",
            default=next(iter(KNOWN)),
            help=f"{', '.join(KNOWN)}, a hub's owner/name, or a directory; default: %(default)s",
        )
        parser.add_argument(
            "--from",
            dest="hub",
            choices=HUBS,
            default="huggingface",
            help="the hub to fetch from; default: %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        hub = HUBS[options["hub"]](*settings.MODEL_HUBS[options["hub"]])
        shown = Shown(self.stdout.write)
        models_dir: Path = settings.MODELS_DIR
        try:
            path = have_model(options["model"], hub, models_dir, shown)
        except FetchError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was fetched is kept: run it again to go on."
            ) from None
        finally:
            shown.close()
        self.stdout.write(f"The model is in {path}. A server that starts now speaks with it.")
