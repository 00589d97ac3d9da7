"""A model comes from either hub: resumed after a cut, verified, and there whole or not at all."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from speech.engine.voxcpm.checkpoint import describe_checkpoint, find_checkpoint, is_whole
from speech.hub.errors import FetchError
from speech.hub.fetch import fetch_model, in_words, register
from speech.hub.hubs import HUBS
from tests.engine.voxcpm.files import write_checkpoint

AT_ONCE = (0.0, 0.0, 0.0)
WEIGHTS = "model.safetensors"


class Listener:
    def __init__(self):
        self.plan, self.heard = None, []

    def planned(self, plan):
        assert not self.heard
        self.plan = plan

    def progress(self, done):
        self.heard.append(done)


@pytest.fixture(params=HUBS)
def hub(request, hub_server):
    return HUBS[request.param](hub_server.url)


@pytest.fixture
def huggingface(hub_server):
    return HUBS["huggingface"](hub_server.url)


@pytest.fixture
def fetch(models_dir):
    def fetch(hub, model="voxcpm2", listener=None):
        return fetch_model(model, hub, models_dir, listener or Listener(), pauses=AT_ONCE)

    return fetch


def size_of(published, name="voxcpm2"):
    return (published / name / WEIGHTS).stat().st_size


@pytest.mark.parametrize("name", ["voxcpm2", "voxcpm1.5", "voxcpm-0.5b"])
def test_it_fetches_a_whole_model_from_either_hub(hub, fetch, models_dir, name):
    assert fetch(hub, name) == models_dir / name
    assert describe_checkpoint(models_dir / name).name == name
    assert find_checkpoint(models_dir) == models_dir / name


def test_it_says_the_size_before_it_fetches_and_counts_up_to_it(hub, fetch):
    listener = Listener()
    path = fetch(hub, listener=listener)
    assert listener.plan.size == sum(file.stat().st_size for file in path.iterdir())
    assert "961 kB in 6 files; " in str(listener.plan)
    assert listener.heard == sorted(listener.heard)
    assert listener.heard[-1] == listener.plan.size


def test_it_takes_what_a_checkpoint_needs_and_no_code(hub, fetch):
    names = {path.name for path in fetch(hub).iterdir()}
    assert names == {
        *("README.md", "config.json", "tokenizer.json", "tokenizer_config.json"),
        *("model.safetensors", "audiovae.pth"),
    }


def test_it_resumes_after_a_cut_and_asks_only_for_the_rest(hub, hub_server, fetch):
    hub_server.cuts[WEIGHTS] = [100_000, 50_000]
    assert is_whole(fetch(hub))
    assert hub_server.asked(WEIGHTS)[-2:] == ["bytes=100000-", "bytes=150000-"]


def test_another_process_goes_on_where_one_was_cut_off(hub, hub_server, fetch, models_dir):
    hub_server.cuts[WEIGHTS] = [100_000] + [0] * 9
    with pytest.raises(FetchError, match="what was fetched is kept, and the next attempt goes on"):
        fetch(hub)
    assert find_checkpoint(models_dir) is None
    hub_server.cuts.clear()
    hub_server.requests.clear()
    listener = Listener()
    assert is_whole(fetch(hub, listener=listener))
    assert set(hub_server.asked(WEIGHTS)) == {"bytes=100000-"}
    assert hub_server.asked("audiovae.pth") == []
    assert listener.plan.present > 100_000
    assert "of them here already" in str(listener.plan)


def test_what_one_hub_began_the_other_may_finish(hub_server, fetch):
    hub_server.cuts[WEIGHTS] = [100_000] + [0] * 9
    with pytest.raises(FetchError):
        fetch(HUBS["huggingface"](hub_server.url))
    hub_server.cuts.clear()
    hub_server.requests.clear()
    assert is_whole(fetch(HUBS["modelscope"](hub_server.url)))
    assert hub_server.asked(WEIGHTS) == ["bytes=100000-"]


def test_a_server_that_cannot_resume_is_read_from_the_start(hub, hub_server, fetch):
    hub_server.ranges = False
    hub_server.cuts[WEIGHTS] = [100_000]
    assert is_whole(fetch(hub))


def test_it_waits_out_a_busy_hub(hub, hub_server, fetch):
    hub_server.statuses = [503, 429]
    assert is_whole(fetch(hub))


def test_a_wrong_checksum_installs_nothing_and_keeps_no_wrong_bytes(
    hub, hub_server, fetch, models_dir
):
    hub_server.wrong.add(WEIGHTS)
    with pytest.raises(FetchError, match=f"{WEIGHTS} does not match the checksum that the hub"):
        fetch(hub)
    assert find_checkpoint(models_dir) is None
    assert not list(models_dir.rglob(f"{WEIGHTS}*"))
    hub_server.wrong.clear()
    assert is_whole(fetch(hub))


def test_small_files_have_a_checksum_too(hub, hub_server, fetch):
    hub_server.wrong.add("config.json")
    with pytest.raises(FetchError, match=r"config\.json does not match the checksum"):
        fetch(hub)


def test_a_file_without_a_checksum_is_not_fetched(hub, hub_server, fetch):
    hub_server.without_digest = {"tokenization.py"}  # not needed, so it does not matter
    assert is_whole(fetch(hub))
    hub_server.without_digest = {WEIGHTS}
    with pytest.raises(FetchError, match=f"states no checksum for {WEIGHTS}"):
        fetch(hub, "voxcpm1.5")


def test_a_damaged_half_is_found_out(huggingface, hub_server, fetch, models_dir):
    hub_server.cuts[WEIGHTS] = [100_000] + [0] * 9
    with pytest.raises(FetchError):
        fetch(huggingface)
    hub_server.cuts.clear()
    (half,) = models_dir.rglob("*.incomplete")
    half.write_bytes(b"x" * 100_000)
    with pytest.raises(FetchError, match="does not match the checksum"):
        fetch(huggingface)
    assert is_whole(fetch(huggingface))


def test_a_new_version_on_the_hub_is_not_glued_to_the_old_one(hub_server, fetch, tmp_path):
    hub = HUBS["huggingface"](hub_server.url)
    hub_server.cuts[WEIGHTS] = [100_000] + [0] * 9
    with pytest.raises(FetchError):
        fetch(hub)
    hub_server.cuts.clear()
    hub_server.requests.clear()
    hub_server.models["openbmb/VoxCPM2"] = write_checkpoint(tmp_path / "new", padding=70_000)
    path = fetch(hub)
    assert hub_server.asked(WEIGHTS)[-1] is None
    assert (path / WEIGHTS).stat().st_size == size_of(tmp_path, "new")


def test_a_missing_repository_is_one_sentence(hub, fetch):
    with pytest.raises(FetchError, match=r"^There is no model someone/nothing on .*\.$"):
        fetch(hub, "someone/nothing")


def test_a_repository_of_something_else_is_refused_before_anything_is_fetched(
    hub, hub_server, fetch, tmp_path
):
    other = write_checkpoint(tmp_path / "other")
    (other / "audiovae.pth").unlink()
    hub_server.models["someone/other"] = other
    with pytest.raises(FetchError, match=r"is not a VoxCPM checkpoint: it has no audiovae"):
        fetch(hub, "someone/other")
    assert not hub_server.asked("config.json")


def test_a_repository_whose_files_do_not_fit_together_is_not_installed(
    hub, hub_server, fetch, models_dir, tmp_path
):
    other = write_checkpoint(tmp_path / "other")
    (other / "config.json").write_text('{"architecture": "whisper"}')
    hub_server.models["someone/other"] = other
    with pytest.raises(FetchError, match=r"not a usable checkpoint.*'whisper'"):
        fetch(hub, "someone/other")
    assert find_checkpoint(models_dir) is None


@pytest.mark.parametrize("name", HUBS)
def test_a_hub_that_is_not_there_is_one_sentence(fetch, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens here
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FetchError, match=f"cannot be reached at {address}: .*[a-z]\\.$"):
            fetch(HUBS[name](f"http://{address}"))


def test_an_address_that_is_no_hub_is_one_sentence(hub_server, fetch):
    hub = HUBS["huggingface"](f"{hub_server.url}/elsewhere")
    with pytest.raises(FetchError, match="There is no model"):
        fetch(hub)


@pytest.mark.parametrize("model", ["voxcpm9", "../../etc", "a/b/c", "a/.."])
def test_what_names_no_model_is_refused(huggingface, fetch, model):
    with pytest.raises(FetchError, match="neither the name of a model"):
        fetch(huggingface, model)


def test_a_token_opens_a_private_model_and_is_shown_to_the_hub_alone(hub_server, fetch):
    hub_server.token = "hf_secret"
    with pytest.raises(FetchError, match="or it needs a token"):
        fetch(HUBS["huggingface"](hub_server.url))
    hub_server.requests.clear()
    fetch(HUBS["huggingface"](hub_server.url, "hf_secret"))
    shown = {path.split("/")[1] for path, _, token in hub_server.requests if token}
    assert shown == {"api", "openbmb"}


def test_a_model_that_is_there_is_not_fetched_again(hub, hub_server, fetch):
    fetch(hub)
    hub_server.requests.clear()
    fetch(hub)
    assert hub_server.requests == []


def test_a_broken_model_is_replaced(hub, fetch, models_dir):
    broken = write_checkpoint(models_dir / "voxcpm2")
    (broken / WEIGHTS).write_bytes(b"cut")
    assert is_whole(fetch(hub))


def test_two_never_fetch_the_same_model_at_once(huggingface, hub_server, fetch):
    hub_server.hold_after = 10_000
    first = threading.Thread(target=fetch, args=(huggingface,))
    first.start()
    assert hub_server.held.wait(10)
    with pytest.raises(FetchError, match="Another process is fetching this model"):
        fetch(huggingface)
    hub_server.go_on.set()
    first.join()
    assert is_whole(fetch(huggingface))


def test_a_local_directory_is_linked(tmp_path, models_dir):
    mine = write_checkpoint(tmp_path / "mine")
    link = register(mine, models_dir)
    assert link == models_dir / "mine"
    assert os.readlink(link) == str(mine)
    assert find_checkpoint(models_dir) == link
    assert register(mine, models_dir) == link


def test_a_local_directory_that_is_no_checkpoint_is_not_linked(tmp_path, models_dir):
    mine = write_checkpoint(tmp_path / "mine")
    (mine / "audiovae.pth").unlink()
    with pytest.raises(FetchError, match="has no audio decoder"):
        register(mine, models_dir)
    assert find_checkpoint(models_dir) is None


def test_a_link_takes_no_other_model_s_name(tmp_path, models_dir):
    write_checkpoint(models_dir / "mine")
    with pytest.raises(FetchError, match="is taken"):
        register(write_checkpoint(tmp_path / "mine"), models_dir)


@pytest.mark.parametrize(
    ("size", "words"), [(7, "7 bytes"), (1500, "1.5 kB"), (4_957_000_000, "4.96 GB")]
)
def test_sizes_are_said_in_words(size, words):
    assert in_words(size) == words
