"""The process that fetches for a server: its last word, its end, and a disk that is full."""

from __future__ import annotations

import resource
import subprocess
import time

import pytest

from speech.engine.voxcpm.checkpoint import find_checkpoint, is_whole
from tests.hub.child import SMALL_DISK, end, start

pytestmark = pytest.mark.slow

WEIGHTS = "model.safetensors"


def small_disk(size, place):
    place.mkdir()
    allowed = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", place], check=False)
    if allowed.returncode:
        pytest.skip("this machine lets no test mount a disk")
    return ["unshare", "-rm", "sh", "-c", SMALL_DISK, "sh", size, str(place)]


def test_it_fetches_and_says_where_the_model_is(hub_server, models_dir):
    word = end(start(hub_server, models_dir))
    assert word["installed"] == str(models_dir / "voxcpm2")
    assert word["done"] == word["size"] > 900_000
    assert is_whole(models_dir / "voxcpm2")


def test_a_failure_is_its_last_word(hub_server, models_dir):
    hub_server.wrong.add(WEIGHTS)
    assert "does not match the checksum" in end(start(hub_server, models_dir))["error"]


def test_it_says_every_second_that_it_lives(hub_server, models_dir):
    hub_server.hold_after = 10_000
    process = start(hub_server, models_dir)
    assert hub_server.held.wait(10)
    lines = [process.stdout.readline() for _ in range(2)]
    assert all('"done"' in line for line in lines)
    hub_server.go_on.set()
    assert "installed" in end(process)


def test_killed_in_the_middle_it_is_no_model_and_the_next_goes_on(hub_server, models_dir):
    hub_server.hold_after = 300_000
    process = start(hub_server, models_dir)
    assert hub_server.held.wait(10)
    wait_for(lambda: half(models_dir) == 300_000)
    process.kill()
    process.communicate()
    assert find_checkpoint(models_dir) is None
    hub_server.hold_after = None
    hub_server.go_on.set()
    hub_server.requests.clear()
    assert "installed" in end(start(hub_server, models_dir))
    assert hub_server.asked(WEIGHTS) == ["bytes=300000-"]


def test_it_ends_with_the_server_that_started_it(hub_server, models_dir):
    hub_server.hold_after = 10_000
    process = start(hub_server, models_dir)
    assert hub_server.held.wait(10)
    process.stdin.close()  # what the end of a process does, however it ends
    assert process.wait(5) == 1
    process.stdout.close()


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    hub_server, models_dir, tmp_path
):
    place = tmp_path / "disk"
    before = small_disk("512k", place)
    word = end(start(hub_server, place / "models", before=before))
    assert word["error"].startswith("There is not enough room on the disk: openbmb/VoxCPM2 takes")
    assert not hub_server.asked("config.json")


def test_a_disk_that_fills_up_meanwhile_is_one_sentence(hub_server, tmp_path):
    """Somebody else writes to it while we do."""
    place = tmp_path / "disk"
    # Large enough at the start; the hub waits until the rest is taken.
    filler = f"(until [ -e {tmp_path}/held ]; do sleep 0.05; done; "
    filler += f"cat /dev/zero > {place}/other; touch {tmp_path}/full) 2>/dev/null & exec"
    before = small_disk("80m", place)
    before[4] = SMALL_DISK.replace("exec", filler)
    hub_server.hold_after = 300_000
    process = start(hub_server, place / "models", before=before)
    assert hub_server.held.wait(10)
    (tmp_path / "held").touch()
    wait_for((tmp_path / "full").exists)
    hub_server.go_on.set()
    error = end(process)["error"]
    assert error.startswith("The disk is full at ")
    assert error.endswith("what was fetched is kept, and the next attempt goes on from there.")


def test_a_limit_on_files_is_told_as_a_full_disk(hub_server, models_dir):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))

    word = end(start(hub_server, models_dir, preexec_fn=limit))
    assert word["error"].startswith("The disk is full at ")
    assert half(models_dir) == 500_000
    assert "installed" in end(start(hub_server, models_dir))


def half(models_dir):
    found = list(models_dir.rglob(f"{WEIGHTS}.*.incomplete"))
    return found[0].stat().st_size if found else 0


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
