"""What was gained against what was kept: a picture, and which of several ways no other one beats."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOURS


def unbeaten(scores: np.ndarray) -> np.ndarray:
    """Which rows of `(ways, aims)` no other one beats by being as good at every aim and better at one: `(ways,)` bool.

    They are the Pareto front; of two that are alike, neither beats the other.
    """
    ahead = scores[None] - scores[:, None]  # of each row, what every other has more
    return ~((ahead >= 0).all(axis=2) & (ahead > 0).any(axis=2)).any(axis=1)


def show_tradeoff(table: pd.DataFrame, path: list[str] | None = None) -> Axes:
    """Separators as points: to the right, what they do for other instruments; upwards, what they do for the trumpet.

    Args:
        table: rows as `probes.balance` gives them: trumpet (SDR, dB), others, low and high (SDRi, dB); and variant,
            the point's name.
        path: variants that are joined by a line in their order, and of which the first and the last are named.
    """
    _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    on_path = table["variant"].isin(path or [])
    way, single = table[on_path], table[~on_path]
    ax.plot(way["others"], way["trumpet"], "o-", color=COLOURS[0], markersize=5, zorder=2)
    reach = [single["others"] - single["low"], single["high"] - single["others"]]
    ax.errorbar(single["others"], single["trumpet"], xerr=reach, fmt="s", color=COLOURS[5], ecolor="0.75", zorder=3)
    for row in pd.concat([single, way.iloc[:1], way.iloc[1:].iloc[-1:]]).itertuples():
        ax.annotate(row.variant, (row.others, row.trumpet), xytext=(6, 6), textcoords="offset points", fontsize=9)
    ax.set(xlabel="eight other instruments, SDRi (dB)", ylabel="trumpet, SDR (dB)")
    ax.margins(x=0.2, y=0.15)
    told = "; ".join(
        f"{row.variant}: trumpet {row.trumpet:.1f} dB, others {row.others:.1f} dB" for row in table.itertuples()
    )
    put_into_words(ax, f"What was gained against what was kept. {told}")
    return ax
