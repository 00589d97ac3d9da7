"""The streaming AudioVAE makes the official one's samples, from each stream's new latents alone."""

from __future__ import annotations

import pytest
import torch

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm.official import import_voxcpm
from speech.engine.voxcpm.vae import ENCODED_AT_ONCE, StreamingVAE
from speech.engine.voxcpm.weights import load_model
from tests.engine.voxcpm.stock import quiet

pytestmark = pytest.mark.slow

CLOSE = 2e-6  # of samples up to 0.2: what float32 leaves of thirty layers in another order
KINDS = ["tiny_v1", "tiny_v1_5", "tiny_v2"]
PATCH = {"tiny_v1": 2, "tiny_v1_5": 4, "tiny_v2": 4}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    """The official AudioVAE of a tiny model, and the frames of its patch."""
    model = load_model(request.getfixturevalue(request.param), "cpu")
    return model.audio_vae, PATCH[request.param]


def latents(vae, rows, frames, seed=0):
    return torch.randn(rows, vae.latent_dim, frames, generator=torch.manual_seed(seed))


def official(vae, z):
    with torch.inference_mode():
        return vae.decode(z)[:, 0]


def rows(*numbers):
    return torch.tensor(numbers)


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_patch_by_patch_is_the_whole_at_once(kind, slots):
    vae, patch = kind
    streaming, z = StreamingVAE(vae, slots), latents(vae, slots, 8 * patch)
    pieces = [streaming.decode(piece, torch.arange(slots)) for piece in z.split(patch, 2)]
    expected = official(vae, z)
    assert pieces[0].shape == (slots, patch * streaming.hop_out)
    assert (torch.cat(pieces, 1) - expected).abs().max() < CLOSE
    assert expected.abs().max() > 0.02


def test_streams_that_come_and_go_do_not_hear_each_other(kind):
    """Two streams in rows of their own, at different places; the scratch row fills up a batch."""
    vae, patch = kind
    streaming = StreamingVAE(vae, slots=2)
    first, second = latents(vae, 2, 7 * patch)
    expected = official(vae, torch.stack([first, second]))
    spoken = {0: [], 1: []}

    def step(*turns):
        numbers = [row for row, _ in turns] + [streaming.scratch_row] * (3 - len(turns))
        pieces = [z[:, at * patch : (at + 1) * patch] for row, at in turns for z in (sources[row],)]
        batch = torch.stack(pieces + [torch.full_like(pieces[0], 9.0)] * (3 - len(turns)))
        for samples, (row, _) in zip(streaming.decode(batch, rows(*numbers)), turns, strict=False):
            spoken[row].append(samples)

    sources = [first, second]
    step((1, 0))
    step((0, 0), (1, 1))
    step((1, 2), (0, 1))
    for at in range(3, 7):
        step((0, at - 1), (1, at))
    step((0, 6))
    for row in (0, 1):
        assert (torch.cat(spoken[row]) - expected[row]).abs().max() < CLOSE


def test_a_row_that_is_reset_forgets(kind):
    vae, patch = kind
    streaming, z = StreamingVAE(vae, slots=2), latents(vae, 2, patch)
    streaming.decode(latents(vae, 2, patch, seed=1), rows(0, 1))
    streaming.reset(1)
    samples, expected = streaming.decode(z, rows(0, 1)), official(vae, z)
    assert (samples[1] - expected[1]).abs().max() < CLOSE
    assert (samples[0] - expected[0]).abs().max() > 1e-3


def test_a_primed_stream_goes_on_after_its_prompt(kind):
    vae, patch = kind
    streaming, z = StreamingVAE(vae, slots=3), latents(vae, 1, 5 * patch)
    prompt, new = z[:, :, : 3 * patch], z[:, :, 3 * patch :]
    before = streaming.state.clone()
    state = streaming.prime(prompt[0])
    assert torch.equal(streaming.state, before) and state.nbytes == before[0].nbytes > 0
    for row in (2, 0):
        streaming.restore(row, state)
        samples = [streaming.decode(piece, rows(row)) for piece in new.split(patch, 2)]
        expected = official(vae, z)[:, 3 * patch * streaming.hop_out :]
        assert (torch.cat(samples, 1) - expected).abs().max() < CLOSE


