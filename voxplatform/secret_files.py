"""Secrets that make themselves: random text in a file only its owner may read.

Knows nothing of Django; the settings decide which secrets there are and where they live.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def read_or_make(path: Path) -> str:
    """The secret kept in ``path``, made on first need with mode 0600.

    Two processes that start at once agree on one secret: the file appears whole or not at all,
    and only one of them gets to put it there.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(name)
    return path.read_text(encoding="ascii").strip()
