"""Loss functions against closed forms."""

import pytest
import torch

from lass_lab.experiments.losses import FLOOR_DB, find_loss

MIXTURE = torch.randn(2, 1, 500, generator=torch.Generator().manual_seed(0))
LEVELS = torch.tensor([1.0, 0.01])[:, None, None]


def test_the_absolute_error_is_a_mean_over_all_samples():
    target = torch.zeros(2, 1, 500)
    assert float(find_loss("l1")(target + 0.25, target, MIXTURE)) == pytest.approx(0.25)


@pytest.mark.parametrize(("name", "half"), [("relative-l1", 0.5), ("decibels", -6.0)])
def test_a_quiet_mixture_counts_as_much_as_a_loud_one(name, half):
    """Half of a target that is the whole mixture: the same loss whether both are loud or one of them is quiet."""
    for mixture in (MIXTURE, MIXTURE * LEVELS):
        assert float(find_loss(name)(0.5 * mixture, mixture, mixture)) == pytest.approx(half, abs=0.02)


def test_decibels_are_those_of_the_error_and_end_at_the_floor():
    loss = find_loss("decibels")
    for db in (0.0, -10.0, -20.0):
        estimate = MIXTURE * (1 - 10 ** (db / 20))
        expected = 10 * torch.log10(torch.tensor(10 ** (db / 10) + 10 ** (FLOOR_DB / 10)))
        assert float(loss(estimate, MIXTURE, MIXTURE)) == pytest.approx(float(expected), abs=0.01)
    assert float(loss(MIXTURE, MIXTURE, MIXTURE)) == pytest.approx(FLOOR_DB, abs=0.01)
    silence = torch.zeros(2, 1, 500)
    assert float(loss(silence, silence, MIXTURE)) == pytest.approx(FLOOR_DB, abs=0.01)  # an absent instrument
    assert torch.isfinite(loss(silence, silence, silence))


def test_in_decibels_a_quiet_item_pulls_as_hard_as_a_loud_one():
    """Of two errors, one 40 dB under the other: by L1 the louder one alone decides."""
    pulls = {}
    for name in ("l1", "decibels"):
        gain = torch.tensor([0.5, 0.5], requires_grad=True)
        find_loss(name)(gain[:, None, None] * MIXTURE * LEVELS, MIXTURE * LEVELS, MIXTURE * LEVELS).backward()
        pulls[name] = float(gain.grad[0] / gain.grad[1])
    assert pulls["decibels"] == pytest.approx(1.0, abs=0.01) and pulls["l1"] > 50
