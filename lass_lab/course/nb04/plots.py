"""Pictures of a sliced dataset: where its slices lie, and how alike they are (notebook 04)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP, COLOURS
from lass_lab.signal import InputError

PARTS = {"train": COLOURS[0], "validation": COLOURS[1], "test": COLOURS[2]}
_COLUMNS = ("piece", "query", "part", "start_s", "seconds", "silent")


def show_slices(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Slices as boxes along time: a lane for each source of each piece, a colour for each part, silent ones hollow.

    Args:
        table: `slices.csv`, with the columns piece, query, part, start_s, seconds and silent (as a truth value).

    Raises:
        InputError: a column is missing, or there is no slice.
    """
    if missing := [name for name in _COLUMNS if name not in table]:
        raise InputError(f"slices: lack the column {missing[0]}")
    lanes = list(dict.fromkeys(zip(table["piece"], table["query"], strict=True)))
    if not lanes:
        raise InputError("slices: there are none")
    ax = ax or plt.subplots(figsize=(8.5, 0.9 + 0.38 * len(lanes)), layout="constrained")[1]
    for row in table.itertuples():
        lane, colour = len(lanes) - lanes.index((row.piece, row.query)), PARTS[row.part]
        ax.barh(
            lane, row.seconds, left=row.start_s, height=0.72, color="white" if row.silent else colour,
            edgecolor=colour if row.silent else "white", hatch="////" if row.silent else None, linewidth=0.8,
        )  # fmt: skip
    ax.set_yticks(range(len(lanes), 0, -1), [f"{piece}: {query}" for piece, query in lanes])
    ax.set(xlabel="time (s)", xlim=(0, (table["start_s"] + table["seconds"]).max()), ylim=(0.4, len(lanes) + 0.6))
    counts = table.groupby("part").size()
    keys = [Patch(color=colour, label=part) for part, colour in PARTS.items() if part in counts]
    if table["silent"].any():
        keys.append(Patch(facecolor="white", edgecolor="black", hatch="////", label="silent"))
    ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    told = ", ".join(f"{counts[part]} {part}" for part in PARTS if part in counts)
    silent = [f"{row.piece}, {row.query}, from {row.start_s:g} s" for row in table[table["silent"]].itertuples()]
    put_into_words(ax, f"{len(table)} slices in {len(lanes)} lanes: {told}; silent: {'; '.join(silent) or 'none'}")
    return ax


def show_likeness(likeness: np.ndarray, pieces: Sequence[str], ax: Axes | None = None) -> Axes:
    """How alike slices are, each against each, with lines where one piece ends and the next begins.

    Args:
        likeness: correlations `(slices, slices)`.
        pieces: the name of each slice's piece, those of one piece next to each other.

    Raises:
        InputError: as many names as slices there are not.
    """
    likeness = np.asarray(likeness, dtype=float)
    if likeness.shape != (len(pieces), len(pieces)):
        raise InputError(f"likeness: has shape {likeness.shape}, for {len(pieces)} slices")
    names = list(dict.fromkeys(pieces))
    ends = np.cumsum([list(pieces).count(name) for name in names])
    if ax is None:
        figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12)  # beside a square picture the label would touch the edge
    image = ax.imshow(likeness, cmap=COLOUR_MAP, vmin=-1, vmax=1, interpolation="nearest")
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color="white", linewidth=1.5)
        ax.axvline(end - 0.5, color="white", linewidth=1.5)
    middles = ends - np.diff(ends, prepend=0) / 2 - 0.5
    ax.set_xticks(middles, names, rotation=20, ha="right", rotation_mode="anchor")
    ax.set_yticks(middles, names)
    ax.tick_params(length=0)
    ax.set(xlabel="slices of", ylabel="slices of")
    ax.figure.colorbar(image, ax=ax, label="correlation of average spectra")
    same = np.equal.outer(np.asarray(pieces), np.asarray(pieces))
    values = {"within": likeness[same & ~np.eye(len(pieces), dtype=bool)], "across": likeness[~same]}
    means = [f"{some.mean():.2f} {where}" for where, some in values.items() if len(some)]
    put_into_words(ax, f"Likeness of {len(pieces)} slices; on average {' and '.join(means)} pieces")
    return ax
