"""Curves of numbers over numbers, such as a score against the size of a window (notebook 01)."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from lass_lab.course.plots import COLOURS
from lass_lab.signal import InputError

_FEW = 20  # points, and each is marked


def show_curves(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
) -> Axes:
    """Curves over one x, a colour and a kind of line each, named in a legend; few points are marked.

    Args:
        x: `(points,)`; points at or below zero are left out where `log_x`.
        curves: label to `(points,)`.
        xlabel, ylabel: what is drawn, with its unit.
        log_x: logarithmic x axis.

    Raises:
        InputError: no curves, or one of another length than `x`.
    """
    x = np.asarray(x, dtype=np.float64)
    values = {label: np.asarray(curve, dtype=np.float64) for label, curve in curves.items()}
    if not values or any(curve.shape != x.shape for curve in values.values()):
        raise InputError(f"curves: need {x.shape} values each, have {[curve.shape for curve in values.values()]}")
    ax = ax or plt.subplots(figsize=(7.5, 3), layout="constrained")[1]
    shown = x > 0 if log_x else np.full(x.shape, True)
    marker = "o" if shown.sum() <= _FEW else ""
    for (label, curve), colour, line in zip(
        values.items(), cycle(COLOURS), cycle(("-", "--", "-.", ":")), strict=False
    ):
        ax.plot(x[shown], curve[shown], line, marker=marker, color=colour, label=label, linewidth=1.4)
    if log_x:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return ax
