"""What notebook 01 listens to after its exercises, kept here so that no answer stands in the cell beside one."""

import numpy as np
import torch
from torchaudio.transforms import GriffinLim, InverseMelScale

from lass_lab.signal import SAMPLE_RATE, ideal_ratio_mask, istft, phase_sensitive_mask, stft


def swap_phases(first: np.ndarray, second: np.ndarray, n_fft: int = 2048, hop: int = 320) -> np.ndarray:
    """The first sound's magnitudes with the second's phases, as a waveform; all are `(samples,)`."""
    phase = np.exp(1j * np.angle(stft(second, n_fft, hop)))
    return istft(np.abs(stft(first, n_fft, hop)) * phase, len(first), hop)


def ideal_masks(mixture: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Four oracle masks of a target in a mixture, both complex `(frames, bins)`, from the strictest to the freest.

    Binary and ratio mask: Wang & Chen (2018); phase-sensitive: Erdogan et al. (2015). The complex one may turn the
    phase and, like the others, does not amplify.
    """
    turn = target / np.where(mixture == 0, 1, mixture)
    return {
        "binary mask": np.abs(target) > np.abs(mixture - target),
        "ratio mask": ideal_ratio_mask(target, mixture - target),
        "phase-sensitive mask": phase_sensitive_mask(target, mixture),
        "mask with phase": turn / np.maximum(np.abs(turn), 1),
    }


def griffin_lim(magnitude: np.ndarray, samples: int, hop: int = 320) -> np.ndarray:
    """A waveform `(samples,)` for magnitudes `(frames, bins)`, its phases guessed (Griffin & Lim, 1984)."""
    guess = GriffinLim(2 * magnitude.shape[1] - 2, hop_length=hop, power=1, length=samples)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # it begins with random phases
        return guess(torch.from_numpy(magnitude.T.copy())).numpy()


def sound_of_mel(power: np.ndarray, samples: int, n_fft: int = 2048, hop: int = 320, min_hz: float = 50) -> np.ndarray:
    """A waveform `(samples,)` for the power in mel bands `(frames, bands)` of `mel_spectrogram`.

    Of the many spectra with these band sums it takes the smallest, without what is negative, then guesses the phases.
    """
    bands, bins = power.shape[1], n_fft // 2 + 1
    inverse = InverseMelScale(bins, bands, SAMPLE_RATE, min_hz, SAMPLE_RATE / 2, norm="slaney", mel_scale="slaney")
    energy = inverse(torch.from_numpy(power.T.copy())).clamp_min(0)
    return griffin_lim(energy.sqrt().numpy().T, samples, hop)
