"""Where an estimate is wrong: by frequency band, by pitch, and by what its error is made of."""

from collections.abc import Mapping

import librosa
import numpy as np
import pandas as pd

from lass_lab.signal import SAMPLE_RATE, decibels

THIRDS = 1000 * 2.0 ** (np.arange(-7, 10) / 3)  # centres (Hz) of third-octave bands, and their usual names
NAMES = (200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000)
FRAME, WINDOW = 1600, 4096  # samples that have one pitch (50 ms), and from which it is found
QUIET = 1e-4  # of the loudest frame's energy: below it there is no pitch to find

Waveforms = Mapping[str, np.ndarray]


def sdr_by_band(target: np.ndarray, estimates: Waveforms) -> pd.DataFrame:
    """SDR (dB) of each estimate in each third-octave band.

    Energies are taken from the Fourier transform of the whole (Parseval), so the bands' energies add up to SDR's own.

    Args:
        target: `(samples,)`, 32 kHz.
        estimates: name -> `(samples,)`.

    Returns:
        A row a band, by the usual name of its centre in Hz; a column an estimate, and "share of the target", the band's
        share (0 to 1) of the target's energy in all bands.
    """
    frequencies = np.fft.rfftfreq(len(target), 1 / SAMPLE_RATE)
    band = np.digitize(frequencies, [*THIRDS * 2 ** (-1 / 6), THIRDS[-1] * 2 ** (1 / 6)]) - 1

    def energy(waveform: np.ndarray) -> np.ndarray:
        inside = (band >= 0) & (band < len(THIRDS))
        power = np.square(np.abs(np.fft.rfft(waveform.astype(np.float64))))
        return np.maximum(np.bincount(band[inside], power[inside], len(THIRDS)), 1e-20)

    wanted = energy(target)
    found = {name: 10 * np.log10(wanted / energy(each - target)) for name, each in estimates.items()}
    return pd.DataFrame(found | {"share of the target": wanted / wanted.sum()}, pd.Index(NAMES, name="band (Hz)"))


def sdr_by_register(target: np.ndarray, estimates: Waveforms) -> pd.DataFrame:
    """SDR (dB) of each estimate over the low, middle and high third of a source's sounding frames, by their pitch.

    The pitch is that of the true source alone, which plays one note at a time.

    Args:
        target: `(samples,)`, 32 kHz, one voice.
        estimates: name -> `(samples,)`.

    Returns:
        A row a register, named by its range in Hz; a column an estimate.
    """
    frames = len(target) // FRAME
    pitch = pitches(target)

    def energy(waveform: np.ndarray) -> np.ndarray:
        return np.square(waveform[: frames * FRAME].astype(np.float64)).reshape(frames, FRAME).sum(axis=1)

    wanted = energy(target)
    sounding = wanted > QUIET * wanted.max()
    ends = np.quantile(pitch[sounding], [0.01, 1 / 3, 2 / 3, 0.99])  # beyond the outer ones are a few wrong pitches
    register, rows = np.digitize(pitch, ends[1:-1], right=True), {}
    for place, name in enumerate(("low", "middle", "high")):
        inside, (low, high) = sounding & (register == place), ends[place : place + 2]
        scores = {key: _ratio(wanted[inside], energy(each - target)[inside]) for key, each in estimates.items()}
        rows[f"{name}: {low:.0f} to {high:.0f} Hz"] = scores
    return pd.DataFrame(rows).T


def pitches(waveform: np.ndarray) -> np.ndarray:
    """The pitch (Hz, 150 to 1600) of each whole `FRAME` of one voice `(samples,)`: YIN (Cheveigné & Kawahara, 2002)."""
    padded = np.pad(waveform.astype(np.float64), (WINDOW - FRAME) // 2)
    how = {"sr": SAMPLE_RATE, "frame_length": WINDOW, "hop_length": FRAME, "center": False}
    # At YIN's usual threshold of 0.1 a frame in fifty of our violin falls an octave.
    return librosa.yin(padded, fmin=150, fmax=1600, trough_threshold=0.3, **how)


def make_up(sources: Waveforms, estimates: Waveforms) -> pd.DataFrame:
    """How much of each source an estimate holds: the least-squares fit of all sources to it.

    Args:
        sources: name -> `(samples,)`.
        estimates: name -> `(samples,)`.

    Returns:
        A row an estimate; for each source the gain (1: all of it, 0: nothing), and "rest (dB)", the energy that no gain
        explains, against the estimate's.
    """
    known = np.stack(list(sources.values()), axis=1).astype(np.float64)
    rows = {}
    for name, estimate in estimates.items():
        gains = np.linalg.lstsq(known, estimate, rcond=None)[0]
        rest = estimate - known @ gains
        rows[name] = dict(zip(sources, gains, strict=True)) | {"rest (dB)": _ratio(rest**2, estimate**2)}
    return pd.DataFrame(rows).T


def _ratio(above: np.ndarray, below: np.ndarray) -> float:
    return decibels(max(float(np.sum(above)), 1e-20) / max(float(np.sum(below, dtype=np.float64)), 1e-20))
