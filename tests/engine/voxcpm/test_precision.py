"""AudioVAE's precision: what was asked for, unless it is too rough or rounds more than AudioVAE."""

from __future__ import annotations

import pytest
import torch

from speech.engine.errors import EngineUnavailable
from speech.engine.voxcpm import precision
from speech.engine.voxcpm.precision import BOUND, choose_vae, measure_error, usual
from speech.engine.voxcpm.weights import load_model
from tests.engine.voxcpm.takes import make_runner

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def official(tiny_v2):
    return load_model(tiny_v2, "cpu").audio_vae


@pytest.fixture(autouse=True)
def switches():
    yield
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.inference_mode():
        yield


def decoded(vae):
    latent = torch.randn(1, vae.latent_dim, 4, generator=torch.manual_seed(3))
    return vae.decode(latent, torch.tensor([0]))


def test_the_error_is_that_of_the_precision(official):
    assert measure_error(official, "exact") == 0.0
    assert 1e-4 < measure_error(official, "bf16") < 0.5


def test_within_the_bound_it_is_as_asked_for(official, monkeypatch):
    monkeypatch.setattr(precision, "BOUND", 0.5)
    vae, notice = choose_vae(official, 1, "bf16", torch.bfloat16)
    exact, _ = choose_vae(official, 1, "exact", torch.bfloat16)
    assert notice == ""
    assert not torch.equal(decoded(vae), decoded(exact))


def test_beyond_the_bound_it_is_float32_and_says_so(official, monkeypatch, caplog):
    monkeypatch.setattr(precision, "BOUND", 1e-5)
    vae, notice = choose_vae(official, 1, "bf16", torch.bfloat16)
    exact, nothing = choose_vae(official, 1, "exact", torch.bfloat16)
    assert nothing == "" and torch.equal(decoded(vae), decoded(exact))
    assert "bf16" in notice and "1e-05" in notice and notice in caplog.text


def test_what_is_not_a_number_is_beyond_the_bound(official, monkeypatch):
    monkeypatch.setattr(precision, "measure_error", lambda *_: float("nan"))
    assert "nan" in choose_vae(official, 1, "bf16", torch.bfloat16)[1]
    assert BOUND < 0.1


def test_tf32_is_for_the_whole_process_and_so_not_beside_float32(official):
    _, notice = choose_vae(official, 1, "tf32", torch.float32)
    assert "language models" in notice
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
    assert choose_vae(official, 1, "tf32", torch.bfloat16)[1] == ""
    assert torch.backends.cuda.matmul.allow_tf32 and torch.backends.cudnn.allow_tf32
    choose_vae(official, 1, "exact", torch.bfloat16)
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32


def test_where_nobody_asks_a_gpu_rounds_beside_a_model_that_rounds_more(official):
    assert usual(torch.device("cuda"), torch.bfloat16) == "tf32"
    assert usual(torch.device("cuda"), torch.float32) == "exact"
    asked, notice = choose_vae(official, 1, "", torch.bfloat16)
    exact, _ = choose_vae(official, 1, "exact", torch.bfloat16)
    assert notice == "" and torch.equal(decoded(asked), decoded(exact))


def test_a_precision_that_there_is_not_is_named(official):
    with pytest.raises(EngineUnavailable, match="'half' is no precision"):
        choose_vae(official, 1, "half", torch.float32)


def test_a_runner_tells_of_it_while_its_model_is_loaded(tiny_v2):
    runner = make_runner(tiny_v2, slots=1, max_length=128, vae_precision="tf32")
    assert "AudioVAE runs in float32" in runner.notice
    runner.unload()
    assert runner.notice == ""
