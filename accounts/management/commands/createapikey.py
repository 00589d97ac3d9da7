"""``manage.py createapikey NAME``: issue a key from a shell; prints the key and nothing else."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.audit import Actor
from accounts.models import SCOPES, Account, ApiKey


class Command(BaseCommand):
    help = "Issue an API key and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument(
            "--user",
            help="whose personal account it belongs to; by default the first superuser's, or "
            "the account 'default' where there is none",
        )
        parser.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            help="what it may do; may be given several times (default: what clients need)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._user(options["user"])
        account = Account.objects.for_user(user) if user else Account.objects.default()
        try:
            raw, _ = ApiKey.issue(
                account,
                options["name"],
                options["scope"],
                by=Actor.of_command("createapikey"),
                created_by=user,
            )
        except ValidationError as error:
            fields = error.message_dict.items()
            raise CommandError("; ".join(f"{name}: {said[0]}" for name, said in fields)) from error
        self.stdout.write(raw)

    def _user(self, name: str | None) -> User | None:
        if name is None:
            return User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        try:
            return User.objects.get(username=name)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user '{name}'.") from error
