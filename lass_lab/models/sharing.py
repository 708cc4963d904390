"""Estimates that add up: what they lack to the mixture, or have too much, is shared out among them and a residual.

Where the estimates are nearly all of the mixture, what is missing is their common error, and each gets an equal part of
it (mixture consistency, Wisdom et al., "Differentiable consistency constraints for improved deep speech enhancement",
2019). Where much is missing, something plays that nobody named: then each estimate becomes a share of the mixture, by
the ratio of the magnitudes (as Wiener's filter, without its square), in which the residual takes part. In between both
count, by how much of the energy is missing. docs/sharing.md has it measured, beside other ways.
"""

import numpy as np

from lass_lab.signal.spectral import istft, stft

N_FFT, HOP = 8192, 2048
ERROR_SHARE = 10 ** (-12 / 10)  # of the mixture's energy: where so much is missing, half of it is taken for error


def share_out(estimates: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Estimates `(queries, [channels,] samples)` of a mixture `([channels,] samples)`, corrected; float32, that shape.

    What they then lack to the mixture is the residual, which took its share. The ratio is one for all channels.
    """
    corrected, error_share = _share_error(estimates, mixture)
    lacking = mixture - estimates.sum(0)
    spectra = stft(np.concatenate((estimates, lacking[None], mixture[None])).astype(np.float32), N_FFT, HOP)
    magnitude = np.abs(spectra[:-1])
    if mixture.ndim > 1:
        magnitude = np.sqrt(np.square(magnitude).mean(1, keepdims=True))
    ratio = magnitude[:-1] / np.maximum(magnitude.sum(0), 1e-20)
    shares = istft(ratio * spectra[-1], mixture.shape[-1], HOP)
    return (corrected + (1 - error_share) * (shares - estimates)).astype(np.float32)


def share_error(estimates: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """The first half of `share_out` alone: nothing but the estimates' common error is shared out, in equal parts.

    Where much of the mixture is in none of them they stay as they are: naming what does not play costs nothing.
    """
    return _share_error(estimates, mixture)[0].astype(np.float32)


def _share_error(estimates: np.ndarray, mixture: np.ndarray) -> tuple[np.ndarray, float]:
    """The estimates with their part of the common error, and how much of what they lack was taken for that."""
    lacking = mixture - estimates.sum(0)
    missing = float(np.sum(np.square(lacking))) / max(float(np.sum(np.square(mixture))), 1e-20)
    error_share = 1 / (1 + (missing / ERROR_SHARE) ** 2)
    return estimates + error_share * lacking / len(estimates), error_share
