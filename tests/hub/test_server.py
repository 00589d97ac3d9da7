"""The server of these tests speaks as the hubs do: their own clients are content with it."""

from __future__ import annotations

import hashlib

import pytest


@pytest.mark.slow
def test_hugging_face_s_own_client_lists_and_fetches(hub_server, published, tmp_path):
    from huggingface_hub import HfApi, hf_hub_download

    api = HfApi(endpoint=hub_server.url)
    info = api.model_info("openbmb/VoxCPM2", revision="main", files_metadata=True)
    weights = next(file for file in info.siblings if file.rfilename == "model.safetensors")
    content = (published / "voxcpm2" / "model.safetensors").read_bytes()
    assert (weights.size, weights.lfs.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    for name in ("config.json", "model.safetensors"):
        path = hf_hub_download(
            "openbmb/VoxCPM2", name, endpoint=hub_server.url, local_dir=tmp_path / "there"
        )
        with open(path, "rb") as file:
            assert file.read() == (published / "voxcpm2" / name).read_bytes()


@pytest.mark.slow
def test_modelscope_s_own_client_lists_and_fetches(hub_server, published, tmp_path):
    from modelscope_hub import HubApi

    api = HubApi(endpoint=hub_server.url)
    there = api.download_repo("OpenBMB/VoxCPM2", "model", local_dir=str(tmp_path / "there"))
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "there" / name).read_bytes() == (
            published / "voxcpm2" / name
        ).read_bytes(), there
