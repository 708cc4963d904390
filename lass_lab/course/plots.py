"""Pictures of sounds, and results as bars and tables.

Every plot returns its axes or its figure; every axis has its unit; colours are safe for colour-blind readers
(cividis; Okabe & Ito's palette). `describe` and `figure_html`, from `lass_lab.course.figures`, put any of them into
words and into a page.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lass_lab.course.figures import describe as describe
from lass_lab.course.figures import figure_html as figure_html
from lass_lab.course.figures import put_into_words
from lass_lab.signal import SAMPLE_RATE, checked_waveform, stft

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
COLOUR_MAP = "cividis"
SILENT_DB = -200.0  # what a level of zero is drawn as

_FORMATS = {"SDR": ".1f", "SDRi": ".1f", "SI-SDR": ".1f", "correlation": ".3f", "MSE": ".1e"}  # in order of columns


def show_spectrogram(
    waveform: np.ndarray,
    ax: Axes | None = None,
    *,
    title: str = "",
    hop: int = 320,
    n_fft: int = 2048,
    db_range: float = 80,
    max_khz: float = 12,
    colour_bar: bool = True,
) -> Axes:
    """Magnitude spectrogram in dB; a full-scale sine is at 0 dBFS.

    Long recordings are drawn with the loudest of neighbouring frames in each column, so that no note is lost.

    Args:
        waveform: real `(samples,)`, 32 kHz.
        ax: where to draw; None for a figure of its own.
        db_range: how many dB below the loudest point the darkest colour lies.
        max_khz: top of the frequency axis.
        colour_bar: leave it out where several plots share one (`share_colours`).

    Raises:
        InputError: a waveform that is not one-dimensional, is empty, or holds NaN or infinite samples.
    """
    samples = checked_waveform(waveform, title or "waveform")
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    decibels, step, bin_khz = spectrogram_db(samples, hop=hop, n_fft=n_fft, max_khz=max_khz)
    top = decibels.max()
    scale = {"cmap": COLOUR_MAP, "vmin": top - db_range, "vmax": top}
    image = draw_bins(ax, decibels, step, bin_khz, max_khz=max_khz, title=title, **scale)
    if colour_bar:
        ax.figure.colorbar(image, ax=ax, label="level (dBFS)")
    put_into_words(ax, spectrogram_in_words(decibels, step, bin_khz, title, len(samples) / SAMPLE_RATE, max_khz))
    return ax


def spectrogram_db(
    samples: np.ndarray, *, hop: int = 320, n_fft: int = 2048, max_khz: float = 12, columns: int = 1600
) -> tuple[np.ndarray, float, float]:
    """What `show_spectrogram` draws.

    Args:
        samples: real `(samples,)`, 32 kHz.
        columns: at most so many; each holds the loudest of its frames. By default, more than a notebook has pixels for.

    Returns:
        Levels in dBFS `(columns, bins)`, the seconds from column to column, and the kHz from bin to bin.
    """
    bin_khz = SAMPLE_RATE / 1000 / n_fft
    # A sine of amplitude 1 has a magnitude of half the window's sum, n_fft / 4, at its bin.
    magnitude = np.abs(stft(samples, n_fft, hop))[:, : math.ceil(max_khz / bin_khz) + 1] / (n_fft / 4)
    group = math.ceil(len(magnitude) / columns)
    loudest = np.maximum.reduceat(magnitude, np.arange(0, len(magnitude), group))
    return 20 * np.log10(np.maximum(loudest, 10 ** (SILENT_DB / 20))), group * hop / SAMPLE_RATE, bin_khz


def spectrogram_in_words(
    decibels: np.ndarray, step: float, bin_khz: float, title: str, seconds: float, max_khz: float
) -> str:
    """Alt text of a spectrogram, made from what `spectrogram_db` returns."""
    column, place = np.unravel_index(decibels.argmax(), decibels.shape)
    where = f"loudest at {column * step:.1f} s near {1000 * place * bin_khz:.0f} Hz"
    name = f"Spectrogram of “{title}”" if title else "Spectrogram"
    heard = where if decibels.max() > SILENT_DB else "silent throughout"
    return f"{name}, {seconds:.1f} s, 0 to {max_khz:g} kHz; {heard}"


def compare_spectrograms(waveforms: Mapping[str, np.ndarray], *, db_range: float = 80, max_khz: float = 12) -> Figure:
    """Spectrograms side by side on one colour scale.

    Args:
        waveforms: title to real `(samples,)`, 32 kHz: mixture, target and estimate, for instance.
        db_range: how many dB below the brightest colour the darkest lies.
        max_khz: top of the frequency axis.

    Raises:
        InputError: as `show_spectrogram`.
    """
    size = (1 + 3.4 * len(waveforms), 3.2)
    figure, axes = plt.subplots(1, len(waveforms), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, (title, waveform) in zip(axes[0], waveforms.items(), strict=True):
        show_spectrogram(waveform, ax, title=title, max_khz=max_khz, colour_bar=False)
    share_colours(axes[0], db_range)
    return figure


def share_colours(axes: Sequence[Axes], db_range: float) -> None:
    """Give spectrograms side by side one colour scale, one colour bar and one frequency axis.

    Args:
        db_range: how many dB below the brightest colour the darkest lies.
    """
    images = [ax.images[0] for ax in axes]
    top = max(image.get_clim()[1] for image in images)
    for ax, image in zip(axes, images, strict=True):
        image.set_clim(top - db_range, top)
        ax.label_outer()
    axes[0].figure.colorbar(images[0], ax=list(axes), label="level (dBFS)", pad=0.01)


def draw_bins(
    ax: Axes,
    values: np.ndarray,
    frame_s: float,
    bin_khz: float,
    *,
    max_khz: float,
    title: str = "",
    **image: Any,
) -> AxesImage:
    """Draw values `(frames, bins)` over time and frequency, on labelled axes; each lies around its own point.

    Args:
        frame_s: seconds from frame to frame.
        bin_khz: kHz from bin to bin, the first at 0.
        max_khz: top of the frequency axis.
        image: colours, as `Axes.imshow` takes them.
    """
    frames, bins = values.shape
    edges = (-frame_s / 2, (frames - 0.5) * frame_s, -bin_khz / 2, (bins - 0.5) * bin_khz)
    drawn = ax.imshow(values.T, origin="lower", aspect="auto", extent=edges, **image)
    ax.set(title=title, xlabel="time (s)", ylabel="frequency (kHz)")
    ax.set(xlim=(0, max(frames - 1, 0.5) * frame_s), ylim=(0, max_khz))
    return drawn


def show_metric_bars(table: pd.DataFrame) -> Axes:
    """SDR as bars: a group for each query, a colour for each separator.

    Args:
        table: columns `separator`, `query` and `value` (dB), one row a bar.
    """
    order = {"index": table["query"].unique(), "columns": table["separator"].unique()}
    value = table.pivot(index="query", columns="separator", values="value").reindex(**order)
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    value.plot.bar(ax=ax, color=COLOURS, width=0.8, rot=0)
    for drawn in ax.containers:
        ax.bar_label(drawn, fmt="%.1f", fontsize="small", padding=3)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.margins(y=0.12)
    ax.set_xticks(range(len(value)), [f"“{query}”" for query in value.index])
    ax.set(xlabel="query", ylabel="SDR (dB)")
    ax.legend(title="separator", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    told = [f"{row.separator}, {row.query}: {row.value:.1f}" for row in table.itertuples()]
    put_into_words(ax, f"Bars of SDR (dB). {'; '.join(told)}")
    return ax


def show_intervals(table: pd.DataFrame, label: str, floors: Mapping[str, float]) -> Axes:
    """Means with their intervals, one below the other.

    Args:
        table: `mean`, `low` and `high`; its index names the rows.
        label: of the axis, with its unit.
        floors: name -> what costs nothing to reach, in the same unit, as lines; three at most.
    """
    _, ax = plt.subplots(figsize=(8.4, 0.9 + 0.36 * len(table)), layout="constrained")
    reach = [table["mean"] - table["low"], table["high"] - table["mean"]]
    ax.errorbar(table["mean"], range(len(table)), xerr=reach, fmt="o", color=COLOURS[0], capsize=3)
    for (name, value), style in zip(floors.items(), ("--", "-", ":"), strict=False):
        ax.axvline(value, color="0.3", linestyle=style, linewidth=1.2, label=f"{name}: {value:.1f}")
    ax.set_yticks(range(len(table)), table.index)
    ax.set_ylim(len(table) - 0.5, -0.5)  # the first on top
    ax.set_xlabel(label)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    rows = table[["mean", "low", "high"]].itertuples(name=None)
    told = "; ".join(f"{name} {mean:.2f}, {low:.2f} to {high:.2f}" for name, mean, low, high in rows)
    put_into_words(ax, f"{label}: {told}")
    return ax


def results_table(results: pd.DataFrame, *, intervals: bool = False) -> pd.DataFrame:
    """Long results as text in a wide table, sources and separators in the order in which they come.

    Args:
        results: columns separator, source, metric (SDR, SDRi, SI-SDR, correlation or MSE), value; with intervals also
            mean, low and high, as `lass_lab.experiments.evaluation.summarise` gives them.
        intervals: show the mean over slices with its interval, "2.0 [1.5, 2.5]", in place of the value.

    Returns:
        Text, with "–" where a metric was not measured; a row for each source and separator, a column for each metric.
    """
    number = "{mean:{f}} [{low:{f}}, {high:{f}}]" if intervals else "{value:{f}}"
    text = [number.format(f=_FORMATS[row["metric"]], **row) for row in results.to_dict("records")]
    rows = results[["source", "separator", "metric"]].assign(text=text)
    table = rows.pivot(index=["source", "separator"], columns="metric", values="text")
    order = [row for row in product(rows["source"].unique(), rows["separator"].unique()) if row in table.index]
    columns = {name: f"{name} (dB)" if "SDR" in name else name for name in _FORMATS if name in table}
    table = table.reindex(index=order, columns=list(columns)).rename(columns=columns)
    return table.rename_axis(columns=None).fillna("–")


def show_similarity(
    similarity: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
    *,
    axes: tuple[str, str] = ("", ""),
) -> Axes:
    """Cosines as coloured squares with their numbers in them: words against words, or words against sounds.

    Args:
        similarity: `(rows, columns)`.
        rows, columns: what stands at the sides.
        ax: where to draw; None for a figure of its own.
        axes: what the rows and the columns are.
    """
    size = (2.6 + 0.62 * len(columns), 1.6 + 0.42 * len(rows))
    ax = ax or plt.subplots(figsize=size, layout="constrained")[1]
    image = ax.imshow(similarity, cmap=COLOUR_MAP, vmin=min(0.0, similarity.min()), vmax=1, aspect="auto")
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(ylabel=axes[0], xlabel=axes[1])
    ax.figure.colorbar(image, ax=ax, label="cosine")
    for (row, column), value in np.ndenumerate(similarity):
        dark = value < (similarity.min() + 1) / 2
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
    # Of words against themselves, the nearest other one.
    themselves = list(rows) == list(columns) and np.allclose(similarity, similarity.T, atol=1e-4)
    places = (similarity - 10 * np.eye(len(rows)) if themselves else similarity).argmax(axis=1)
    nearest = [f"{name} to {columns[place]}" for name, place in zip(rows, places, strict=True)]
    put_into_words(ax, f"Similarity of {len(rows)} rows and {len(columns)} columns; nearest: {', '.join(nearest)}")
    return ax
