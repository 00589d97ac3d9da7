"""Environment variables, of which one that cannot be read is refused by its name.

Knows how values are written, not which settings there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

Default = TypeVar("Default", Path, None)


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """django-environ's reader with errors for those who run the server."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        """Raises ImproperlyConfigured, naming ``var``."""
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{var} cannot be read as docs/settings.md describes it: {error}."
            ) from error

    def place(self, var: str, default: Default) -> Path | Default:
        """A file or a folder, absolute."""
        named = self.str(var, default="") or default
        return Path(named).resolve() if named else default

    def port(self, var: str, default: int) -> int:
        """A TCP port; 0 lets the system choose one."""
        port = int(self.int(var, default=default))
        if not 0 <= port <= 65535:
            raise ImproperlyConfigured(f"{var} must be a number up to 65535, not {port}.")
        return port
