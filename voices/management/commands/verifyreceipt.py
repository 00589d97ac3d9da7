"""``manage.py verifyreceipt FILE``: whether a receipt of an erasure is one that was given here."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voices.receipts import is_genuine


class Command(BaseCommand):
    help = "Say whether a receipt of an erasure, as JSON, is genuine and unchanged."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the receipt, as the API gave it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            shown = json.loads(options["file"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"The receipt cannot be read: {error}") from error
        if not isinstance(shown, dict) or not is_genuine(shown):
            raise CommandError("This receipt was not given here, or it was changed.")
        self.stdout.write(f"This receipt of {shown['id']} was given here.")
