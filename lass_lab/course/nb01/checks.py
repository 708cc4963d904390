"""The checks of notebook 01: a window that resolves two tones, magnitude and phase, mel bands, a binary mask's gain."""

import math
from functools import partial

import numpy as np

from lass_lab.course.checks import Exercise, unseen
from lass_lab.course.nb01.lesson import swap_phases
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


check_swap = Exercise(
    reference=swap_phases,
    cases=_duets,
    atol=1e-3,
    mistakes={
        "the other way round: the first sound has the magnitudes.": lambda a, b: swap_phases(b, a),
        "the angle must go into an exponential, np.exp(1j * angle).": (
            lambda a, b: istft(np.abs(stft(a)) * 1j * np.angle(stft(b)), len(a))
        ),
        "magnitude and phase are multiplied, not added.": (
            lambda a, b: istft(np.abs(stft(a)) + 1j * np.angle(stft(b)), len(a))
        ),
        "the second keeps its own magnitudes.": lambda a, b: istft(np.abs(stft(a)) * stft(b), len(a)),
    },
)


def _edges(bands: int, low_hz: float, high_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges `(bands + 2,)` at equal steps of the mel scale (O'Shaughnessy, 1987): in mel, and in hertz."""
    mels = np.linspace(*(2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)), bands + 2)
    return mels, 700 * (10 ** (mels / 2595) - 1)


def _triangles(hertz: np.ndarray, edges: np.ndarray, lowest: float = 0) -> np.ndarray:
    """A row for every bin, a column for every band but the two outer edges."""
    rise, fall = np.diff(edges)[:-1], np.diff(edges)[1:]
    return np.maximum(lowest, np.minimum((hertz[:, None] - edges[:-2]) / rise, (edges[2:] - hertz[:, None]) / fall))


def _mel_filters(hertz: np.ndarray, *bands: float) -> np.ndarray:
    return _triangles(hertz, _edges(*bands)[1])


check_mel = Exercise(
    reference=_mel_filters,
    cases=lambda: [
        (np.linspace(0, SAMPLE_RATE / 2, bins), bands, low_hz, high_hz)
        for bins, bands, low_hz, high_hz in ((1025, 64, 50.0, 16e3), (513, 20, 0.0, 8e3), (257, 8, 300.0, 3400.0))
    ],
    mistakes={
        "its edges lie at equal steps in hertz; make the steps equal in mel, and turn the edges into hertz.": (
            lambda hertz, bands, low, high: _triangles(hertz, np.linspace(low, high, bands + 2))
        ),
        "its edges are still in mel, and the bins are in hertz: turn the edges back.": (
            lambda hertz, *bands: _triangles(hertz, _edges(*bands)[0])
        ),
        "outside its band a triangle goes on below zero; it should be 0 there.": (
            lambda hertz, *bands: _triangles(hertz, _edges(*bands)[1], lowest=-np.inf)
        ),
        "it is lying on its side: a row for every bin, a column for every band.": lambda *case: _mel_filters(*case).T,
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
        "compare magnitudes; of complex numbers, > sees the real parts.": partial(_gain, mask=lambda Y, S: S > Y - S),
        "this mask is soft; a binary one is 1 or 0.": partial(_gain, mask=lambda Y, S: ideal_ratio_mask(S, Y - S)),
    },
)
