import warnings

import librosa
import numpy as np
import pytest
import torch

from lass_lab.signal import (
    InputError,
    ideal_ratio_mask,
    istft,
    mel_spectrogram,
    oracle_estimate,
    phase_sensitive_mask,
    stft,
)

LENGTHS = [1, 2, 319, 320, 1024, 1025, 2049, 31_999]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("hop", [320, 640])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_is_reconstructed(length, hop):
    waveform = noise(length)
    spectrum = stft(waveform, hop=hop)
    assert spectrum.shape == (1 + length // hop, 1025)
    assert spectrum.dtype == np.complex64
    rebuilt = istft(spectrum, length, hop)
    assert rebuilt.dtype == np.float32
    assert np.abs(rebuilt - waveform).max() < 1e-6


@pytest.mark.parametrize("length", LENGTHS)
def test_stft_agrees_with_librosa(length):
    waveform = noise(length)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's remark that the signal is short
        expected = librosa.stft(waveform, n_fft=2048, hop_length=320, pad_mode="reflect").T
    assert np.abs(stft(waveform) - expected).max() < 1e-5 * np.abs(expected).max()


def test_tensors_stay_tensors_with_their_batch_dimensions_and_gradients():
    waveform = torch.from_numpy(noise(2, 3, 4000)).requires_grad_()
    spectrum = stft(waveform)
    assert spectrum.shape == (2, 3, 13, 1025)
    assert torch.equal(spectrum[1, 2], stft(waveform[1, 2]))
    rebuilt = istft(spectrum, 4000)
    rebuilt.square().sum().backward()
    torch.testing.assert_close(waveform.grad, 2 * waveform.detach(), atol=1e-5, rtol=1e-5)


def test_what_was_first_used_for_inference_still_serves_training():
    with torch.inference_mode():
        mel_spectrogram(torch.ones(100), n_mels=7)
    waveform = torch.ones(100, requires_grad=True)
    mel_spectrogram(waveform, n_mels=7).sum().backward()
    assert waveform.grad.abs().sum() > 0


def test_reversed_and_read_only_views_are_accepted():
    waveform = noise(3000)[::-1]
    waveform.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.abs(istft(stft(waveform), 3000) - waveform).max() < 1e-6


def test_mel_spectrogram_agrees_with_librosa():
    waveform = noise(16_000)
    expected = librosa.feature.melspectrogram(
        y=waveform, sr=32_000, n_fft=2048, hop_length=320, n_mels=64, fmin=50, fmax=14_000, pad_mode="reflect"
    ).T
    got = mel_spectrogram(waveform, max_hz=14_000)
    assert got.shape == (51, 64)
    assert np.abs(got - expected).max() < 1e-5 * expected.max()


def test_masks_have_their_closed_forms():
    target, other = np.array([[3 + 0j, 0, 2, 0]]), np.array([[0 + 4j, 1, 0, 0]])
    np.testing.assert_allclose(ideal_ratio_mask(target, other), [[0.6, 0, 1, 0]])
    np.testing.assert_allclose(ideal_ratio_mask(target, other, other), [[3 / 41**0.5, 0, 1, 0]])
    np.testing.assert_allclose(ideal_ratio_mask(target, other, exponent=1), [[0.36, 0, 1, 0]])
    # 60 degrees apart, opposite, louder than the mixture, silent.
    target = np.array([[np.exp(1j * np.pi / 3), -1, 2, 1]])
    mixture = np.array([[2, 1, 1, 0]], dtype=complex)
    np.testing.assert_allclose(phase_sensitive_mask(target, mixture), [[0.25, 0, 1, 0]], atol=1e-15)


def test_bad_input_is_named_in_one_line():
    spectrum = stft(noise(3200))
    for call, message in (
        (lambda: stft(np.zeros(0, np.float32)), "waveform: needs at least one sample, has shape (0,)"),
        (lambda: stft(np.zeros(9, np.int16)), "waveform: needs real floating-point numbers, has torch.int16"),
        (lambda: stft(noise(9), hop=999), "STFT: n_fft must be even and hop from 1 to a third of it, not 2048, 999"),
        (lambda: istft(noise(9, 9), 9), "spectrum: needs complex numbers (magnitude and phase), not torch.float32"),
        (lambda: istft(spectrum, 9999), "spectrum: 11 frames at a hop of 320 cannot give 9999 samples"),
        (lambda: ideal_ratio_mask(spectrum, spectrum[1:]), "shapes differ: (11, 1025) and (10, 1025)"),
        (lambda: oracle_estimate(noise(9), noise(9), "ibm"), """kind: "irm" or "psm", not 'ibm'"""),
        (lambda: mel_spectrogram(noise(9), max_hz=2e4), "mel bands: there are no 64 from 50 to 20000 Hz at 32000 Hz"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == message
