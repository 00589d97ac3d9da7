"""One server process for all tests of a file that ask for it with the limits of its `LIMITS`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .live import LiveServer, serving


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    limits: dict[str, Any] = getattr(request.module, "LIMITS", {})
    with serving(**limits) as live:
        yield live
