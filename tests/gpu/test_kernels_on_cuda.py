"""On CUDA the hand-made kernels compute what the plain code computes, in the sizes of VoxCPM2."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm import vae_layers
from speech.engine.voxcpm.attention import CachedAttention, SlotCache, attend_tokens
from speech.engine.voxcpm.vae_layers import Convolution, Pointwise, Residual, Snake

pytestmark = pytest.mark.gpu
COUNTS, SIZE, SLOTS, BUCKET = (16, 2), 128, 64, 512
CLOSE = {torch.float32: 1e-5, torch.bfloat16: 1e-2}


@pytest.fixture(params=CLOSE, ids=str)
def dtype(request, cuda):
    return request.param


def drawn(*shape, dtype=torch.float32):
    source = torch.Generator("cuda").manual_seed(sum(shape))
    return torch.randn(shape, generator=source, device="cuda").to(dtype)


def assert_close(ours, plain, bound):
    assert (ours.float() - plain.float()).abs().max() <= bound * plain.float().abs().max()


@pytest.mark.parametrize("batch", [2, 128])
def test_tokens_of_short_sequences_see_each_other(dtype, batch):
    from speech.engine.voxcpm.kernels import attention

    heads = drawn(batch, 11, COUNTS[0] + 2 * COUNTS[1], SIZE, dtype=dtype)
    given = heads, COUNTS, (drawn(11, 1, SIZE), drawn(11, 1, SIZE)), slice(None), None
    assert_close(attention.attend_tokens(*given), attend_tokens(*given), CLOSE[dtype])


@pytest.mark.parametrize("steps", [1, 32])
@pytest.mark.parametrize("batch", [1, 64])
def test_tokens_are_remembered_and_see_what_their_slots_have_heard(dtype, batch, steps):
    from speech.engine.voxcpm.kernels import attention

    caches = [SlotCache(1, SLOTS, 1024, COUNTS[1], SIZE, torch.device("cuda"), dtype) for _ in "ab"]
    for cache in caches:
        cache.keys.copy_(drawn(*cache.keys.shape, dtype=dtype))
        cache.values.copy_(drawn(*cache.values.shape, dtype=dtype).flip(1))
    rows = torch.arange(batch, device="cuda")
    positions = rows.unsqueeze(1) * 3 + 60 + torch.arange(steps, device="cuda")
    heads = drawn(batch, steps, COUNTS[0] + 2 * COUNTS[1], SIZE, dtype=dtype)
    turn = tuple(drawn(batch, steps, 1, SIZE + i)[..., :SIZE].contiguous() for i in (0, 1))
    ours, plain = (
        attend(heads, COUNTS, turn, slice(None), CachedAttention(*where).at(0))
        for attend, *where in (
            (attention.attend_tokens, caches[0], rows, positions, BUCKET),
            (attend_tokens, caches[1], rows, positions, BUCKET),
        )
    )
    assert_close(ours, plain, CLOSE[dtype])
    assert_close(caches[0].keys, caches[1].keys, CLOSE[dtype])
    assert torch.equal(caches[0].values, caches[1].values)


@pytest.mark.parametrize(("channels", "length"), [(1024, 32), (256, 960), (32, 7680)])
def test_a_residual_unit_goes_on_where_it_stopped(cuda, channels, length):
    from speech.engine.voxcpm.kernels import vae

    unit = Residual(
        Snake(drawn(channels).abs() + 0.1),
        Convolution(drawn(channels, 1, 7) / 3, drawn(channels), 3, channels),
        Snake(drawn(channels).abs() + 0.1),
        Pointwise(drawn(channels, channels, 1) / channels**0.5, drawn(channels), False),
    )
    x, past = drawn(4, length, channels), drawn(4, unit.context)
    got, expected = vae.residual(x, past, unit), vae_layers.residual(x, past, unit)
    assert_close(got[0], expected[0], 1e-5)
    assert_close(got[1], expected[1], 1e-5)
