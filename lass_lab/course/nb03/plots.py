"""Pictures of the inside of the separation network, and of what its answers are worth beside floors."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP, COLOURS, draw_bins
from lass_lab.signal import SAMPLE_RATE, amplitude

SIGNED_MAP = "PuOr"  # safe for colour-blind readers, white at zero
MASK_CHANNELS = ("0: share kept (sigmoid)", "1: direction, real (tanh)", "2: direction, imaginary (tanh)")
_AUDIBLE_DB = 50.0
_MAX_KHZ = 5  # top of the frequency axis


def show_mask_channels(logits: np.ndarray, magnitude: np.ndarray, *, hop: int) -> Figure:
    """The three mask channels of an AudioSep head, side by side over time and frequency.

    Args:
        logits: `(3, frames, bins)`, an array or a tensor on the CPU.
        magnitude: the mixture's, `(frames, bins)`. Where it is more than 50 dB below its loudest point a mask
            decides about nothing that can be heard, and is left blank.
        hop: samples between frames.
    """
    logits, magnitude = np.asarray(logits, dtype=np.float64), np.asarray(magnitude)
    quiet = magnitude < magnitude.max() * amplitude(-_AUDIBLE_DB)
    # The sigmoid by way of tanh, which does not overflow.
    channels = [(1 + np.tanh(logits[0] / 2)) / 2, np.tanh(logits[1]), np.tanh(logits[2])]
    bin_khz = SAMPLE_RATE / 2000 / (logits.shape[2] - 1)
    figure, axes = plt.subplots(1, 3, figsize=(11.2, 3.2), sharey=True, layout="constrained")
    for ax, values, title in zip(axes, channels, MASK_CHANNELS, strict=True):
        signed = ax is not axes[0]
        scale = {"cmap": SIGNED_MAP if signed else COLOUR_MAP, "vmin": -1 if signed else 0, "vmax": 1}
        scale |= {"max_khz": _MAX_KHZ, "title": title, "interpolation": "nearest"}
        shown = np.ma.masked_where(quiet, values)
        draw_bins(ax, shown, hop / SAMPLE_RATE, bin_khz, **scale)
        ax.set_facecolor("0.75" if signed else "white")  # each a colour that its map does not have
        ax.label_outer()
        low, middle, high = np.percentile(shown[:, : round(_MAX_KHZ / bin_khz) + 1].compressed(), [5, 50, 95])
        words = f"half of its values are below {middle:.2f}, 90% lie from {low:.2f} to {high:.2f}"
        put_into_words(ax, f"Mask channel {title}: {words}")
    figure.colorbar(axes[0].images[0], ax=axes[0], pad=0.01)
    figure.colorbar(axes[2].images[0], ax=list(axes[1:]), label="value (no unit)", pad=0.01)
    return figure


def show_shifts(shifts: Mapping[str, np.ndarray]) -> Axes:
    """What each query adds to each feature channel of one layer: FiLM's beta, a row a query.

    Args:
        shifts: query -> beta `(channels,)`, as many for each; arrays or tensors on the CPU.
    """
    values = np.stack([np.asarray(row, dtype=np.float64) for row in shifts.values()])
    _, ax = plt.subplots(figsize=(8, 1.2 + 0.35 * len(values)), layout="constrained")
    limit = np.abs(values).max()
    image = ax.imshow(values, aspect="auto", cmap=SIGNED_MAP, vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_yticks(range(len(values)), [f"“{query}”" for query in shifts])
    ax.set(xlabel="feature channel (index)", ylabel="query")
    ax.figure.colorbar(image, ax=ax, label="beta (no unit)", pad=0.01)
    first, *others = shifts
    distances = np.abs(values[1:] - values[0]).mean(axis=1)
    apart = [f"{query}, {far:.2f} from {first} on average" for query, far in zip(others, distances, strict=True)]
    extent = f"between {values.min():.2f} and {values.max():.2f}"
    put_into_words(ax, f"Shifts of {values.shape[1]} feature channels by query, {extent}; {'; '.join(apart)}")
    return ax


def show_floors(table: pd.DataFrame, separator: str) -> Figure:
    """Each slice of each source: what the estimate scores over what the mixture scores, and two floors as lines.

    A panel a source. Filled: asked for by name; hollow: the mixture minus the estimate of the other source.

    Args:
        table: what `evaluate` gives on duets.
        separator: its name in the table.
    """
    slices = table[(table["extent"] == "slice") & (table["separator"] == separator)]
    wide = slices.pivot_table(index=["piece", "start_s"], columns=["source", "metric"], values="value")
    sources = list(slices["source"].unique())
    figure, axes = plt.subplots(1, len(sources), figsize=(9.6, 3.8), sharey=True, layout="constrained")
    for ax, source, other in zip(axes, sources, sources[::-1], strict=True):
        before = wide[source, "SDR"] - wide[source, "SDRi"]
        ways = {"asked for by name": wide[source, "SDR"], "mixture minus the other estimate": wide[other, "SDRi"]}
        ends = [before.min() - 1, before.max() + 1]
        ax.plot(ends, ends, color="0.4", linewidth=1.2, label="mixture (nothing done)")
        ax.plot(ends, [0, 0], color="0.4", linewidth=1.2, linestyle="--", label="silence")
        for (way, values), fill, marker in zip(ways.items(), (COLOURS[0], "none"), "os", strict=True):
            colour = COLOURS[0] if marker == "o" else COLOURS[5]
            ax.scatter(before, values, s=36, marker=marker, facecolor=fill, edgecolor=colour, zorder=3, label=way)
        ax.set(title=source, xlabel="SDR of the mixture (dB)", ylabel="SDR of the estimate (dB)")
        ax.label_outer()
        ax.spines[["top", "right"]].set_visible(False)
        beats = {way: int((values > before.clip(lower=0)).sum()) for way, values in ways.items()}
        told = ", ".join(f"{way} in {count}" for way, count in beats.items())
        put_into_words(ax, f"{source}, {len(before)} slices; above both the mixture and silence: {told}")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure
