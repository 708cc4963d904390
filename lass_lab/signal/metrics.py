"""How close an estimate is to the true source, by five measures; each says which definition it is.

All take one-dimensional waveforms `(samples,)`, NumPy arrays or tensors, and compute in float64. All raise
`InputError` where a waveform is not one-dimensional, is empty, holds NaN or infinite samples, or differs in
length from the others. All are finite for every valid input; each says what it is in silence.
"""

import math
from collections.abc import Iterator

import numpy as np

from lass_lab.signal.audio import checked_waveform, decibels
from lass_lab.signal.files import InputError

POWER_FLOOR = 1e-10  # AudioSep's, on mean power
SI_SDR_LIMIT = 100.0  # dB

_N_FFT, _HOP = 2048, 320
_BLOCK_FRAMES = 1000  # 10 s at 32 kHz


def sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-distortion ratio in dB: the plain energy ratio that AudioSep reports.

    `10 log10(max(mean(s^2), 1e-10) / max(mean((e - s)^2), 1e-10))` for reference s and estimate e
    (Liu et al., "Separate Anything You Describe", 2023). Every difference counts, gain and delay included:
    a gain g scores `-20 log10 |1 - g|`, silence scores 0 dB. The floors keep it finite: a perfect estimate of
    a source with mean power P scores `10 log10(P) + 100`, two silences score 0.

    It is not the SDR of BSS-eval (Vincent et al., 2006; museval, mir_eval), which forgives any 512-tap
    filter: one and the same estimate, late by one sample, scored 5.0 dB here and 44.8 dB there. It is the
    "SNR" of other texts. Never compare across definitions.

    All waveforms are `(samples,)`, of one length; raises InputError as the module says.
    """
    reference, estimate = _checked(reference=reference, estimate=estimate)
    signal = max(np.mean(reference**2), POWER_FLOOR)
    distortion = max(np.mean((estimate - reference) ** 2), POWER_FLOOR)
    return decibels(signal / distortion)


def sdr_improvement(reference: np.ndarray, estimate: np.ndarray, mixture: np.ndarray) -> float:
    """SDRi in dB: how much closer to the source the estimate is than the untouched mixture.

    `sdr(reference, estimate) - sdr(reference, mixture)`, as in AudioSep. The mixture as estimate scores 0.
    The second term belongs to the data alone, so `sdr - sdr_improvement` is the same for every separator.
    It is not the improvement of SI-SDR, nor of BSS-eval's SDR.

    All waveforms are `(samples,)`, of one length; raises InputError as the module says.
    """
    _checked(reference=reference, estimate=estimate, mixture=mixture)
    return sdr(reference, estimate) - sdr(reference, mixture)


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant SDR in dB: `sdr` after the best gain on the reference.

    `10 log10(|a s|^2 / |e - a s|^2)` with `a = <e, s> / <s, s>` (Le Roux et al., "SDR - Half-baked or Well
    Done?", 2019). Means are not removed first, unlike some toolkits' option of that. It forgives gain and
    nothing else; it is neither `sdr` nor BSS-eval's SI-SDR with filters.

    Limited to -100...100 dB, which float32 audio cannot pass anyway: a scaled copy of the reference scores
    100; an estimate orthogonal to the reference scores -100, and so do a silent estimate of a sounding
    reference and a sounding estimate of a silent one. Two silences score 0, as they do by `sdr`.

    All waveforms are `(samples,)`, of one length; raises InputError as the module says.
    """
    reference, estimate = _checked(reference=reference, estimate=estimate)
    if not reference.any() and not estimate.any():
        return 0.0
    energy = np.dot(reference, reference)
    target = np.dot(estimate, reference) / energy * reference if energy else np.zeros_like(reference)
    signal, distortion = np.sum(target**2), np.sum((estimate - target) ** 2)
    if not signal or not distortion:
        return SI_SDR_LIMIT if signal else -SI_SDR_LIMIT
    ratio = 10 * (math.log10(signal) - math.log10(distortion))
    return max(-SI_SDR_LIMIT, min(SI_SDR_LIMIT, ratio))


