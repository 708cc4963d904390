"""Curves, masks and mel spectrograms as pictures."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import cycle

import librosa
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP, COLOURS, SILENT_DB, draw_bins
from lass_lab.signal import SAMPLE_RATE, checked_waveform, mel_spectrogram

_LOWEST_HZ = 50.0  # of the mel bands
_TICKS_KHZ = (0.2, 0.5, 1, 2, 3, 4, 6, 8, 12, 16)
_FEW = 20  # points, and each is marked


def show_curves(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
) -> Axes:
    """Curves over one x, a colour and a kind of line each, named in a legend; few points are marked.

    Args:
        x: `(points,)`.
        curves: label to `(points,)`.
        xlabel, ylabel: what is drawn, with its unit.
        log_x: logarithmic x axis.
    """
    _, ax = plt.subplots(figsize=(7.5, 3), layout="constrained")
    marker = "o" if len(x) <= _FEW else ""
    for (label, curve), colour, line in zip(curves.items(), COLOURS, cycle(("-", "--", "-.", ":")), strict=False):
        ax.plot(x, curve, line, marker=marker, color=colour, label=label, linewidth=1.4)
    if log_x:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return ax


def show_mask(mask: np.ndarray, *, hop: int, title: str, max_khz: float = 4) -> Axes:
    """A mask over time and frequency, dark where it takes away and bright where it keeps.

    Args:
        mask: real, 0 to 1, `(frames, bins)`, from 0 Hz to 16 kHz.
        hop: samples between frames.
        max_khz: top of the frequency axis.
    """
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    bin_khz = SAMPLE_RATE / 2000 / (mask.shape[1] - 1)
    scale = {"cmap": COLOUR_MAP, "vmin": 0, "vmax": 1}
    image = draw_bins(ax, mask, hop / SAMPLE_RATE, bin_khz, max_khz=max_khz, title=title, **scale)
    ax.figure.colorbar(image, ax=ax, label="share kept (no unit)")
    shown = mask[:, : round(max_khz / bin_khz) + 1]
    kept, gone = 100 * np.mean(shown > 0.9), 100 * np.mean(shown < 0.1)
    put_into_words(ax, f"{title}: above 0.9 in {kept:.0f}% of the bins shown, below 0.1 in {gone:.0f}%")
    return ax


def show_mel_spectrogram(
    waveform: np.ndarray,
    ax: Axes | None = None,
    *,
    title: str = "",
    bands: int = 64,
    n_fft: int = 2048,
    hop: int = 320,
    max_khz: float = 8,
) -> Axes:
    """Mel spectrogram, 60 dB below its loudest point; its frequency axis has equal room for every band.

    Args:
        waveform: real `(samples,)`, 32 kHz.
        ax: where to draw; None for a figure of its own.
        bands: how many, from 50 Hz to `max_khz`. A band too narrow to hold a bin of this window stays dark.

    Raises:
        InputError: a waveform that is not one-dimensional, is empty, or holds NaN or infinite samples.
    """
    samples = checked_waveform(waveform, title or "waveform")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="At least one mel filterbank")  # said above
        power = mel_spectrogram(samples, bands, n_fft, hop, SAMPLE_RATE, _LOWEST_HZ, 1000 * max_khz)
    decibels = 10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10)))
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    top, step = decibels.max(), hop / SAMPLE_RATE
    scale = {"cmap": COLOUR_MAP, "vmin": -60, "vmax": 0}
    image = draw_bins(ax, decibels - top, step, 1, max_khz=bands, title=title, **scale)
    low, high = librosa.hz_to_mel([_LOWEST_HZ, 1000 * max_khz])
    ticks = [khz for khz in _TICKS_KHZ if khz <= max_khz]
    # Band i reaches from the centre of the one below it to that of the one above: the ends are at -1 and `bands`.
    places = (librosa.hz_to_mel(1000 * np.array(ticks)) - low) / (high - low) * (bands + 1) - 1
    ax.set_yticks(places, [f"{khz:g}" for khz in ticks])
    ax.set(ylabel="frequency (kHz, mel scale)", ylim=(-1, bands), facecolor=image.cmap(0))
    ax.figure.colorbar(image, ax=ax, label="level (dB below the loudest)")
    frame, band = np.unravel_index(decibels.argmax(), decibels.shape)
    centre = librosa.mel_frequencies(bands + 2, fmin=_LOWEST_HZ, fmax=1000 * max_khz)[band + 1]
    loudest = f"loudest at {frame * step:.1f} s near {centre:.0f} Hz" if top > SILENT_DB else "silent throughout"
    extent = f"{len(samples) / SAMPLE_RATE:.1f} s, {bands} bands from 0.05 to {max_khz:g} kHz"
    put_into_words(ax, f"Mel spectrogram of “{title}”, {extent}; {loudest}")
    return ax
