"""A server that dies while it fetches a model: no model, no orphan, and the next one goes on."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import closing

import psutil
import pytest

from speech.engine.voxcpm.checkpoint import find_checkpoint, is_whole
from tests.live import LiveServer, manage

pytestmark = pytest.mark.slow
LIST = "/admin/speech/modeldownload/"


@pytest.fixture
def own_dir(migrated_dir, tmp_path):
    there = shutil.copytree(migrated_dir, tmp_path / "data")
    names = ("--noinput", "--username=operator", "--email=o@example.com")
    manage(there, "createsuperuser", *names, DJANGO_SUPERUSER_PASSWORD="operator's password")
    return there


def signed_in(server):
    http = server.http()
    page = http.get("/account/login/")
    post(http, "/account/login/", page, login="operator", password="operator's password")
    return http


def post(http, path, page, **form):
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form |= {"csrfmiddlewaretoken": token}
    answer = http.post(path, data=form, headers={"referer": str(http.base_url)})
    assert answer.status_code == 302, answer.text
    return answer


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


def state(http):
    shown = re.search(r">\s*(running|interrupted|installed|failed)\s*<", http.get(LIST).text, re.I)
    return shown[1].lower()


def test_a_killed_server_leaves_no_model_and_the_next_one_resumes(own_dir, hub_server):
    hub_server.hold_after = 300_000
    environment = {"HF_ENDPOINT": hub_server.url}
    with LiveServer(own_dir, environment) as server, closing(signed_in(server)) as http:
        add = http.get(f"{LIST}add/")
        post(http, f"{LIST}add/", add, model="voxcpm2", hub="huggingface")
        assert hub_server.held.wait(10)
        children = psutil.Process(server.process.pid).children(recursive=True)
        (fetching,) = [child for child in children if "speech.hub" in child.cmdline()]
        server.process.kill()
        server.process.wait()
        fetching.wait(10)  # it does not outlive its server
    assert find_checkpoint(own_dir / "models") is None

    hub_server.hold_after = None
    hub_server.go_on.set()
    hub_server.requests.clear()
    with LiveServer(own_dir, environment) as server, closing(signed_in(server)) as http:
        wait_for(lambda: state(http) == "interrupted", 30)
        resume = f"{LIST}1/resume/"
        post(http, resume, http.get(resume))
        wait_for(lambda: state(http) == "installed", 20)
    assert is_whole(own_dir / "models" / "voxcpm2")
    (asked,) = hub_server.asked("model.safetensors")
    assert asked.startswith("bytes=")
