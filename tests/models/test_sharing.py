"""Sharing out what estimates lack: sums, fixed points, and who takes part."""

import numpy as np
import pytest

from lass_lab.models.sharing import share_error, share_out

RNG = np.random.default_rng(0)
TIME = np.arange(64_000) / 32_000
LOW, HIGH, ELSE = (np.sin(2 * np.pi * hertz * TIME).astype(np.float32) for hertz in (300, 1500, 5000))


def energy(waveform):
    return float(np.sum(np.square(waveform, dtype=np.float64)))


@pytest.mark.parametrize("shape", [(2, 40_000), (3, 2, 9_000), (1, 1), (2, 6, 3)])
def test_what_adds_up_stays_as_it_is(shape):
    estimates = RNG.uniform(-1, 1, shape).astype(np.float32)
    np.testing.assert_allclose(share_out(estimates, estimates.sum(0)), estimates, atol=1e-6)


def test_a_small_error_goes_to_all_in_equal_parts():
    mixture = LOW + HIGH
    found = share_out(np.stack((0.95 * LOW, HIGH)), mixture)
    np.testing.assert_allclose(found.sum(0), mixture, atol=1e-3)
    np.testing.assert_allclose(found[1], HIGH + 0.025 * LOW, atol=2e-3)


def test_what_nobody_named_stays_with_the_residual():
    """As long as it is in other bins, where it is lacking alone, it is given to none."""
    mixture = LOW + HIGH + ELSE
    found = share_out(np.stack((LOW, HIGH)), mixture)
    for estimate, truth in zip(found, (LOW, HIGH), strict=True):
        assert energy(estimate - truth) < 2e-3 * energy(truth)
    assert energy(mixture - found.sum(0) - ELSE) < 4e-3 * energy(ELSE)


def test_against_what_does_not_play_nothing_changes():
    mixture = LOW + HIGH
    found = share_error(np.stack((0.98 * LOW, np.zeros_like(LOW))), mixture)
    np.testing.assert_allclose(found[0], 0.98 * LOW, atol=0.01)
    both = share_error(np.stack((0.95 * LOW, HIGH)), mixture)
    np.testing.assert_allclose(both[0], 0.975 * LOW, atol=2e-3)


def test_one_ratio_serves_all_channels():
    mixture = np.stack((LOW + HIGH + ELSE, 0.3 * (LOW + HIGH + ELSE)))
    found = share_out(np.stack((mixture - mixture * 0.5, np.stack((HIGH, 0.3 * HIGH)))), mixture)
    np.testing.assert_allclose(found[:, 1], 0.3 * found[:, 0], atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e-12, 1e6])
def test_any_level_gives_finite_numbers_and_scales(level):
    mixture, estimates = LOW + HIGH, np.stack((0.5 * LOW, HIGH))
    found = share_out((level * estimates).astype(np.float32), (level * mixture).astype(np.float32))
    assert np.isfinite(found).all()
    if level == 1e6:
        np.testing.assert_allclose(found / level, share_out(estimates, mixture), atol=1e-4)
