"""The tiny models are models to the official package, and can be heard."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.voxcpm.checkpoints import build_tiny
from tests.engine.voxcpm.stock import generate, load_stock

pytestmark = pytest.mark.slow

KINDS = [("tiny_v1", 16000, 1280), ("tiny_v1_5", 44100, 7056), ("tiny_v2", 48000, 7680)]


@pytest.mark.parametrize(("fixture", "rate", "patch"), KINDS)
def test_the_official_package_speaks_with_a_tiny_model(request, fixture, rate, patch):
    stock = load_stock(request.getfixturevalue(fixture))
    samples = generate(stock, "Hello world, 你好世界.", seed=1, min_len=6, max_len=12)
    assert stock.tts_model.sample_rate == rate
    assert len(samples) % patch == 0 and 8 * patch <= len(samples) <= 12 * patch
    assert 0.02 < np.abs(samples).max() < 1
    assert not np.array_equal(samples, generate(stock, "Hello world, 你好世界.", 2, max_len=12))


def test_the_official_package_splits_chinese_words_of_a_tiny_model(tiny_v2):
    tokenizer = load_stock(tiny_v2).tts_model.text_tokenizer
    tokens = tokenizer.tokenize("语音合成 ü")
    assert tokens == ["▁", "语", "音", "合", "成", "▁", "<0xC3>", "<0xBC>"]
    assert tokenizer.tokenizer.tokenize("语音合成") == ["▁", "语音合成"]


def test_the_same_seed_builds_the_same_model(tmp_path):
    first, again, other = (
        torch.load(build_tiny(tmp_path / name, "voxcpm", seed) / "pytorch_model.bin")["state_dict"]
        for name, seed in [("first", 3), ("again", 3), ("other", 4)]
    )
    name = "base_lm.layers.0.self_attn.q_proj.weight"
    assert torch.equal(first[name], again[name]) and not torch.equal(first[name], other[name])


def test_a_tiny_model_may_be_changed_and_kept_in_half_precision(tmp_path):
    folder = build_tiny(
        tmp_path, "voxcpm", dtype="bfloat16", changes={"lm_config.use_mup": True, "patch_size": 4}
    )
    model = load_stock(folder).tts_model
    assert model.config.lm_config.use_mup and model.patch_size == 4
    assert model.base_lm.norm.weight.dtype is torch.bfloat16
    assert model.audio_vae.decoder.model[0].bias.dtype is torch.float32
