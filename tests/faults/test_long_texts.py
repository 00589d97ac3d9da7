"""Long texts in a process that is killed again and again: nothing is lost, nothing is made or
charged twice, and what is heard in the end is what an undisturbed run makes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.contract.test_voxcpm import SMALL
from tests.faults import scripts
from tests.live import ROOT, child_environment

run = partial(scripts.run, "job_process.py")
SOAK = os.environ.get("SOAK") == "1"
KILLS = range(5, 80, 3 if SOAK else 25)  # after so many segments
# Slow enough to be killed in the middle of many segments, and of making a file.
PACE = {"SPEECH_ENGINE": "tone", "ENGINE_CONFIG": '{"speed": 40.0}', "JOB_SEGMENTS": "6"}

VOXCPM = {**SMALL, "SPEECH_ENGINE": "voxcpm", "JOB_SEGMENTS": "1", "VOICE": "default"}
# Random weights speak as long as a text may be spoken at most, so these are short.
VOXCPM |= {"SENTENCE": "Yes.", "SENTENCES": "4"}


def worker(environment, *arguments):
    return subprocess.Popen(
        [sys.executable, "manage.py", "runjobs", "--once", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(environment):
    """Let a worker say what is left, undisturbed."""
    process = worker(environment)
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors


def finished_in(environment):
    """How many segments are finished now."""
    question = "SELECT count(*) FROM speech_segment WHERE state = 'finished'"
    if "DATABASE_URL" in environment:
        with psycopg.connect(environment["DATABASE_URL"]) as database:
            return database.execute(question).fetchone()[0]
    file = Path(environment["DATA_DIR"]) / "voxplatform.sqlite3"
    with closing(sqlite3.connect(file, timeout=10)) as database:
        return database.execute(question).fetchone()[0]


def kill_after(number, environment):
    """Start a worker, and kill it as soon as so many segments are finished."""
    process = worker(environment)
    while finished_in(environment) < number:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()


def expire_leases(environment):
    """Time passes: nobody has to wait for it."""
    subprocess.run(
        [
            *(sys.executable, "manage.py", "shell", "-v", "0", "-c"),
            "from speech.models import *; Job.objects.exclude(lease_until=None)"
            ".update(lease_until='2020-01-01T00:00Z');"
            "UsageRecord.objects.exclude(lease_until=None).update(lease_until='2020-01-01T00:00Z')",
        ],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=60,
    )


@pytest.fixture
def undisturbed(environment, tmp_path_factory, migrated_dir):
    """What is heard when nobody is killed."""
    quiet = shutil.copytree(migrated_dir, tmp_path_factory.mktemp("quiet") / "data")
    alone = {name: value for name, value in environment.items() if name != "DATABASE_URL"}
    alone |= {"DATA_DIR": str(quiet), **PACE, "ENGINE_CONFIG": "{}"}
    run("put", alone)
    finish(alone)
    return [job["heard"] for job in run("show", alone)["jobs"]]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing(environment, undisturbed):
    environment |= PACE
    segments = run("put", environment)["segments"]
    for number in (*KILLS, segments):  # the last of them while a file is made
        kill_after(number, environment)
        state = run("show", environment)
        finished = sum(job["segments"].get("finished", 0) for job in state["jobs"])
        assert finished == state["named"] == state["records"]
        expire_leases(environment)
    finish(environment)
    state = run("show", environment)
    assert [job["state"] for job in state["jobs"]] == ["completed"] * 2
    assert state["records"] == state["named"] == segments
    characters = sum(job["characters"] for job in state["jobs"])
    assert state["charged"] == state["used"] == characters
    assert state["open"] == 0
    assert [job["heard"] for job in state["jobs"]] == undisturbed
    # A file for each segment and one for the whole: nothing that nobody names.
    assert [job["files"] for job in state["jobs"]] == [segments // 2 + 1] * 2


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="minutes: runs with SOAK=1")
@pytest.mark.timeout(900)
def test_kills_change_nothing_of_what_a_model_says(tmp_path, migrated_dir, tiny):
    """VoxCPM draws its voice: what was said first before a kill leads what is said after it. One
    at a time, as who shares a step decides where the last digit falls."""
    heard = []
    for kills in ((), (1, 3, 6)):
        data = shutil.copytree(migrated_dir, tmp_path / f"{len(kills)} kills")
        environment = child_environment(data, **VOXCPM, SPEECH_MODEL=str(tiny("voxcpm2")))
        segments = run("put", environment)["segments"]
        for number in kills:
            kill_after(number, environment)
            expire_leases(environment)
        finish(environment)
        state = run("show", environment)
        assert state["records"] == state["named"] == segments
        heard.append([job["heard"] for job in state["jobs"]])
    assert heard[0] == heard[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_share_what_there_is(environment, undisturbed):
    environment |= PACE
    segments = run("put", environment)["segments"]
    workers = [worker(environment) for _ in range(2)]
    for process in workers:
        _, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
    state = run("show", environment)
    assert [job["heard"] for job in state["jobs"]] == undisturbed
    assert state["records"] == segments
