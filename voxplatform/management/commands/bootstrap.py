"""``manage.py bootstrap``: brings a data directory to where the server can start.

Applies migrations, collects static files and, on the first start alone, makes an admin user and
an API key and prints both. Run again it changes nothing that is there. Knows nothing of speech.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Account, ApiKey
from voxplatform.static_files import collect_static

_GREETING = """
VoxPlatform is set up. What follows is shown once: keep it.

  Admin page   {url}/admin/
  User         {user}
  Password     {password}
  API key      {key}

When the server listens, this lets you hear it:

curl -f {url}/v1/audio/speech -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \
-d '{{"model": "tts-1", "voice": "alloy", "input": "Hello from VoxPlatform."}}' -o hello.mp3

And so does this, in Python, with OpenAI's own library (pip install openai):

from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="{key}")
speech = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello from Python.")
speech.write_to_file("hello-from-python.mp3")

"""


class Command(BaseCommand):
    help = "Prepare the database, the static files and, the first time, an admin and an API key."
    # The server runs them and comes next.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--serve",
            action="store_true",
            help="then serve from the same process: loading Django twice would double the wait",
        )

    def handle(self, *args: object, serve: bool, **options: object) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        self.greet()
        if serve:
            self.stdout.flush()
            connections.close_all()
            call_command("serve", skip_checks=False)

    def greet(self) -> None:
        made = make_admin()
        if made is None:
            self.stdout.write(f"Everything is in place under {settings.DATA_DIR}.")
            return
        user, password, key = made
        self.stdout.write(
            _GREETING.format(url=settings.SITE_URL, user=user, password=password, key=key)
        )


@transaction.atomic
def make_admin() -> tuple[str, str, str] | None:
    """Name, password and API key of a new superuser, or None where there has been one."""
    if User.objects.filter(Q(is_superuser=True) | Q(username="admin")).exists():
        return None
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser("admin", password=password)
    by = audit.Actor.of_command("bootstrap")
    audit.record("user.add", by, user, details={"is_superuser": [False, True]})
    raw, _ = ApiKey.issue(Account.objects.for_user(user), "first key", by=by, created_by=user)
    return user.username, password, raw
