"""A checkpoint is found, told from others, and refused in one sentence when a file is not whole."""

from __future__ import annotations

import json

import pytest

from speech.engine.voxcpm.checkpoint import (
    CheckpointError,
    describe_checkpoint,
    directory_name,
    find_checkpoint,
    is_whole,
)
from tests.engine.voxcpm.files import safetensors, write_checkpoint


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(tmp_path / "models" / "voxcpm2")


@pytest.mark.parametrize(
    ("name", "architecture", "sample_rate", "weights"),
    [
        ("voxcpm2", "voxcpm2", 48_000, "model.safetensors"),
        ("voxcpm1.5", "voxcpm", 44_100, "model.safetensors"),
        ("voxcpm-0.5b", "voxcpm", 16_000, "pytorch_model.bin"),
    ],
)
def test_it_tells_the_three_models_apart(tmp_path, name, architecture, sample_rate, weights):
    described = describe_checkpoint(write_checkpoint(tmp_path / "any", name))
    assert (described.name, described.architecture) == (name, architecture)
    assert described.sample_rate == sample_rate
    assert described.weights.name == weights
    assert described.size > 400


def test_safetensors_count_before_pickles_as_in_the_official_package(checkpoint):
    (checkpoint / "audiovae.safetensors").write_bytes(safetensors({"decoder.weight": [2, 2]}))
    assert describe_checkpoint(checkpoint).vae.name == "audiovae.safetensors"


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
)
def test_a_missing_file_is_named(checkpoint, name):
    (checkpoint / name).unlink()
    with pytest.raises(CheckpointError, match=rf"{name}.*\.$"):
        describe_checkpoint(checkpoint)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("keep", [0, 5, -1])
def test_a_truncated_file_is_named(checkpoint, name, keep):
    path = checkpoint / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=f"{name}.* (truncated|damaged)"):
        describe_checkpoint(checkpoint)


@pytest.mark.parametrize("keep", [0, 5, 300, -1])
def test_a_truncated_pickle_is_named(tmp_path, keep):
    checkpoint = write_checkpoint(tmp_path / "any", "voxcpm-0.5b")
    for name in ("audiovae.pth", "pytorch_model.bin"):
        path = checkpoint / name
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(CheckpointError, match=f"{name} is truncated"):
            describe_checkpoint(checkpoint)


