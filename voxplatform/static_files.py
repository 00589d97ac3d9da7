"""Static files, copied and compressed to where the server finds them.

Knows nothing of commands.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static() -> None:
    """Copy and compress what changed since the last time; most starts find nothing."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_suffix(".stamp")
    state = _state_of_sources()
    if root.exists() and stamp.exists() and stamp.read_text() == state:
        return
    # Source maps and ReDoc, which no page asks for, would take most of the time to compress.
    unused = ["*.map", "redoc"]
    call_command(
        "collectstatic", interactive=False, clear=True, ignore_patterns=unused, verbosity=0
    )
    stamp.write_text(state)


def _state_of_sources() -> str:
    """A digest over every source's path, size and time of change: reading them all takes longer."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