def test_a_stream_may_be_decoded_in_pieces_of_any_length(kind):
    vae, _ = kind
    streaming, z = StreamingVAE(vae, slots=1), latents(vae, 1, 12)
    pieces = [streaming.decode(piece, rows(0)) for piece in z.split([1, 5, 2, 4], 2)]
    assert (torch.cat(pieces, 1) - official(vae, z)).abs().max() < CLOSE


@pytest.mark.parametrize("frames", [1.0, 3.3, 70.5])
def test_a_prompt_is_heard_as_the_official_package_hears_it(kind, frames):
    """The longest is heard in more than one piece."""
    vae, _ = kind
    assert 3.3 < ENCODED_AT_ONCE["cpu"] < 70.5
    samples = 0.1 * torch.randn(int(frames * vae.chunk_size), generator=torch.manual_seed(0))
    with torch.inference_mode():
        expected = vae.encode(samples[None], vae.sample_rate)[0]
    heard = StreamingVAE(vae, slots=1).encode(samples)
    assert heard.shape == expected.shape
    assert (heard - expected).abs().max() < 3e-5 < 0.5 < expected.abs().max()


def test_the_official_module_stays_as_it_is(kind):
    vae, patch = kind
    before, z = (
        {name: value.clone() for name, value in vae.state_dict().items()},
        latents(vae, 1, patch),
    )
    expected = official(vae, z)
    streaming = StreamingVAE(vae, slots=1)
    streaming.decode(z, rows(0))
    assert torch.equal(official(vae, z), expected)
    assert all(torch.equal(before[name], value) for name, value in vae.state_dict().items())


def test_a_step_keeps_its_memory_and_is_one_graph(tiny_v2):
    """As CUDA graphs and compilers need it: the same addresses, no branch and no wait on data."""
    vae, patch = load_model(tiny_v2, "cpu").audio_vae, PATCH["tiny_v2"]
    streaming, z = StreamingVAE(vae, slots=3), latents(vae, 2, patch)
    graphs = []

    def backend(module, inputs):
        graphs.append(module)
        return module.forward

    address = streaming.state.data_ptr()
    compiled = torch.compile(streaming.decode, backend=backend, fullgraph=True)
    with torch.compiler.set_stance("default"):  # a model that gave fusing up leaves another
        samples = compiled(z, rows(2, 0))
    assert (samples - official(vae, z)).abs().max() < CLOSE
    assert streaming.state.data_ptr() == address and len(graphs) == 1


def test_half_precision_is_near(kind):
    """The bound is of random weights, which are rougher than trained ones."""
    vae, patch = kind
    z = latents(vae, 2, 4 * patch)
    expected = official(vae, z)
    error = StreamingVAE(vae, slots=2, precision="bf16").decode(z, rows(0, 1)) - expected
    assert 0 < error.pow(2).mean().sqrt() < 0.05 * expected.pow(2).mean().sqrt()


def second_vae(**changes):
    import_voxcpm()
    from voxcpm.modules.audiovae import AudioVAEConfigV2, AudioVAEV2

    sizes = {"encoder_dim": 4, "decoder_dim": 64, "decoder_rates": [2, 3], "encoder_rates": [2, 3]}
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(0)
        return AudioVAEV2(AudioVAEConfigV2(**sizes, **changes)).eval()


@pytest.mark.parametrize(
    "changes",
    [
        {"depthwise": False},
        {"sr_bin_boundaries": None},
        {"cond_type": "scale_bias_init"},
        {"cond_type": "add"},
    ],
)
def test_other_settings_of_the_second_vae_are_followed(changes):
    vae = second_vae(**changes)
    streaming, z = StreamingVAE(vae, slots=1), latents(vae, 1, 8)
    samples = torch.cat([streaming.decode(piece, rows(0)) for piece in z.split(2, 2)], 1)
    assert (samples - official(vae, z)).abs().max() < CLOSE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use_noise_block": True}, "noise of its own"),
        ({"cond_type": "concat", "cond_out_layer": True}, "told its rate"),
    ],
)
def test_what_cannot_be_followed_is_refused(changes, reason):
    with pytest.raises(EngineUnavailable, match=reason):
        StreamingVAE(second_vae(**changes), slots=1)
