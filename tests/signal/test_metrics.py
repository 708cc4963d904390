import math

import numpy as np
import pytest
import torch

from lass_lab.signal import InputError, sdr, sdr_improvement, si_sdr, spectral_correlation, spectral_mse, stft

METRICS = [sdr, si_sdr, spectral_correlation, spectral_mse]
SAMPLES = 32_000
TIME = np.arange(SAMPLES) / 32_000
SINE, COSINE = np.sin(2 * np.pi * 440 * TIME), np.cos(2 * np.pi * 440 * TIME)
NOISE = np.random.default_rng(0).normal(size=SAMPLES)
SILENCE = np.zeros(SAMPLES)


@pytest.mark.parametrize("gain", [0.1, 0.5, 0.999, 1.5, 2, -1])
def test_sdr_of_a_known_gain(gain):
    assert sdr(SINE, gain * SINE) == pytest.approx(-20 * math.log10(abs(1 - gain)), abs=1e-9)


def test_sdr_floors():
    assert sdr(SINE, SILENCE) == pytest.approx(0, abs=1e-12)
    assert sdr(SINE, SINE) == pytest.approx(10 * math.log10(0.5) + 100)
    assert sdr(SILENCE, SILENCE) == 0
    assert sdr(SILENCE, np.ones(SAMPLES)) == -100


def test_sdr_does_not_forgive_a_delay():
    # |1 - exp(-jw)|^2 = 4 sin^2(w/2): a pure tone, late by one sample.
    expected = -10 * math.log10(4 * math.sin(math.pi * 440 / 32_000) ** 2)
    assert sdr(SINE, np.roll(SINE, 1)) == pytest.approx(expected, abs=1e-6)


def test_sdr_improvement_counts_from_the_mixture():
    mixture = SINE + NOISE
    assert sdr_improvement(SINE, mixture, mixture) == 0
    assert sdr_improvement(SINE, SINE + 0.1 * NOISE, mixture) == pytest.approx(20, abs=1e-9)
    assert sdr_improvement(SINE, SINE + 10 * NOISE, mixture) == pytest.approx(-20, abs=1e-9)


@pytest.mark.parametrize("level", [0.01, 0.5, 3])
def test_si_sdr_of_orthogonal_noise(level):
    assert si_sdr(SINE, SINE + level * COSINE) == pytest.approx(-20 * math.log10(level), abs=1e-9)


@pytest.mark.parametrize("gain", [1e-6, 0.3, -5, 1e6])
def test_si_sdr_forgives_gain(gain):
    estimate = SINE + 0.2 * NOISE
    assert si_sdr(SINE, gain * estimate) == pytest.approx(si_sdr(SINE, estimate), abs=1e-9)
    assert si_sdr(gain * SINE, estimate) == pytest.approx(si_sdr(SINE, estimate), abs=1e-9)


def test_si_sdr_limits():
    assert si_sdr(SINE, 3 * SINE) == 100
    assert si_sdr(SINE, COSINE) == -100
    assert si_sdr(SINE, SILENCE) == -100
    assert si_sdr(SILENCE, SINE) == -100
    assert si_sdr(SILENCE, SILENCE) == 0


def test_spectral_correlation_is_pearson_of_the_whole_magnitude_spectrograms():
    # Longer than one block, so that the blocks' borders are compared too.
    reference = np.random.default_rng(1).normal(size=400_123)
    estimate = reference + np.random.default_rng(2).normal(size=reference.size)
    first, second = np.abs(stft(reference)), np.abs(stft(estimate))
    expected = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert spectral_correlation(reference, estimate) == pytest.approx(expected, abs=1e-12)
    expected = np.mean((first - second) ** 2) / first.max() ** 2
    assert spectral_mse(reference, estimate) == pytest.approx(expected, rel=1e-12)


def test_spectral_correlation_ignores_gain_and_sign_and_is_zero_in_silence():
    assert spectral_correlation(SINE, -0.1 * SINE) == pytest.approx(1, abs=1e-12)
    assert spectral_correlation(SINE, NOISE) < 0.1
    assert spectral_correlation(SINE, SILENCE) == 0
    assert spectral_correlation(SILENCE, SINE) == 0
    assert spectral_correlation(SILENCE, SILENCE) == 0


def test_spectral_mse_of_a_gain_and_of_silence():
    power = np.abs(stft(NOISE)) ** 2
    silent = power.mean() / power.max()
    assert spectral_mse(NOISE, SILENCE) == pytest.approx(silent)
    assert spectral_mse(NOISE, -1.5 * NOISE) == pytest.approx(silent / 4)
    assert spectral_mse(SILENCE, NOISE) == pytest.approx(silent)
    assert spectral_mse(NOISE, NOISE) == 0
    assert spectral_mse(1e-3 * NOISE, SILENCE) == pytest.approx(silent)  # whatever the recording's level
    assert spectral_mse(SILENCE, SILENCE) == 0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("length", [1, 2, 700])
def test_short_waveforms_give_finite_numbers(metric, length):
    assert math.isfinite(metric(NOISE[:length], SINE[:length]))


@pytest.mark.parametrize("metric", METRICS)
def test_tensors_and_single_precision_are_accepted(metric):
    reference, estimate = SINE.astype(np.float32), (SINE + 0.1 * NOISE).astype(np.float32)
    expected = metric(reference.astype(np.float64), estimate.astype(np.float64))
    got = metric(torch.from_numpy(reference), torch.from_numpy(estimate).requires_grad_())
    assert isinstance(got, float)
    assert got == metric(reference, estimate) == expected


@pytest.mark.parametrize("metric", METRICS)
def test_bad_input_is_named_in_one_line(metric):
    broken = SINE.copy()
    broken[7] = np.nan
    for reference, estimate, message in (
        (SINE, SINE[:-1], "estimate: has 31999 samples where the reference has 32000"),
        (SINE[:0], SINE[:0], "reference: needs a waveform of shape (samples,), was given (0,)"),
        (SINE, broken, "estimate: holds NaN or infinite samples"),
    ):
        with pytest.raises(InputError) as caught:
            metric(reference, estimate)
        assert str(caught.value) == message
