"""``manage.py say TEXT -o FILE``: speak into a file, by the same path as every request."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from speech.audio import ENCODERS, write_file
from speech.engine.errors import EngineError
from speech.engine.types import Samples
from speech.errors import RequestError, describe
from speech.local import LocalSpeechError, speaking
from speech.requests import SpeechRequest
from voices.exceptions import UnknownVoice


class Command(BaseCommand):
    help = "Speak a text into a file, through the running server if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", help="what to say; - reads standard input")
        parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
        parser.add_argument("--voice", help="a voice's name")
        parser.add_argument("--model", help="a model's name")
        parser.add_argument("--language", help="a BCP 47 tag")
        parser.add_argument("--seed", type=int, help="repeats a take")
        parser.add_argument("--speed", type=float, default=1.0, help="0.25 to 4")
        parser.add_argument(
            "--format", choices=sorted(ENCODERS), help="default: what the file's name ends with"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        container = options["format"] or output.suffix.lstrip(".").lower()
        if container not in ENCODERS:
            raise CommandError(f"Name a --format: one of {', '.join(sorted(ENCODERS))}.")
        if not 0.25 <= options["speed"] <= 4:
            raise CommandError("--speed lies between 0.25 and 4.")
        if not output.parent.is_dir():
            raise CommandError(f"There is no directory {output.parent}.")
        names = ("voice", "model", "language", "seed", "speed")
        request = SpeechRequest(_text(options["text"]), **{name: options[name] for name in names})
        try:
            with speaking(request) as (rate, chunks):
                write_file(output, container, _shown(chunks, rate), rate)
        except (EngineError, RequestError, UnknownVoice, LocalSpeechError) as error:
            message = describe(error).message if isinstance(error, EngineError) else str(error)
            raise CommandError(message) from error
        except OSError as error:
            raise CommandError(f"Cannot write {output}: {error.strerror}.") from error


def _text(argument: str) -> str:
    return sys.stdin.read() if argument == "-" else argument


def _shown(chunks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """Pass the audio on; on a terminal count its seconds as they are made."""
    with tqdm(unit=" s of audio", unit_scale=True, disable=None, leave=False) as bar:
        for chunk in chunks:
            bar.update(len(chunk) / rate)
            yield chunk