def spectral_correlation(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Pearson correlation between two magnitude spectrograms, over all frames and bins at once; -1...1.

    `sum((R - mean R) (E - mean E)) / sqrt(sum((R - mean R)^2) sum((E - mean E)^2))` with `R = |stft(s)|` and
    `E = |stft(e)|` (2048-sample Hann window, hop 320). It ignores gain and phase, and the loudest bins decide
    it. It is not a correlation of waveforms, nor of decibels, nor a mean over frames. The paper this course
    follows reports a correlation without saying of what; this is our reading. Where either waveform is
    silent there is nothing to correlate, and it is 0.

    All waveforms are `(samples,)`, of one length; raises InputError as the module says.
    """
    reference, estimate = _checked(reference=reference, estimate=estimate)
    if not reference.any() or not estimate.any():
        return 0.0
    # Levels cancel; at full scale no square underflows.
    reference, estimate = reference / np.abs(reference).max(), estimate / np.abs(estimate).max()
    count, sums, products = 0, np.zeros(2), np.zeros((2, 2))
    for blocks in _magnitude_blocks(reference, estimate):
        flat = np.stack([block.ravel() for block in blocks])
        count += flat.shape[1]
        sums += flat.sum(axis=1)
        products += flat @ flat.T
    covariance = products - np.outer(sums, sums) / count
    norm = math.sqrt(covariance[0, 0] * covariance[1, 1])
    return max(-1.0, min(1.0, covariance[0, 1] / norm)) if norm else 0.0


def spectral_mse(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean squared difference of two magnitude spectrograms, in units of the reference's largest magnitude.

    `mean((R - E)^2) / max(R)^2` with `R = |stft(s)|` and `E = |stft(e)|` (2048-sample Hann window, hop 320).
    Dividing by the largest magnitude frees the number from the recording's level: the same gain on both
    changes nothing. The paper this course follows does not state its scaling, so its numbers and these need
    not agree. It is not a waveform error, and ignores phase. Where the reference is silent the estimate's
    largest magnitude takes its place; two silences score 0.

    All waveforms are `(samples,)`, of one length; raises InputError as the module says.
    """
    reference, estimate = _checked(reference=reference, estimate=estimate)
    count, squares, peaks = 0, 0.0, np.zeros(2)
    for first, second in _magnitude_blocks(reference, estimate):
        count += first.size
        squares += float(np.sum((first - second) ** 2))
        peaks = np.maximum(peaks, [first.max(), second.max()])
    scale = peaks[0] or peaks[1] or 1.0
    return squares / count / scale**2


def _checked(**waveforms: np.ndarray) -> list[np.ndarray]:
    arrays = []
    for name, waveform in waveforms.items():
        if hasattr(waveform, "detach"):  # a tensor, perhaps on a GPU, in half precision, with a gradient
            waveform = waveform.detach().double().cpu()
        arrays.append(checked_waveform(np.require(waveform, dtype=np.float64, requirements=["C", "W"]), name))
        if len(arrays[-1]) != len(arrays[0]):
            raise InputError(f"{name}: has {len(arrays[-1])} samples where the reference has {len(arrays[0])}")
    return arrays


def _magnitude_blocks(*waveforms: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Magnitude spectrograms `(frames, bins)` of equally long waveforms, some frames at a time.

    Together they are the spectrograms of the whole: every block is transformed with enough of its
    surroundings that no frame sees a border which is not the recording's own. Memory stays flat.
    """
    import torch  # takes seconds; the other measures do without

    from lass_lab.signal.spectral import stft

    samples = len(waveforms[0])
    frames = 1 + samples // _HOP
    context = math.ceil(_N_FFT / 2 / _HOP)
    for first in range(0, frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, frames)
        start = max(0, first - context)
        stop = min((last + context) * _HOP, samples)
        parts = (torch.from_numpy(waveform[start * _HOP : stop]) for waveform in waveforms)
        yield [stft(part, _N_FFT, _HOP)[first - start : last - start].abs().numpy() for part in parts]
