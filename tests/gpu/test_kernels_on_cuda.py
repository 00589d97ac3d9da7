"""On CUDA the hand-made kernels compute what the plain code computes, in the sizes of VoxCPM2."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm import race, solver, transformer, vae_layers
from speech.engine.voxcpm.attention import CachedAttention, SlotCache, attend_tokens
from speech.engine.voxcpm.race import TILES, size_of
from speech.engine.voxcpm.transformer import Norm
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


@pytest.mark.parametrize("guided", [[], [1], [0, 1, 2, 3]], ids=str)
def test_each_stream_takes_its_own_step(dtype, guided):
    from speech.engine.voxcpm.kernels import layers

    state, velocity = drawn(4, 4, 64), drawn(4 + len(guided), 4, 64, dtype=dtype)
    places = torch.tensor(guided, dtype=torch.long, device="cuda")
    given = state, velocity, drawn(4, 9)[:, 3], places, drawn(len(guided), 1, 1)
    (moved, patch), (expected, rounded) = layers.step(*given), solver.step(*given)
    assert_close(moved, expected, 1e-5)
    assert_close(patch, rounded, CLOSE[dtype])


PRODUCTS = {
    "qkv": ("enter", 2560, 1024),
    "qkv of a language model": ("enter", 2560, 2048),
    "out": ("leave", 1024, 2048),
    "gate and up": ("enter_gated", 8192, 1024),
    "gate and up of a language model": ("enter_gated", 12288, 2048),
    "down": ("leave", 1024, 4096),
    "down of a language model": ("leave", 2048, 6144),
}


@pytest.mark.parametrize("rows", [1, 2, 16, 22, 32])
@pytest.mark.parametrize("name", PRODUCTS)
def test_every_hand_made_product_of_few_rows_is_the_plain_one(cuda, name, rows):
    from speech.engine.voxcpm.kernels.products import Products

    role, outputs, inputs = PRODUCTS[name]
    linear = torch.nn.Linear(inputs, outputs, bias=False, device="cuda", dtype=torch.bfloat16)
    linear.requires_grad_(False).weight.copy_(drawn(outputs, inputs) / inputs**0.5)
    x, norm = drawn(rows, inputs, dtype=torch.bfloat16), Norm(drawn(inputs).bfloat16(), 1e-5, None)
    hidden, products = drawn(rows, outputs, dtype=torch.bfloat16), Products()
    for tile in TILES[role]:
        products.choice = {size_of(role, rows, linear): tile}
        if role == "leave":
            ours, left = products.leave(x, linear, hidden, None)
            _, change = transformer.leave(x, linear, hidden, None)
            plain = hidden + change
            assert left is None
        else:
            _, ours = getattr(products, role)(x, None, norm, linear)
            _, plain = getattr(transformer, role)(x, None, norm, linear)
        assert_close(ours, plain, CLOSE[torch.bfloat16])


def test_a_clock_tells_how_long_a_replay_takes(cuda):
    small, large = drawn(64, 64), drawn(4096, 4096)
    usual = torch.cuda.current_stream()
    short, long = (race.seconds_of_replay(lambda m=m: m @ m) for m in (small, large))
    assert 0 < short < long < 1
    assert torch.cuda.current_stream() == usual


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
