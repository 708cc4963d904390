"""What was gained against what was kept: a picture, and which of several ways no other one beats (notebook 08)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOURS
from lass_lab.signal import InputError


def unbeaten(scores: np.ndarray) -> np.ndarray:
    """Which rows of `(ways, aims)` no other one beats by being as good at every aim and better at one: `(ways,)` bool.

    They are the Pareto front; of two that are alike, neither beats the other.
    """
    ahead = scores[None] - scores[:, None]  # of each row, what every other has more
    return ~((ahead >= 0).all(axis=2) & (ahead > 0).any(axis=2)).any(axis=1)


def show_tradeoff(table: pd.DataFrame, ax: Axes | None = None, *, source: str = "trumpet") -> Axes:
    """Separators as points: to the right, what they still do for other instruments; upwards, what they do for a source.

    Args:
        table: rows as `ablation.balance` gives them: the source's SDR (dB), and others, low and high (SDRi, dB); and
            variant, the point's name. Rows with the same value in a column `path`, where there is one, are joined by a
            line in their order, and the first and last of them named.
        source: the column that goes upwards.

    Raises:
        InputError: the table lacks a column or has no row.
    """
    if missing := {"variant", source, "others", "low", "high"} - set(table.columns):
        raise InputError(f"table: lacks the column {sorted(missing)[0]}")
    if table.empty:
        raise InputError("table: has no row to draw")
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    paths = table["path"] if "path" in table else pd.Series(None, table.index, dtype=object)
    for number, (_, points) in enumerate(table[paths.notna()].groupby(paths[paths.notna()], sort=False)):
        ax.plot(points["others"], points[source], "o-", color=COLOURS[number], markersize=5, zorder=2)
        _name(ax, points.iloc[[0, -1]], source)
    single = table[paths.isna()]
    reach = [single["others"] - single["low"], single["high"] - single["others"]]
    ax.errorbar(single["others"], single[source], xerr=reach, fmt="s", color=COLOURS[5], ecolor="0.75", zorder=3)
    _name(ax, single, source)
    ax.set(xlabel="eight other instruments, SDRi (dB)", ylabel=f"{source}, SDR (dB)")
    ax.margins(x=0.2, y=0.15)
    rows = table[["variant", source, "others"]].itertuples(index=False, name=None)
    told = "; ".join(f"{name}: {source} {gained:.1f} dB, others {kept:.1f} dB" for name, gained, kept in rows)
    put_into_words(ax, f"What was gained against what was kept. {told}")
    return ax


def _name(ax: Axes, points: pd.DataFrame, source: str) -> None:
    for name, kept, gained in points[["variant", "others", source]].itertuples(index=False, name=None):
        ax.annotate(name, (kept, gained), xytext=(6, 6), textcoords="offset points", fontsize=9)
