"""The solver takes the official package's steps, each row on its own schedule."""

from __future__ import annotations

import pytest
import torch

from speech.engine.voxcpm.official import import_voxcpm
from speech.engine.voxcpm.solver import evaluations, schedule, solve

FEATURES, PATCH = 6, 2


class Estimator(torch.nn.Module):
    """Not a network, but as sensitive to each of its inputs."""

    def forward(self, x, mu, t, cond, dt):
        return torch.tanh(x + mu.mean(dim=1)[:, None, None]) * (1 + t[:, None, None]) + cond


@pytest.fixture(scope="module")
def official():
    import_voxcpm()
    from voxcpm.modules.locdit import CfmConfig, UnifiedCFM

    return UnifiedCFM(FEATURES, CfmConfig(), Estimator())


@pytest.mark.parametrize("timesteps", [1, 2, 3, 10, 49, 50, 100])
@pytest.mark.parametrize("cfg", [1.0, 2.0])
def test_it_goes_where_the_package_goes(official, timesteps, cfg):
    mu, cond = torch.randn(1, 8), torch.randn(1, FEATURES, PATCH)
    torch.manual_seed(3)
    expected = official(
        mu=mu, n_timesteps=timesteps, patch_size=PATCH, cond=cond, cfg_value=cfg
    ).transpose(1, 2)
    torch.manual_seed(3)
    noise = torch.randn(1, FEATURES, PATCH).transpose(1, 2)
    times, sizes = schedule(timesteps, torch.float32, "cpu")

    def field(index, patch):
        def at(condition):
            velocity = Estimator()(
                patch.transpose(1, 2), condition, times[index : index + 1], cond, None
            )
            return velocity.transpose(1, 2)

        return torch.cat((at(mu), at(torch.zeros_like(mu))))

    count = evaluations(timesteps)
    assert len(times) == len(sizes) == count
    guidance = torch.arange(1), torch.tensor(cfg).view(1, 1, 1)
    got = solve(noise, field, sizes.unsqueeze(0), guidance, count)
    assert torch.allclose(got, expected, atol=1e-6)


def test_a_row_with_a_shorter_schedule_stands_still_at_its_end():
    _, short = schedule(3, torch.float32, "cpu")
    _, long = schedule(6, torch.float32, "cpu")
    sizes = torch.zeros(2, len(long))
    sizes[0, : len(short)], sizes[1] = short, long
    noise = torch.randn(1, PATCH, FEATURES).expand(2, -1, -1)
    nobody = torch.zeros(0, dtype=torch.long), torch.zeros(0, 1, 1)
    both = solve(noise, lambda _, patch: patch.sin(), sizes, nobody, len(long))
    alone = solve(noise[:1], lambda _, patch: patch.sin(), short.unsqueeze(0), nobody, len(short))
    assert torch.equal(both[:1], alone) and not torch.equal(both[1:], alone)
