"""The files of a checkpoint: true formats and headers around no model at all, made in no time."""

from __future__ import annotations

import json
import struct
import zipfile

CONFIGS = {
    "voxcpm2": {
        "architecture": "voxcpm2",
        "patch_size": 4,
        "audio_vae_config": {"sample_rate": 16_000, "out_sample_rate": 48_000},
        "max_length": 8192,
    },
    "voxcpm1.5": {
        "architecture": "voxcpm",
        "patch_size": 4,
        "audio_vae_config": {"sample_rate": 44_100},
        "max_length": 4096,
    },
    # The first model's config.json leaves to the package what it can.
    "voxcpm-0.5b": {"patch_size": 2, "max_length": 4096},
}
LANGUAGE_MODEL = {"vocab_size": 8, "hidden_size": 4}


def safetensors(tensors):
    """``name -> shape`` as a file of float32 zeros."""
    header, end = {}, 0
    for name, shape in tensors.items():
        start, end = end, end + 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def write_torch_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("archive/data/0", bytes(400))


def write_checkpoint(path, name="voxcpm2", *, padding=0):
    """``padding`` rows make the weights larger, in steps of 16 bytes."""
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(CONFIGS[name] | {"lm_config": LANGUAGE_MODEL}))
    (path / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": {}}}))
    (path / "tokenizer_config.json").write_text("{}")
    if name == "voxcpm-0.5b":
        write_torch_zip(path / "pytorch_model.bin")
    else:
        tensors = {"base_lm.embed_tokens.weight": [8, 4], "base_lm.norm.weight": [1 + padding, 4]}
        (path / "model.safetensors").write_bytes(safetensors(tensors))
    write_torch_zip(path / "audiovae.pth")
    return path
