"""``manage.py importvoices PATH --account NAME``: many recordings become voices of an account."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import Actor
from accounts.models import Account
from voices.bundle import RefusedBundle, pack
from voices.consents import Origin
from voices.exceptions import InvalidVoiceField, ProgramUnavailable, StorageUnavailable
from voices.imports import advance, begin
from voices.models import ImportedFile, VoiceImport

# It can be taken up again later.
_NOT_NOW = (StorageUnavailable, ProgramUnavailable)


class Command(BaseCommand):
    help = "Make voices of the recordings that a voices.csv in a folder or zip names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder or a zip with voices.csv at its top")
        parser.add_argument("--account", required=True, help="whose voices they become: its name")
        parser.add_argument(
            "--statement",
            default="",
            help="that the owners of the voices agree, for lines that do not say so themselves",
        )
        parser.add_argument(
            "--background", action="store_true", help="leave the work to the server"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            account = Account.objects.get(name=options["account"])
        except Account.DoesNotExist:
            raise CommandError(f"There is no account {options['account']!r}.") from None
        except Account.MultipleObjectsReturned:
            raise CommandError(f"Several accounts are called {options['account']!r}.") from None
        origin = Origin(Actor.of_command("importvoices"))
        try:
            made = self._begin(options["path"], account, origin, options["statement"])
            if not options["background"]:
                self._work(made)
        except (OSError, *_NOT_NOW, RefusedBundle, InvalidVoiceField) as error:
            raise CommandError(str(error)) from error

    def _begin(self, path: Path, account: Account, origin: Origin, statement: str) -> VoiceImport:
        if not path.is_dir():
            with path.open("rb") as archive:
                return begin(account, archive, origin, statement)
        with TemporaryFile() as archive:
            pack(path, archive)
            archive.seek(0)
            return begin(account, archive, origin, statement)

    def _work(self, made: VoiceImport) -> None:
        """Until it is done, here or by a server that was quicker; then line by line what came."""

        def show() -> bool:
            count = made.count()
            self.stderr.write(f"{count['done'] + count['failed']} of {sum(count.values())}")
            return False

        while advance(show):
            pass
        made.refresh_from_db()
        for file in made.files.order_by("number"):
            what = file.report or (file.voice_id if file.state == "done" else file.state)
            self.stdout.write(f"{file.number}\t{file.file}\t{file.name}\t{what}")
        if made.files.exclude(state=ImportedFile.State.DONE).exists():
            raise CommandError("Not every line became a voice.")
