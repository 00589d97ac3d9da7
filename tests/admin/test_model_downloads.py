"""The admin has models fetched in the background: seen, cancelled, resumed, never twice at once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import psutil
import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from speech import downloads
from speech.engine.voxcpm.checkpoint import find_checkpoint, is_whole
from speech.hub.errors import FetchError
from speech.hub.fetch import _alone, in_words
from speech.models import ModelDownload
from tests.engine.voxcpm.files import write_checkpoint

LIST = "/admin/speech/modeldownload/"
WEIGHTS = "model.safetensors"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hub(settings, hub_server, models_dir):
    settings.MODEL_HUBS = dict.fromkeys(settings.MODEL_HUBS, (hub_server.url, ""))
    yield hub_server
    hub_server.go_on.set()
    ModelDownload.objects.update(state="cancelled")
    wait_for(lambda: not running_threads())


def running_threads():
    return [one for one in threading.enumerate() if one.name.startswith("download-")]


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask_for(client, model="voxcpm2", hub="huggingface"):
    return client.post(f"{LIST}add/", {"model": model, "hub": hub})


def ended(name="voxcpm2"):
    wait_for(lambda: ModelDownload.objects.get(name=name).state != "running")
    return ModelDownload.objects.get(name=name)


def held(operator, hub):
    """A download that stands still in its middle, and its row."""
    hub.hold_after = 300_000
    ask_for(operator)
    assert hub.held.wait(10)
    return ModelDownload.objects.get()


def page(download, verb):
    return f"{LIST}{download.pk}/{verb}/"


def test_it_fetches_in_the_background(operator, operator_user, hub, models_dir):
    assert ask_for(operator).status_code == 302
    download = ended()
    assert (download.state, download.error) == ("installed", "")
    assert download.done == download.size > 900_000
    assert download.started_by == operator_user
    assert is_whole(models_dir / "voxcpm2")
    assert "961 kB of 961 kB" in operator.get(LIST).content.decode()


@pytest.mark.slow
def test_it_fetches_from_the_other_hub(operator, hub, models_dir):
    ask_for(operator, "someone/ours", "modelscope")
    assert "on ModelScope" in ended("someone--ours").error
    hub.models["someone/ours"] = hub.models["openbmb/VoxCPM1.5"]
    ask_for(operator, "someone/ours", "modelscope")
    assert ended("someone--ours").state == "installed"
    assert find_checkpoint(models_dir) == models_dir / "someone--ours"


def test_it_shows_how_far_it_is(operator, hub):
    download = held(operator, hub)
    wait_for(lambda: ModelDownload.objects.get().done >= 300_000)
    fetched = in_words(ModelDownload.objects.get().done)
    for path in (LIST, page(download, "change")):
        shown = operator.get(path).content.decode()
        assert f"{fetched} of 961 kB" in shown
        assert 'data-running="yes"' in shown


def test_a_failure_is_shown_in_its_sentence_and_tried_again(operator, hub):
    hub.wrong.add(WEIGHTS)
    ask_for(operator)
    assert ended().state == "failed"
    assert "does not match the checksum" in operator.get(LIST).content.decode()
    hub.wrong.clear()
    assert operator.get(page(ended(), "resume")).status_code == 200
    operator.post(page(ended(), "resume"))
    assert ended().state == "installed"


@pytest.mark.slow
def test_it_is_cancelled_and_resumed(operator, hub, models_dir):
    download = held(operator, hub)
    assert operator.get(page(download, "cancel")).status_code == 200
    assert ModelDownload.objects.get().is_running
    operator.post(page(download, "cancel"))
    assert ended().state == "cancelled"
    hub.hold_after = None
    hub.requests.clear()
    operator.post(page(download, "resume"))
    assert ended().state == "installed"
    (asked,) = hub.asked(WEIGHTS)
    assert asked.startswith("bytes=")


def test_the_same_model_is_never_fetched_twice_at_once(operator, hub):
    held(operator, hub)
    assert "is being fetched already" in ask_for(operator).content.decode()
    with pytest.raises(FetchError, match="voxcpm2 is being fetched already"):
        downloads.start("openbmb/VoxCPM2", "modelscope", None)
    assert len(running_threads()) == 1


@pytest.mark.slow
def test_one_that_is_fetched_from_a_shell_is_left_alone(operator, hub, models_dir):
    models_dir.mkdir()
    with _alone(models_dir / ".voxcpm2.part"):
        ask_for(operator)
        assert ended().error.startswith("Another process is fetching this model")


def test_a_child_that_is_killed_is_told(operator, hub):
    held(operator, hub)
    (child,) = [
        one for one in psutil.Process().children() if "speech.hub" in " ".join(one.cmdline())
    ]
    child.kill()
    assert ended().error == downloads.NO_WORD


def test_one_of_a_dead_server_can_be_resumed(operator, hub):
    """The row says running, but nobody was heard of since."""
    long_ago = timezone.now() - timedelta(minutes=1)
    download = ModelDownload.objects.create(
        name="voxcpm2", model="voxcpm2", state="running", heard_at=long_ago, attempt="dead"
    )
    assert "interrupted" in operator.get(LIST).content.decode().lower()
    assert operator.post(page(download, "cancel")).status_code == 403
    operator.post(page(download, "resume"))
    assert not download.hear("dead", done=1)
    assert ended().state == "installed"


def test_a_directory_of_this_machine_is_linked(operator, hub, models_dir, tmp_path):
    ask_for(operator, str(write_checkpoint(tmp_path / "mine")))
    assert ended("mine").state == "installed"
    assert find_checkpoint(models_dir) == models_dir / "mine"


@pytest.mark.slow
def test_giving_one_up_frees_its_room_and_spares_a_whole_model(operator, hub, models_dir):
    operator.post(page(held(operator, hub), "cancel"))
    wait_for(lambda: not running_threads())
    operator.post(page(ModelDownload.objects.get(), "delete"), {"post": "yes"})
    assert not ModelDownload.objects.exists()
    assert not (models_dir / ".voxcpm2.part").exists()
    hub.hold_after = None
    ask_for(operator)
    operator.post(page(ended(), "delete"), {"post": "yes"})
    assert is_whole(models_dir / "voxcpm2")


def test_what_runs_is_not_deleted(operator, hub):
    download = held(operator, hub)
    assert operator.post(page(download, "delete"), {"post": "yes"}).status_code == 403
    assert ModelDownload.objects.exists()


def test_staff_may_what_they_were_given(staff, hub):
    download = ModelDownload.objects.create(name="voxcpm2", model="voxcpm2", state="failed")
    client = staff("view_modeldownload")
    assert client.get(LIST).status_code == 200
    for path in ("add/", f"{download.pk}/resume/", f"{download.pk}/delete/"):
        form = {"model": "voxcpm2", "hub": "huggingface", "post": "yes"}
        assert client.post(LIST + path, form).status_code == 403, path
    assert list(ModelDownload.objects.values_list("state", flat=True)) == ["failed"]
    assert not hub.requests


@pytest.mark.slow
def test_the_audit_log_tells_who_did_what(operator, hub):
    download = held(operator, hub)
    operator.post(page(download, "cancel"))
    hub.hold_after = None
    operator.post(page(download, "resume"))
    ended()
    told = AuditEntry.objects.order_by("number").values_list("action", "actor_name")
    verbs = ("add", "cancel", "resume")
    assert list(told) == [(f"modeldownload.{verb}", "operator") for verb in verbs]


def test_nobody_edits_a_row(operator, hub):
    download = ModelDownload.objects.create(name="voxcpm2", model="voxcpm2", state="failed")
    operator.post(page(download, "change"), {"model": "forged", "hub": "modelscope"})
    download.refresh_from_db()
    assert (download.model, download.hub) == ("voxcpm2", "huggingface")
