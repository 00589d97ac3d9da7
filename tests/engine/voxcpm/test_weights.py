"""A model is read whole and as the official package reads it, or a sentence says what is wrong."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.weights import load_model
from tests.engine.voxcpm.checkpoints import build_tiny
from tests.engine.voxcpm.stock import generate, load_stock

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fixture", ["tiny_v1", "tiny_v1_5", "tiny_v2"])
def test_a_model_is_the_official_one_without_its_caches(request, fixture, capfd):
    folder = request.getfixturevalue(fixture)
    ours = load_model(folder, "cpu")
    assert capfd.readouterr() == ("", "")
    stock = load_stock(folder)
    theirs = stock.tts_model
    assert_same(ours, theirs)
    assert ours.base_lm.kv_cache is None and ours.config.max_length == theirs.config.max_length

    expected = generate(stock, "Hello world", 1, max_len=5)
    for lm in (ours.base_lm, ours.residual_lm):
        lm.setup_cache(1, ours.config.max_length, "cpu", torch.float32)
    stock.tts_model = ours
    assert abs(generate(stock, "Hello world", 1, max_len=5) - expected).max() < 1e-5


def test_half_precision_is_the_files_own_unless_another_is_asked_for(tmp_path):
    folder = build_tiny(tmp_path, "voxcpm2", dtype="bfloat16")
    assert_same(load_model(folder, "cpu"), load_stock(folder).tts_model)
    raised = load_model(folder, "cpu", "float32")
    assert {value.dtype for value in raised.parameters()} == {torch.float32}
    assert raised.config.dtype == "float32"


def test_weights_stay_in_their_file_until_they_are_used(tiny_v2):
    weight = load_model(tiny_v2, "cpu").base_lm.embed_tokens.weight
    assert not weight.requires_grad
    lines = Path("/proc/self/maps").read_text().splitlines()
    mapped = [line.split() for line in lines if "model.safetensors" in line]
    ranges = [[int(end, 16) for end in line[0].split("-")] for line in mapped]
    assert any(start <= weight.data_ptr() < end for start, end in ranges)


def cut(folder, name, size=1000):
    path = folder / name
    path.write_bytes(path.read_bytes()[:size])


def edit_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def edit_language_model(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    edit_config(folder, lm_config=config["lm_config"] | values)


def edit_tokenizer(folder, **values):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


class Code:
    """A pickle that runs a command where it is loaded in full."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def edit_weights(folder, change):
    path = folder / "model.safetensors"
    state = {name: value.clone() for name, value in load_file(path).items()}
    change(state)
    save_file(state, path)


STOP = "stop_head.weight"
BREAKAGES = {
    "config.json of tiny is missing": lambda folder: (folder / "config.json").unlink(),
    "config.json of tiny is damaged: it is no JSON": lambda folder: cut(folder, "config.json", 50),
    "names an architecture that is not": lambda folder: edit_config(folder, architecture="llama"),
    "not a VoxCPM model's: lm_config": lambda folder: edit_config(folder, lm_config={"a": 1}),
    "'int3' is no precision": lambda folder: edit_config(folder, dtype="int3"),
    "tokenizer.json of tiny is missing": lambda folder: (folder / "tokenizer.json").unlink(),
    "tokenizer.json of tiny is damaged": lambda folder: cut(folder, "tokenizer.json"),
    "tokenizer.json of tiny holds no tokenizer": lambda folder: (
        folder / "tokenizer.json"
    ).write_text('{"model": {"vocab": {"a": 0}, "merges": ["a b"]}}'),
    "tokenizer_config.json of tiny is damaged": lambda folder: cut(
        folder, "tokenizer_config.json", 9
    ),
    "The tokenizer of tiny is damaged": lambda folder: edit_tokenizer(folder, normalizer=5),
    "tokenizer.json of tiny is damaged: it is no JSON.": lambda folder: (
        folder / "tokenizer.json"
    ).write_text("[" * 100_000),
    "describes a model that cannot be built.": lambda folder: edit_language_model(
        folder, num_key_value_heads=0
    ),
    "config.json of tiny describes a model that cannot be built.": lambda folder: (
        edit_language_model(folder, num_hidden_layers=10**9)
    ),
    "config.json of tiny describes a model that cannot": lambda folder: edit_language_model(
        folder, intermediate_size=-1
    ),
    "model.safetensors or pytorch_model.bin of tiny is missing": lambda folder: (
        folder / "model.safetensors"
    ).unlink(),
    "model.safetensors of tiny is damaged or was not": lambda folder: cut(
        folder, "model.safetensors"
    ),
    "audiovae.safetensors or audiovae.pth of tiny is missing": lambda folder: (
        folder / "audiovae.pth"
    ).unlink(),
    "audiovae.pth of tiny is damaged or was not fetched whole": lambda folder: cut(
        folder, "audiovae.pth"
    ),
    "1 of 430 tensors are missing, stop_head.weight first": lambda folder: edit_weights(
        folder, lambda state: state.pop(STOP)
    ),
    "do not fit its config.json: stop_head.weight is [3, 96], not [2, 96]": lambda folder: (
        edit_weights(folder, lambda state: state.update({STOP: torch.zeros(3, 96)}))
    ),
    "do not fit its config.json: stop_head.weight is [2, 96]": lambda folder: edit_weights(
        folder, lambda state: state.update({STOP: torch.zeros(2, 96, dtype=torch.int8)})
    ),
}


@pytest.mark.parametrize("sentence", BREAKAGES)
def test_what_is_wrong_with_a_model_is_said_in_a_sentence(tiny_v2, tmp_path, sentence):
    folder = shutil.copytree(tiny_v2, tmp_path / "secret" / "tiny")
    BREAKAGES[sentence](folder)
    with pytest.raises(EngineUnavailable) as raised:
        load_model(folder, "cpu")
    message = raised.value.message
    assert sentence in message and message.endswith(".") and "secret" not in message


@pytest.mark.parametrize("size", [0, 5, 1000, 100_000])
def test_a_pickled_file_that_was_not_fetched_whole_is_said_to_be(tiny_v1, tmp_path, size):
    folder = shutil.copytree(tiny_v1, tmp_path / "tiny")
    cut(folder, "pytorch_model.bin", size)
    with pytest.raises(EngineUnavailable, match=r"^pytorch_model.bin of tiny is damaged"):
        load_model(folder, "cpu")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "audiovae.pth"])
def test_code_in_a_pickled_file_is_not_run(tiny_v1, tmp_path, name):
    folder, trace = shutil.copytree(tiny_v1, tmp_path / "tiny"), tmp_path / "trace"
    torch.save({"state_dict": Code(f"touch {trace}")}, folder / name)
    with pytest.raises(EngineUnavailable, match=f"^{name} of tiny is damaged"):
        load_model(folder, "cpu")
    assert not trace.exists()


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(EngineUnavailable, match="no folder with a model named VoxCPM9"):
        load_model(tmp_path / "VoxCPM9", "cpu")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "tpu", "cpu:1", "cuda:x"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_device_that_is_not_here_is_said_to_be(tiny_v1, device):
    with pytest.raises(EngineUnavailable, match=r"(cuda|mps|no device)"):
        load_model(tiny_v1, device)


def assert_same(ours, theirs):
    expected = dict(theirs.named_parameters()) | dict(theirs.named_buffers())
    found = dict(ours.named_parameters()) | dict(ours.named_buffers())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype is value.dtype, name
        assert torch.equal(found[name], value), name
