"""Processes that write one audit log at the same time leave one unbroken chain."""

from __future__ import annotations

import pytest

from tests.faults import scripts


@pytest.mark.slow
def test_two_racing_processes_leave_one_chain(environment):
    result = scripts.run("audit_process.py", "race", environment)
    assert not result["failed"]
    assert result["numbers"] == list(range(1, 2 * 40 + 1))
    assert result["writers"] == 2
    assert result["head"] == 80