def test_a_file_with_more_than_its_header_says_is_damaged(checkpoint):
    with (checkpoint / "model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(CheckpointError, match="longer than its header"):
        describe_checkpoint(checkpoint)


def test_the_weights_of_another_model_are_refused(checkpoint):
    other = safetensors({"base_lm.embed_tokens.weight": [8, 2]})
    (checkpoint / "model.safetensors").write_bytes(other)
    with pytest.raises(CheckpointError, match=r"another model: .* \[8, 2\].* says \[8, 4\]"):
        describe_checkpoint(checkpoint)


def test_a_git_lfs_pointer_is_called_by_its_name(checkpoint):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4580000000\n"
    for name in ("model.safetensors", "audiovae.pth"):
        (checkpoint / name).write_text(pointer)
        with pytest.raises(CheckpointError, match=f"{name} is only a Git LFS pointer"):
            describe_checkpoint(checkpoint)
        (checkpoint / name).write_bytes(safetensors({"base_lm.embed_tokens.weight": [8, 4]}))


def test_another_architecture_is_refused(checkpoint):
    (checkpoint / "config.json").write_text(json.dumps({"architecture": "whisper"}))
    with pytest.raises(CheckpointError, match="'whisper', which is neither voxcpm nor voxcpm2"):
        describe_checkpoint(checkpoint)


def test_a_config_of_something_else_is_refused(checkpoint):
    (checkpoint / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(CheckpointError, match="does not describe a VoxCPM model"):
        describe_checkpoint(checkpoint)


def test_a_value_of_the_wrong_type_is_refused(checkpoint):
    config = {"lm_config": {}, "architecture": "voxcpm2", "patch_size": [4]}
    (checkpoint / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="wrong type"):
        describe_checkpoint(checkpoint)


HUGE = "[" * 100_000
HEADERS = [HUGE, '{"a": {"data_offsets": [], "shape": []}}', '{"a": {"data_offsets": [0, 1e999]}}']


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [HUGE, HUGE.replace("[", '{"a":'), "\0", "9" * 5000])
def test_json_that_nobody_writes_is_damaged(checkpoint, name, content):
    (checkpoint / name).write_text(content)
    with pytest.raises(CheckpointError, match=rf"{name} is damaged"):
        describe_checkpoint(checkpoint)


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_nobody_writes_is_no_file_of_weights(checkpoint, header):
    content = len(header).to_bytes(8, "little") + header.encode()
    (checkpoint / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="is truncated, or is not a file of weights"):
        describe_checkpoint(checkpoint)


@pytest.mark.parametrize("size", ["0", "-4", "1e999", "1000000000000000000"])
def test_a_size_that_no_model_has_is_refused(checkpoint, size):
    config = f'{{"architecture": "voxcpm2", "lm_config": {{}}, "patch_size": {size}}}'
    (checkpoint / "config.json").write_text(config)
    with pytest.raises(CheckpointError, match="has a value"):
        describe_checkpoint(checkpoint)


def test_a_zip_of_another_kind_is_no_file_of_weights(checkpoint):
    path = checkpoint / "audiovae.pth"
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 200  # the version that is needed to read it
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a file of weights"):
        describe_checkpoint(checkpoint)


def test_without_a_setting_the_best_whole_model_is_found(tmp_path):
    models = tmp_path / "models"
    assert find_checkpoint(models) is None
    first = write_checkpoint(models / "voxcpm-0.5b", "voxcpm-0.5b")
    better = write_checkpoint(models / "voxcpm1.5", "voxcpm1.5")
    assert find_checkpoint(models) == better
    (better / "tokenizer.json").unlink()
    assert find_checkpoint(models) == first


def test_where_none_is_whole_the_broken_one_is_found_so_that_it_can_be_named(checkpoint):
    (checkpoint / "audiovae.pth").unlink()
    assert find_checkpoint(checkpoint.parent) == checkpoint
    assert not is_whole(checkpoint)


def test_what_cannot_be_looked_at_stands_in_nobody_s_way(tmp_path, checkpoint):
    (checkpoint.parent / "a link that leads nowhere").symlink_to("a" * 300)
    assert find_checkpoint(checkpoint.parent) == checkpoint
    assert not is_whole(checkpoint.parent / "a link that leads nowhere")
    with pytest.raises(CheckpointError, match=r"cannot be read: File name too long\.$"):
        find_checkpoint(checkpoint.parent, "a" * 300)


def test_what_is_still_being_fetched_is_no_model(checkpoint):
    checkpoint.rename(checkpoint.parent / ".voxcpm2.part")
    assert find_checkpoint(checkpoint.parent) is None


@pytest.mark.parametrize("setting", ["voxcpm2", "VoxCPM2", "openbmb/VoxCPM2", "OpenBMB/VoxCPM2"])
def test_a_name_and_an_id_of_either_hub_mean_the_same_directory(checkpoint, setting):
    assert find_checkpoint(checkpoint.parent, setting) == checkpoint


def test_a_directory_is_taken_as_it_is(tmp_path, checkpoint):
    assert find_checkpoint(tmp_path / "none", str(checkpoint)) == checkpoint


def test_other_ids_have_a_directory_of_their_own(checkpoint):
    other = write_checkpoint(checkpoint.parent / "someone--VoxCPM2-tuned")
    assert directory_name("someone/VoxCPM2-tuned") == other.name
    assert find_checkpoint(checkpoint.parent, "someone/VoxCPM2-tuned") == other


def test_a_setting_that_names_nothing_says_how_to_fetch_it(tmp_path):
    with pytest.raises(CheckpointError, match=r"`make model MODEL=voxcpm1\.5` fetches one"):
        find_checkpoint(tmp_path, "voxcpm1.5")


def test_it_reads_what_the_real_libraries_write(tmp_path):
    """The files above follow our reading of the format; this one is the library's."""
    import numpy
    from safetensors.numpy import save_file

    checkpoint = write_checkpoint(tmp_path / "any")
    save_file(
        {"base_lm.embed_tokens.weight": numpy.zeros((8, 4), "float32")},
        checkpoint / "model.safetensors",
        metadata={"format": "pt"},
    )
    assert is_whole(checkpoint)


@pytest.mark.slow
def test_it_reads_what_torch_writes(tmp_path):
    import torch

    checkpoint = write_checkpoint(tmp_path / "any", "voxcpm-0.5b")
    for name in ("pytorch_model.bin", "audiovae.pth"):
        torch.save({"state_dict": {"weight": torch.zeros(3)}}, checkpoint / name)
    assert is_whole(checkpoint)
