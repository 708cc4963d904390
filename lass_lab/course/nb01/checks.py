"""The checks of notebook 01: a window that resolves two tones, magnitude and phase, and what a binary mask brings."""

import math
from functools import partial

import numpy as np

from lass_lab.course.checks import Exercise, unseen
from lass_lab.signal import SAMPLE_RATE, ideal_ratio_mask, istft, sdr, sdr_improvement, stft

_APART_HZ = (9.0, 37.0, 140.0, 300.0)  # how far apart two tones are


def valley_db(apart_hz: float, n_fft: int) -> float:
    """How deep the valley between two equal tones is, in dB, in the mean of many windows' spectra; 0 for none."""
    seconds = max(1.0, 8 / apart_hz, 8 * n_fft / SAMPLE_RATE)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    low, middle, high = 1001.0 + apart_hz * np.array([0, 0.5, 1])
    tones = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    frames = np.lib.stride_tricks.sliding_window_view(tones, n_fft)[:: n_fft // 8] * np.hanning(n_fft + 1)[:-1]
    # At these three frequencies themselves: the nearest bins may lie to either side of them.
    levels = [np.mean(np.abs(frames @ np.exp(-2j * np.pi * hz * time[:n_fft])) ** 2) for hz in (low, middle, high)]
    return max(0.0, float(10 * np.log10(min(levels[0], levels[2]) / levels[1])))


def _window(apart_hz: float, bins: float = 2) -> int:
    return 2 ** math.ceil(math.log2(bins * SAMPLE_RATE / apart_hz))


check_window = Exercise(
    reference=_window,
    cases=lambda: [(apart,) for apart in _APART_HZ],
    praise=lambda given: (
        f"valleys of {min(map(valley_db, _APART_HZ, map(int, given))):.1f} dB or more separate the tones."
    ),
    mistakes={
        "with windows so short there is hardly a valley, and two tones look like one.": partial(_window, bins=1),
        "windows half as long resolve the tones, too, and blur time less.": partial(_window, bins=4),
        "is that in seconds? A window is counted in samples.": lambda apart: _window(apart) / SAMPLE_RATE,
        "that is no power of two: go on to the next higher one.": lambda apart: 2 * SAMPLE_RATE / apart,
        "that would do as a hop; the window itself is longer.": lambda apart: _window(apart) // 4,
    },
)


def _duets() -> list[tuple[np.ndarray, ...]]:
    """Violin and trumpet of places that are not in the notebook."""
    return [tuple(piece.sources.values()) for piece in (unseen(0, 40), unseen(1, 25), unseen(0, 95))]


def _swapped(first: np.ndarray, second: np.ndarray, power: int = 1, turn=lambda angle: np.exp(1j * angle)):
    return istft(np.abs(stft(first)) ** power * turn(np.angle(stft(second))), len(first))


check_swap = Exercise(
    reference=_swapped,
    cases=_duets,
    atol=1e-3,
    mistakes={
        "the other way round: the first sound has the magnitudes.": lambda a, b: _swapped(b, a),
        "its magnitudes are squared: that is power; np.abs gives the magnitude.": partial(_swapped, power=2),
        "the phase is missing: magnitudes alone.": partial(_swapped, turn=lambda angle: 1 + 0j),
        "the angle must go into an exponential, np.exp(1j * angle).": partial(_swapped, turn=lambda angle: angle + 0j),
        "the second keeps its own magnitudes.": lambda a, b: istft(np.abs(stft(a)) * stft(b), len(a)),
    },
)


def _gain(mixture: np.ndarray, target: np.ndarray, mask=lambda Y, S: np.abs(S) > np.abs(Y - S)) -> float:
    estimate = istft(mask(stft(mixture), stft(target)) * stft(mixture), len(mixture))
    return sdr_improvement(target, estimate, mixture)


check_gain = Exercise(
    reference=_gain,
    cases=lambda: [(target + other, target) for target, other in _duets()],
    praise=lambda gains: f"{', '.join(f'{gain:+.1f}' for gain in gains)} dB on three mixtures that you have not heard.",
    atol=0.05,
    mistakes={
        "this is the SDR, not its improvement.": lambda m, t: _gain(m, t) + sdr(t, m),
        "your mask keeps the other source.": partial(_gain, mask=lambda Y, S: np.abs(S) <= np.abs(Y - S)),
        "compare the target with the rest, not the mixture.": partial(_gain, mask=lambda Y, S: np.abs(S) > np.abs(Y)),
        "this mask is soft; a binary one is 1 or 0.": partial(_gain, mask=lambda Y, S: ideal_ratio_mask(S, Y - S)),
    },
)
