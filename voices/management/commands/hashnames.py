"""``manage.py hashnames NAME …``: what stands in ``PROTECTED_NAMES`` for names, one on a line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from voices.names import protected_hash


class Command(BaseCommand):
    help = "Print the hashes of names that no voice may have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", help="as people write them")

    def handle(self, *args: Any, **options: Any) -> None:
        for name in options["names"]:
            self.stdout.write(protected_hash(name))
