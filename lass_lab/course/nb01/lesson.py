"""What notebook 01 listens to after its exercises, kept here so that no answer stands in the cell beside one."""

import numpy as np

from lass_lab.signal import ideal_ratio_mask, istft, phase_sensitive_mask, stft


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
