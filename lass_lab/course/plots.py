"""Pictures of sounds and of results.

Every plot takes `ax=None` (None: a new figure) and gives the axes back; every axis has its unit; colours are
safe for colour-blind readers (cividis; Okabe & Ito's palette). `describe` and `figure_html`, from
`lass_lab.course.figures`, put any of them into words and into a page.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from lass_lab.course.figures import describe, figure_html, put_into_words
from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform, stft

__all__ = [
    "compare_spectrograms",
    "describe",
    "figure_html",
    "show_metric_bars",
    "show_spectrogram",
    "show_waveforms",
]

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
COLOUR_MAP = "cividis"
METRIC_LABELS = {
    "sdr": "SDR (dB)",
    "sdri": "SDRi (dB)",
    "sdr_improvement": "SDRi (dB)",
    "si_sdr": "SI-SDR (dB)",
    "si-sdr": "SI-SDR (dB)",
    "spectral_correlation": "spectral correlation",
    "correlation": "spectral correlation",
    "spectral_mse": "spectral MSE",
    "mse": "spectral MSE",
}

_MAX_COLUMNS = 1600  # more than a notebook has pixels for
_LOWEST_KHZ = 0.05  # where a logarithmic frequency axis starts
_SILENT_DB = -200.0  # what a level of zero is drawn as


def show_spectrogram(
    waveform: np.ndarray,
    ax: Axes | None = None,
    *,
    title: str = "",
    hop: int = 320,
    n_fft: int = 2048,
    db_range: float = 80,
    max_khz: float = 12,
    reference_db: float | None = None,
    log_frequency: bool = False,
    colour_bar: bool = True,
    sample_rate: int = SAMPLE_RATE,
) -> Axes:
    """Magnitude spectrogram in dB; a full-scale sine is at 0 dBFS.

    Long recordings are drawn with the loudest of neighbouring frames in each column, so that no note is lost.

    Args:
        waveform: real `(samples,)`.
        reference_db: level in dBFS of the brightest colour; None for the loudest point. Plots given the same
            one can be compared by colour.
        db_range: how many dB below that the darkest colour lies.
        max_khz: top of the frequency axis.
        log_frequency: logarithmic frequency axis, from 50 Hz.
        colour_bar: leave it out where several plots share one.

    Raises:
        InputError: a waveform that is not one-dimensional, is empty, or holds NaN or infinite samples.
    """
    ax = ax or _new_axes()
    levels = _levels(waveform, title, n_fft, hop, sample_rate, max_khz)
    image = _draw_spectrogram(ax, levels, title, db_range, reference_db, log_frequency)
    if colour_bar:
        ax.figure.colorbar(image, ax=ax, label="level (dBFS)")
    return ax


def compare_spectrograms(
    waveforms: Mapping[str, np.ndarray],
    *,
    hop: int = 320,
    n_fft: int = 2048,
    db_range: float = 80,
    max_khz: float = 12,
    reference_db: float | None = None,
    log_frequency: bool = False,
    sample_rate: int = SAMPLE_RATE,
) -> Figure:
    """Spectrograms side by side on one colour scale, whose top is the loudest point of all of them.

    Args:
        waveforms: title to real `(samples,)`: mixture, target and estimate, for instance. The rest is as in
            `show_spectrogram`.

    Raises:
        InputError: no waveforms, or as `show_spectrogram`.
    """
    if not waveforms:
        raise InputError("compare_spectrograms: no waveforms were given")
    panels = {
        title: _levels(waveform, title, n_fft, hop, sample_rate, max_khz) for title, waveform in waveforms.items()
    }
    if reference_db is None:
        reference_db = max(panel.decibels.max() for panel in panels.values())
    figure, axes = plt.subplots(
        1, len(panels), figsize=(1 + 3.4 * len(panels), 3.2), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (title, panel) in zip(axes[0], panels.items(), strict=True):
        image = _draw_spectrogram(ax, panel, title, db_range, reference_db, log_frequency)
        ax.label_outer()
    figure.colorbar(image, ax=axes[0].tolist(), label="level (dBFS)", pad=0.01)
    return figure


def show_waveforms(
    waveforms: Mapping[str, np.ndarray], ax: Axes | None = None, *, sample_rate: int = SAMPLE_RATE
) -> Axes:
    """Waveforms above one another, each in a lane of its own, all at one scale.

    The scale is the largest peak among them and stands at the axis. Long recordings are drawn as the range
    between the lowest and the highest sample of each column.

    Args:
        waveforms: label to real `(samples,)`.

    Raises:
        InputError: no waveforms, or one that is not one-dimensional, is empty, or not finite.
    """
    if not waveforms:
        raise InputError("show_waveforms: no waveforms were given")
    waveforms = {label: checked_waveform(waveform, label) for label, waveform in waveforms.items()}
    ax = ax or _new_axes(height=0.6 + 1.0 * len(waveforms))
    peaks = {label: float(np.abs(waveform).max()) for label, waveform in waveforms.items()}
    scale = max(peaks.values()) or 1.0
    lanes = range(len(waveforms), 0, -1)
    seconds = max(map(len, waveforms.values())) / sample_rate
    digits = ".1f" if seconds >= 1 else ".3f"
    words = []
    for lane, (label, waveform), colour in zip(lanes, waveforms.items(), cycle(COLOURS), strict=False):
        group = math.ceil(len(waveform) / _MAX_COLUMNS)
        starts = np.arange(0, len(waveform), group)
        low, high = np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)
        if group == 1:
            ax.plot(starts / sample_rate, lane + 0.48 * waveform / scale, color=colour, linewidth=0.8)
        else:
            low, high = (lane + 0.48 * edge / scale for edge in (low, high))
            ax.fill_between(starts / sample_rate, low, high, color=colour, linewidth=0.5)
        where = np.abs(waveform).argmax() / sample_rate
        words.append(f"{label}, peak {peaks[label]:.2f} at {where:{digits}} s" if peaks[label] else f"{label}, silent")
    ax.set_yticks(list(lanes), list(waveforms))
    ax.set(
        xlim=(0, seconds),
        ylim=(0.45, len(waveforms) + 0.55),
        xlabel="time (s)",
        ylabel=f"amplitude\n(lanes: ±{scale:.2g} of full scale)",
    )
    put_into_words(ax, f"Waveforms, {seconds:{digits}} s: {'; '.join(words)}")
    return ax


def show_metric_bars(table: pd.DataFrame, ax: Axes | None = None, *, metric: str | None = None) -> Axes:
    """One metric as bars: a group for each query, a colour for each separator, intervals where there are any.

    Args:
        table: columns `separator`, `query`, `metric`, `value`, one row per bar; optionally `low` and `high`,
            the ends of the interval (NaN for none).
        metric: which metric; may be left out where the table holds one.

    Raises:
        InputError: a column is missing, the metric is not in the table or not given, or a bar has two rows.
    """
    missing = [name for name in ("separator", "query", "metric", "value") if name not in table]
    if missing:
        raise InputError(f"table: lacks the column {missing[0]}")
    metrics = list(table["metric"].unique())
    if metric is None and len(metrics) == 1:
        metric = metrics[0]
    if metric not in metrics:
        raise InputError(f"table: choose one metric of {', '.join(map(str, metrics))}, not {metric}")
    rows = table[table["metric"] == metric]
    again = rows[rows.duplicated(["separator", "query"])]
    if len(again):
        bar = f"separator {again.iloc[0]['separator']}, query {again.iloc[0]['query']}"
        raise InputError(f"table: {metric} has several rows for {bar}; average over pieces first")

    ax = ax or _new_axes()
    label = METRIC_LABELS.get(str(metric).lower(), str(metric))
    digits = ".1f" if "dB" in label else ".3g"
    separators, queries = list(rows["separator"].unique()), list(rows["query"].unique())
    width, words = 0.8 / len(separators), []
    for index, (separator, colour) in enumerate(zip(separators, cycle(COLOURS), strict=False)):
        bars = rows[rows["separator"] == separator].set_index("query").reindex(queries)
        places = np.arange(len(queries)) + (index - (len(separators) - 1) / 2) * width
        ax.bar(places, bars["value"], 0.92 * width, color=colour, label=str(separator))
        for place, (query, bar) in zip(places, bars.iterrows(), strict=True):
            if pd.notna(bar["value"]):
                words.append(f"{separator}, {query}: {_draw_number(ax, place, bar, digits)}")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.margins(y=0.12)
    ax.set_xticks(range(len(queries)), [f"“{query}”" for query in queries])
    ax.set(xlabel="query", ylabel=label)
    ax.legend(title="separator", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    put_into_words(ax, f"Bars of {label}. {'; '.join(words)}")
    return ax


@dataclass
class _Levels:
    """A spectrogram ready to be drawn: decibels `(columns, bins)`, and what a step along each axis is."""

    decibels: np.ndarray
    seconds_per_column: float
    khz_per_bin: float
    seconds: float
    max_khz: float


def _levels(waveform: np.ndarray, title: str, n_fft: int, hop: int, sample_rate: int, max_khz: float) -> _Levels:
    samples = checked_waveform(waveform, title or "waveform")
    max_khz = min(max_khz, sample_rate / 2000)
    khz_per_bin = sample_rate / 1000 / n_fft
    # A sine of amplitude 1 has a magnitude of half the window's sum, which is n_fft / 2, at its bin.
    magnitude = np.abs(stft(samples, n_fft, hop))[:, : math.ceil(max_khz / khz_per_bin) + 1] / (n_fft / 4)
    group = math.ceil(len(magnitude) / _MAX_COLUMNS)
    loudest = np.maximum.reduceat(magnitude, np.arange(0, len(magnitude), group))
    decibels = 20 * np.log10(np.maximum(loudest, 10 ** (_SILENT_DB / 20)))
    return _Levels(decibels, group * hop / sample_rate, khz_per_bin, len(samples) / sample_rate, max_khz)


def _draw_spectrogram(
    ax: Axes, levels: _Levels, title: str, db_range: float, reference_db: float | None, log_frequency: bool
) -> ScalarMappable:
    columns, bins = levels.decibels.shape
    top = levels.decibels.max() if reference_db is None else reference_db
    # Each value is drawn around its frame's and bin's centre: edges lie half a step to either side.
    times = (np.arange(columns + 1) - 0.5) * levels.seconds_per_column
    khz = (np.arange(bins + 1) - 0.5) * levels.khz_per_bin
    colours = {"cmap": COLOUR_MAP, "vmin": top - db_range, "vmax": top}
    if log_frequency:
        keep = khz[:-1] > 0
        image = ax.pcolormesh(times, khz[1:], levels.decibels.T[keep], rasterized=True, **colours)
        ax.set_yscale("log")
        ax.set_yticks([tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if tick <= levels.max_khz])
        ax.yaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
    else:
        extent = (times[0], times[-1], khz[0], khz[-1])
        image = ax.imshow(
            levels.decibels.T,
            origin="lower",
            aspect="auto",
            extent=extent,
            interpolation="auto",
            **colours,
        )
    ax.set(
        title=title,
        xlabel="time (s)",
        ylabel="frequency (kHz)",
        xlim=(0, levels.seconds),
        ylim=(_LOWEST_KHZ if log_frequency else 0, levels.max_khz),
    )
    put_into_words(ax, _spectrogram_words(levels, title))
    return image


def _spectrogram_words(levels: _Levels, title: str) -> str:
    name = f"Spectrogram of “{title}”" if title else "Spectrogram"
    extent = f"{name}, {levels.seconds:.1f} s, 0 to {levels.max_khz:g} kHz"
    column, place = np.unravel_index(levels.decibels.argmax(), levels.decibels.shape)
    if levels.decibels[column, place] <= _SILENT_DB:
        return f"{extent}; silent throughout"
    hertz = 1000 * place * levels.khz_per_bin
    return f"{extent}; loudest at {column * levels.seconds_per_column:.1f} s near {hertz:.0f} Hz"


def _draw_number(ax: Axes, place: float, bar: pd.Series, digits: str) -> str:
    """Draw a bar's interval, where it has one, and its number; give both in words."""
    value, low, high = bar["value"], bar.get("low"), bar.get("high")
    words, end = f"{value:{digits}}", value
    if pd.notna(low) and pd.notna(high):
        ax.vlines(place, low, high, color="black", linewidth=1.5)
        words, end = f"{words} ({low:{digits}} to {high:{digits}})", low if value < 0 else high
    down = value < 0
    ax.annotate(
        f"{value:{digits}}",
        (place, end),
        xytext=(0, -3 if down else 3),
        textcoords="offset points",
        ha="center",
        va="top" if down else "bottom",
        fontsize="small",
    )
    return words


def _new_axes(height: float = 3.2) -> Axes:
    return plt.subplots(figsize=(7, height), layout="constrained")[1]
