"""Pictures of a sliced dataset: where its slices lie, and how alike they are."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP, COLOURS

PARTS = {"train": COLOURS[0], "validation": COLOURS[1], "test": COLOURS[2]}


def show_slices(table: pd.DataFrame) -> Axes:
    """Slices as boxes along time: a lane for each source of each piece, a colour for each part, silent ones hatched.

    Args:
        table: `slices.csv`, with the columns piece, query, part, start_s, seconds and silent (as a truth value).
    """
    lanes = list(dict.fromkeys(zip(table["piece"], table["query"], strict=True)))
    _, ax = plt.subplots(figsize=(8.5, 0.9 + 0.38 * len(lanes)), layout="constrained")
    for row in table.itertuples():
        lane, colour = len(lanes) - lanes.index((row.piece, row.query)), PARTS[row.part]
        fill, edge, hatch = ("white", colour, "////") if row.silent else (colour, "white", None)
        box = {"height": 0.72, "color": fill, "edgecolor": edge, "hatch": hatch, "linewidth": 0.8}
        ax.barh(lane, row.seconds, left=row.start_s, **box)
    ax.set_yticks(range(len(lanes), 0, -1), [f"{piece}: {query}" for piece, query in lanes])
    ax.set(xlabel="time (s)", xlim=(0, (table["start_s"] + table["seconds"]).max()), ylim=(0.4, len(lanes) + 0.6))
    counts = table.groupby("part").size()
    keys = [Patch(color=colour, label=part) for part, colour in PARTS.items() if part in counts]
    keys.append(Patch(facecolor="white", edgecolor="black", hatch="////", label="silent"))
    ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    told = ", ".join(f"{counts[part]} {part}" for part in PARTS if part in counts)
    silent = [f"{row.piece}, {row.query}, from {row.start_s:g} s" for row in table[table["silent"]].itertuples()]
    put_into_words(ax, f"{len(table)} slices in {len(lanes)} lanes: {told}; silent: {'; '.join(silent) or 'none'}")
    return ax


def show_correlation(correlation: np.ndarray, pieces: Sequence[str]) -> Axes:
    """How alike slices are, each against each, with lines where one piece ends and the next begins.

    Args:
        correlation: of their average spectra, `(slices, slices)`.
        pieces: the name of each slice's piece, those of one piece next to each other.
    """
    pieces = np.asarray(pieces)
    names, counts = zip(*pd.Series(pieces).value_counts(sort=False).items(), strict=True)
    ends = np.cumsum(counts)
    figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12)  # beside a square picture the label would touch the edge
    image = ax.imshow(correlation, cmap=COLOUR_MAP, vmin=-1, vmax=1, interpolation="nearest")
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color="white", linewidth=1.5)
        ax.axvline(end - 0.5, color="white", linewidth=1.5)
    middles = ends - np.array(counts) / 2 - 0.5
    ax.set_xticks(middles, names, rotation=20, ha="right", rotation_mode="anchor")
    ax.set_yticks(middles, names)
    ax.tick_params(length=0)
    ax.set(xlabel="slices of", ylabel="slices of")
    figure.colorbar(image, ax=ax, label="correlation of average spectra")
    same = np.equal.outer(pieces, pieces)
    within, across = correlation[same & ~np.eye(len(pieces), dtype=bool)].mean(), correlation[~same].mean()
    put_into_words(
        ax, f"Correlation of {len(pieces)} slices; on average {within:.2f} within and {across:.2f} across pieces"
    )
    return ax
