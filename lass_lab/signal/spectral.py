"""Short-time Fourier transform with AudioSep's conventions, mel spectrograms and oracle masks.

Every function takes NumPy arrays or torch tensors and gives back the same kind; torch computes both, in
the precision it is given (half precision is computed in float32), and gradients flow through tensors.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.signal.files import InputError

Array = TypeVar("Array", np.ndarray, Tensor)


def _for_arrays_too(function: Callable) -> Callable:
    """A function of tensors that also takes NumPy arrays, and then gives back NumPy arrays."""

    def tensor(value):
        # torch refuses negative strides (a reversed view) and warns of read-only memory: copy those.
        return torch.from_numpy(np.require(value, requirements=["C", "W"])) if isinstance(value, np.ndarray) else value

    @wraps(function)
    def called(first, *others, **options):
        result = function(tensor(first), *map(tensor, others), **options)
        return result if isinstance(first, Tensor) else result.numpy()

    return called


@_for_arrays_too
def stft(waveform: Array, n_fft: int = 2048, hop: int = 320) -> Array:
    """Complex spectrogram: periodic Hann window, frames centred on multiples of `hop`, reflected edges.

    AudioSep's transform (Liu et al., "Separate Anything You Describe", 2023). A signal too short to be
    reflected once, `n_fft // 2` samples or fewer, is reflected back and forth, as `numpy.pad` does, so
    that every length of at least one sample can be transformed and inverted.

    Args:
        waveform: real `(..., samples)`, at least one sample.
        n_fft: window length in samples, even.
        hop: samples between frames, at most `n_fft // 3`. Near the end one window alone may cover a sample;
            this keeps it where that window is 0.25 or more, so that `istft` divides by nothing small.

    Returns:
        Complex `(..., frames, bins)`: `frames = 1 + samples // hop`, `bins = n_fft // 2 + 1`.

    Raises:
        InputError: an empty or complex waveform, or an impossible `n_fft` or `hop`.
    """
    _check_framing(n_fft, hop)
    if not waveform.is_floating_point():
        raise InputError(f"waveform: needs real floating-point numbers, has {waveform.dtype}")
    if waveform.ndim == 0 or waveform.numel() == 0:
        raise InputError(f"waveform: needs at least one sample, has shape {tuple(waveform.shape)}")
    flat = waveform.reshape(-1, waveform.shape[-1])
    flat = flat if flat.dtype in (torch.float32, torch.float64) else flat.float()
    window = torch.hann_window(n_fft, dtype=flat.dtype, device=flat.device)
    spectrum = torch.stft(_reflect(flat, n_fft // 2), n_fft, hop, window=window, center=False, return_complex=True)
    return spectrum.transpose(1, 2).reshape(*waveform.shape[:-1], -1, n_fft // 2 + 1)


@_for_arrays_too
def istft(spectrum: Array, length: int, hop: int = 320) -> Array:
    """Waveform of a complex spectrogram: the inverse of `stft`, to about 1e-7 in float32.

    Weighted overlap-add, the least-squares inverse of Griffin & Lim (1984): windowed frames are summed and
    divided by the sum of the squared windows.

    Of a complex `(..., frames, bins)` with `n_fft = 2 * (bins - 1)`, and the `hop` in samples that was given to `stft`,
    it makes a real `(..., length)`. Raises InputError for no complex spectrogram, or too few frames.
    """
    _check_complex(spectrum=spectrum)
    if spectrum.ndim < 2 or spectrum.numel() == 0:
        raise InputError(f"spectrum: needs shape (..., frames, bins), has {tuple(spectrum.shape)}")
    count, bins = spectrum.shape[-2:]
    n_fft = 2 * (bins - 1)
    _check_framing(n_fft, hop)
    if length < 1 or 1 + length // hop > count:
        raise InputError(f"spectrum: {count} frames at a hop of {hop} cannot give {length} samples")
    window = torch.hann_window(n_fft, dtype=spectrum.real.dtype, device=spectrum.device)
    flat = spectrum.reshape(-1, count, bins).transpose(1, 2)
    waveform = torch.istft(flat, n_fft, hop, window=window, center=True, length=length)
    return waveform.reshape(*spectrum.shape[:-2], length)


@_for_arrays_too
def mel_spectrogram(
    waveform: Array,
    n_mels: int = 64,
    n_fft: int = 2048,
    hop: int = 320,
    sample_rate: int = 32_000,
    min_hz: float = 50.0,
    max_hz: float | None = None,
) -> Array:
    """Power in mel bands (linear, not dB): triangular filters on `|stft|^2`, each of equal area.

    Slaney's mel scale and normalisation (Slaney, "Auditory Toolbox", 1998), the default of librosa and the
    front end of CLAP's audio tower.

    Of a real `(..., samples)` it makes a real `(..., frames, n_mels)`; `max_hz` None is half the sample rate. Raises
    InputError as `stft`, or for band edges that do not rise within 0 and half the sample rate.
    """
    top = sample_rate / 2 if max_hz is None else max_hz
    if n_mels < 1 or not 0 <= min_hz < top <= sample_rate / 2:
        raise InputError(f"mel bands: there are no {n_mels} from {min_hz:g} to {top:g} Hz at {sample_rate} Hz")
    power = _power(stft(waveform, n_fft, hop))
    return power @ _mel_filters(n_mels, n_fft, sample_rate, min_hz, top).to(power)


@_for_arrays_too
def ideal_ratio_mask(target: Array, *others: Array, exponent: float = 0.5) -> Array:
    """Oracle mask `(|S|^2 / (|S|^2 + sum_i |N_i|^2)) ** exponent`, in [0, 1].

    Wang & Chen, "Supervised Speech Separation Based on Deep Learning: An Overview" (2018), with their usual
    exponent 0.5; an exponent of 1 gives the Wiener-like mask. It knows the sources' magnitudes and nothing
    of their phases. Where all sources are silent the mask is 0.

    `target` is the complex (or magnitude) spectrogram `(..., frames, bins)` of the wanted source, `others` are those of
    all other sources; the mask is real and of the same shape. Raises InputError where shapes differ.
    """
    _check_same_shape(target, *others)
    return _divide(_power(target), sum(map(_power, others), _power(target))) ** exponent


@_for_arrays_too
def phase_sensitive_mask(target: Array, mixture: Array) -> Array:
    """Oracle mask `|S| / |Y| * cos(angle(S) - angle(Y))`, clipped to [0, 1].

    Erdogan et al., "Phase-Sensitive and Recognition-Boosted Speech Separation Using Deep Recurrent Neural
    Networks" (2015). Before clipping it is the real mask that minimises `|M Y - S|^2` in every bin: the best
    that a mask in [0, 1] on the mixture's magnitude can do bin by bin. AudioSep also turns the phase, so this
    is no bound on AudioSep. Where the mixture is silent the mask is 0.

    Both are complex spectrograms `(..., frames, bins)`; the mask is real and of the same shape. Raises InputError where
    one is not complex, or shapes differ.
    """
    _check_complex(target=target, mixture=mixture)
    _check_same_shape(target, mixture)
    in_phase = target.real * mixture.real + target.imag * mixture.imag
    return _divide(in_phase, _power(mixture)).clamp(0, 1)


@_for_arrays_too
def oracle_estimate(mixture: Array, target: Array, kind: str = "irm", n_fft: int = 2048, hop: int = 320) -> Array:
    """The estimate an oracle mask gives: a ceiling to read a separator's score against.

    The mask comes from the true target and is applied to the mixture's complex spectrogram. For "irm" the
    one other source is `mixture - target`.

    Mixture, true source and estimate are real `(..., samples)`; `kind` is "irm" (`ideal_ratio_mask`) or "psm"
    (`phase_sensitive_mask`). Raises InputError for another kind, or where shapes differ.
    """
    if kind not in ("irm", "psm"):
        raise InputError(f'kind: "irm" or "psm", not {kind!r}')
    _check_same_shape(mixture, target)
    mixed, wanted = stft(mixture, n_fft, hop), stft(target, n_fft, hop)
    mask = ideal_ratio_mask(wanted, mixed - wanted) if kind == "irm" else phase_sensitive_mask(wanted, mixed)
    return istft(mask * mixed, mixture.shape[-1], hop)


def _check_framing(n_fft: int, hop: int) -> None:
    if n_fft % 2 or not 1 <= hop <= n_fft // 3:
        raise InputError(f"STFT: n_fft must be even and hop from 1 to a third of it, not {n_fft}, {hop}")


def _check_complex(**spectra: Tensor) -> None:
    for name, spectrum in spectra.items():
        if not spectrum.is_complex():
            raise InputError(f"{name}: needs complex numbers (magnitude and phase), not {spectrum.dtype}")


def _check_same_shape(first: Tensor, *others: Tensor) -> None:
    for other in others:
        if first.shape != other.shape:
            raise InputError(f"shapes differ: {tuple(first.shape)} and {tuple(other.shape)}")


def _power(values: Tensor) -> Tensor:
    return values.real.square() + values.imag.square() if values.is_complex() else values.square()


def _divide(numerator: Tensor, denominator: Tensor) -> Tensor:
    silent = denominator == 0
    return torch.where(silent, 0.0, numerator / torch.where(silent, 1.0, denominator))


def _reflect(signal: Tensor, pad: int) -> Tensor:
    samples = signal.shape[-1]
    if samples > pad:
        return functional.pad(signal, (pad, pad), mode="reflect")
    period = max(2 * (samples - 1), 1)
    position = torch.arange(-pad, samples + pad, device=signal.device) % period
    return signal[:, torch.where(position < samples, position, period - position)]


@lru_cache(maxsize=8)
def _mel_filters(n_mels: int, n_fft: int, sample_rate: int, min_hz: float, max_hz: float) -> Tensor:
    from torchaudio.functional import melscale_fbanks

    with torch.inference_mode(False):  # a tensor made in that mode could never take part in training later
        return melscale_fbanks(n_fft // 2 + 1, min_hz, max_hz, n_mels, sample_rate, norm="slaney", mel_scale="slaney")
