"""One ledger for several processes: exact limits, a killed one's debts, a restarted database."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.faults import scripts

pytestmark = pytest.mark.slow

start = partial(scripts.start, "ledger_process.py")
run = partial(scripts.run, "ledger_process.py")


def test_eight_processes_never_exceed_a_limit(environment):
    result = run("race", environment)
    tally = result["tally"]
    asked = sum(tally.get(name, 0) for name in ("opened", "insufficient_quota"))
    refused = tally.get("concurrency_limit_exceeded", 0)
    assert asked + refused == 800, "a request was neither served nor refused"
    assert tally["opened"] == tally["closed"] == result["outcomes"]["completed"]
    assert set(result["outcomes"]) == {"completed"}
    # Never over, and what was charged is what was counted, for the account and for the key.
    assert result["peaks"]["characters"] <= 4000
    assert result["peaks"]["streams"] <= 5
    assert result["used"] == [result["charged"]] * 2
    assert result["ms_used"] == [result["ms_charged"]] * 2
    assert result["charged"] == 10 * tally["opened"] <= 4000
    assert result["reserved"] == [0, 0]
    assert result["streams"] == 0
    # 800 requests in one minute that takes 300.
    assert tally["counted"] == 300


def test_what_a_killed_process_held_is_freed_and_not_charged(environment):
    holder = start("hold", environment)
    try:
        held = json.loads(holder.stdout.readline())
        assert held["outcomes"] == {"open": 3}
        assert held["streams"] == 3
        assert all(held["reserved"])
    finally:
        holder.kill()
        holder.communicate()
    swept = run("sweep", environment)
    assert swept["outcomes"] == {"server_failed": 3}
    assert swept["charged"] == 0
    assert swept["used"] == [0, 0]
    assert swept["reserved"] == [0, 0]
    assert swept["streams"] == 0
    assert swept["seconds"] < 5


@pytest.mark.postgres
@pytest.mark.parametrize("environment", ["postgres"], indirect=True)
def test_a_restart_of_the_database_costs_no_request(environment):
    result = run("reconnect", environment)
    assert result["outcomes"] == {"completed": 1, "open": 1}
    assert result["streams"] == 1
