"""The checks of notebook 01: a window that parts two tones, magnitude and phase, and what a binary mask brings."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from lass_lab.course.checks import Wrong, ask, number, self_check, tell_mistake, waveform
from lass_lab.signal import (
    SAMPLE_RATE,
    ideal_ratio_mask,
    istft,
    oracle_estimate,
    sdr,
    sdr_improvement,
    si_sdr,
    stft,
)

_APART_HZ = (9.0, 37.0, 140.0, 300.0)
_UNSEEN = ((0, 40.0), (1, 25.0), (0, 95.0))  # training piece, seconds: none is in the notebook
_UNSEEN_S = 2.0


@self_check
def check_window(window_for) -> str:
    """Notebook 01: the shortest power of two whose bins are at most half of `apart_hz` wide."""
    given = {apart: number(ask(window_for, apart), "a window in samples") for apart in _APART_HZ}
    if len(set(given.values())) == 1:
        raise Wrong(f"it gives {given[9.0]:g} for every distance; the closer the tones, the longer the window must be.")
    for apart, window in given.items():
        exact = 2 * SAMPLE_RATE / apart
        right = 2 ** math.ceil(math.log2(exact))
        if window == right:
            continue
        told = f"for tones {apart:g} Hz apart it gives {window:g}"
        if 0 < window < 4:
            raise Wrong(f"{told}: is that in seconds? A window is counted in samples, {SAMPLE_RATE:,} a second.")
        if window in (right / 4, right / 8, right / 16):
            raise Wrong(f"{told}, which would do as a hop; the window is what sees both tones, and it is longer.")
        if window < 4 or window % 1 or math.log2(window) % 1:
            close = math.isclose(window, exact, rel_tol=0.01)
            advice = "go on to the next higher one" if close else "the bins are sample rate / window Hz wide"
            raise Wrong(f"{told}, and that is no power of two: {advice}.")
        if window < right:
            dip = valley_db(apart, int(window))
            raise Wrong(f"{told}; there the valley between the two is {dip:.1f} dB deep, and they look like one.")
        raise Wrong(f"{told}; it parts them, but a shorter one does so too, and blurs time less.")
    shallowest = min(valley_db(apart, int(window)) for apart, window in given.items())
    return f"the valley between the two tones is {shallowest:.1f} dB deep or more at each of {len(given)} distances."


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


@self_check
def check_swap(swap) -> str:
    """Notebook 01: a waveform with the first sound's magnitudes and the second's phases."""
    for first, second in _unseen():
        ours = _swapped(first, second)
        given = waveform(ask(swap, first, second), len(first))

        def is_like(other, given=given) -> bool:
            return np.sum((given - other) ** 2) < 1e-4 * np.sum(np.square(other))

        if is_like(ours):
            continue
        A, B = stft(first), stft(second)
        samples = len(first)
        tell_mistake(
            is_like,
            {
                "it is the other way round: magnitudes come from the first sound, phases from the second.": (
                    lambda first=first, second=second: _swapped(second, first)
                ),
                "it gives the first sound back as it was.": lambda first=first: first,
                "it gives the second sound back as it was.": lambda second=second: second,
                "its magnitudes are squared: that is power; np.abs gives the magnitude.": (
                    lambda A=A, B=B, n=samples: istft(np.abs(A) ** 2 * np.exp(1j * np.angle(B)), n)
                ),
                "the phase is missing: magnitudes alone, as if every phase were zero.": (
                    lambda A=A, n=samples: istft(np.abs(A) + 0j, n)
                ),
                "the phase is turned backwards: exp(+1j * angle), not minus.": (
                    lambda A=A, B=B, n=samples: istft(np.abs(A) * np.exp(-1j * np.angle(B)), n)
                ),
                "the angle must go into an exponential, np.exp(1j * angle); as a plain factor it is only a number.": (
                    lambda A=A, B=B, n=samples: istft(np.abs(A) * np.angle(B) + 0j, n)
                ),
                "the second spectrogram keeps its own magnitudes; divide them out, or take only its angle.": (
                    lambda A=A, B=B, n=samples: istft(np.abs(A) * B, n)
                ),
                "stft and istft have different hops, so that the sound is stretched.": (
                    lambda A=A, B=B, n=samples: istft(np.abs(A) * np.exp(1j * np.angle(B)), n, 640)
                ),
            },
        )
        far = 10 * np.log10(np.sum((given - ours) ** 2) / np.sum(ours**2))
        raise Wrong(f"its error is {far:+.0f} dB against the right waveform (window 2048, hop 320, as stft's own).")
    return "magnitudes of one, phases of the other, on three pairs of sounds that you have not heard."


@self_check
def check_gain(binary_gain) -> str:
    """Notebook 01: the SDR improvement that the ideal binary mask brings, in dB."""
    given, ours = [], []
    for target, other in _unseen():
        mixture = target + other
        given.append(number(ask(binary_gain, mixture, target), "an improvement in dB"))
        ours.append(_gain(mixture, target))

    def is_like(others) -> bool:
        return np.allclose(given, others, atol=0.05)

    def each(score: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[], list[float]]:
        return lambda: [score(target + other, target) for target, other in _unseen()]

    if is_like(ours):
        listed = ", ".join(f"{value:+.1f}" for value in given)
        return f"{listed} dB on three mixtures that you have not heard."
    tell_mistake(
        is_like,
        {
            "this is the SDR, not its improvement: the mixture's own SDR has to come off.": each(
                lambda mixture, target: sdr(target, _masked(mixture, target))
            ),
            "this is SI-SDR, which forgives a wrong volume; sdr_improvement does not.": each(
                lambda mixture, target: si_sdr(target, _masked(mixture, target))
            ),
            "this is the mixture's own SDR: nothing is separated yet.": each(lambda m, target: sdr(target, m)),
            "it comes to 0 dB everywhere: the mask never gets into the estimate.": each(lambda m, target: 0.0),
            "estimate and target have changed places: sdr_improvement takes the target first.": each(
                lambda mixture, target: sdr_improvement(_masked(mixture, target), target, mixture)
            ),
            "your mask keeps the other source: 1 is for bins where the target is the louder one.": each(
                lambda mixture, target: sdr_improvement(target, mixture - _masked(mixture, target), mixture)
            ),
            "your mask is applied to the magnitude alone: the mixture's phase has got lost.": each(
                lambda mixture, target: sdr_improvement(target, _phaseless(mixture, target), mixture)
            ),
            "your mask compares the target with the mixture; compare it with the rest, stft(mixture) - stft(target).": (
                each(lambda m, t: _gain(m, t, lambda Y, S: np.abs(S) > np.abs(Y)))
            ),
            "your mask compares real parts, which swing through zero; np.abs gives the magnitudes.": each(
                lambda m, t: _gain(m, t, lambda Y, S: S.real > (Y - S).real)
            ),
            "this mask is soft (the ideal ratio mask); a binary one is 1 or 0.": each(
                lambda m, t: _gain(m, t, lambda Y, S: ideal_ratio_mask(S, Y - S))
            ),
            "this mask is soft (shares of power); a binary one is 1 or 0.": each(
                lambda m, t: _gain(m, t, lambda Y, S: ideal_ratio_mask(S, Y - S, exponent=1.0))
            ),
            "this mask is soft (the phase-sensitive one); a binary one is 1 or 0.": each(
                lambda m, t: sdr_improvement(t, oracle_estimate(m, t, "psm"), m)
            ),
        },
    )
    told = f"on a mixture that you have not heard it gives {given[0]:.1f} dB where the binary mask brings {ours[0]:.1f}"
    raise Wrong(f"{told} (window 2048, hop 320, as stft's own).")


def _gain(mixture: np.ndarray, target: np.ndarray, mask: Callable | None = None) -> float:
    return sdr_improvement(target, _masked(mixture, target, mask), mixture)


def _masked(mixture: np.ndarray, target: np.ndarray, mask: Callable | None = None) -> np.ndarray:
    spectrum, wanted = stft(mixture), stft(target)
    mask = mask or (lambda Y, S: np.abs(S) > np.abs(Y - S))
    return istft(mask(spectrum, wanted) * spectrum, len(mixture))


def _phaseless(mixture: np.ndarray, target: np.ndarray) -> np.ndarray:
    spectrum, wanted = stft(mixture), stft(target)
    return istft((np.abs(wanted) > np.abs(spectrum - wanted)) * np.abs(spectrum) + 0j, len(mixture))


def _swapped(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return istft(np.abs(stft(first)) * np.exp(1j * np.angle(stft(second))), len(first))


@cache
def _unseen() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Two sources, some seconds of each, from places that no exercise uses."""
    from lass_lab.datasets import list_pieces, load_piece

    names = list_pieces("train")
    slices = [load_piece(names[index]).slice(start, _UNSEEN_S) for index, start in _UNSEEN]
    return tuple(tuple(piece.sources.values()) for piece in slices)
