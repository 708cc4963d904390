"""Figures of the report: how training went, and what each stage makes of other words and of other instruments."""

from collections.abc import Mapping
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lass_lab.course.figures import put_into_words
from lass_lab.course.live import running_mean
from lass_lab.course.plots import COLOURS
from lass_lab.course.report.numbers import Curve
from lass_lab.signal import InputError

_ROWS = {"loss": "loss", "gain": "SDRi (dB)"}
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "D", "^", "v")


def show_training(runs: Mapping[str, Mapping[str, Mapping[str, Curve]]]) -> Figure:
    """Loss and validation SDRi of every run by optimiser step, a column a phase, all on common axes.

    Args:
        runs: run -> phase -> "loss" and "gain", as `Numbers.curves` holds them.

    Raises:
        InputError: no run left a curve.
    """
    phases = sorted({phase for curves in runs.values() for phase in curves})
    if not phases:
        raise InputError("show_training: no run left a log")
    figure, axes = plt.subplots(
        2, len(phases), sharex="col", sharey="row", figsize=(10, 4.8), layout="constrained", squeeze=False
    )
    for (kind, label), row in zip(_ROWS.items(), axes, strict=True):
        for phase, ax in zip(phases, row, strict=True):
            words = []
            for (run, curves), colour, line in zip(runs.items(), cycle(COLOURS), cycle(_LINES), strict=False):
                if len(points := np.array(curves.get(phase, {}).get(kind, ()))):
                    words.append(_draw_curve(ax, points, kind, run if len(runs) > 1 else "", colour, line))
            ax.spines[["top", "right"]].set_visible(False)
            put_into_words(ax, f"{phase}, {label} by optimiser step: {'; '.join(words) or 'no log'}")
        row[0].set_ylabel(label)
    if all(ax.dataLim.y0 >= 0 for ax in axes[0]):  # a loss in decibels goes below
        axes[0, 0].set_ylim(0, None)
    for phase, above, below in zip(phases, *axes, strict=True):
        above.set_title(phase)
        below.set_xlabel("optimiser step")
    if len(runs) > 1:
        handles, labels = axes[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(runs), frameon=False)
    return figure


def show_details(table: pd.DataFrame, ax: Axes | None = None, *, xlabel: str = "SDRi (dB)") -> Axes:
    """A row a detail, and in it a mark a separator, with its interval where it has one.

    Args:
        table: columns separator, detail, value, low and high (NaN for none), such as a probe gives.

    Raises:
        InputError: the table lacks a column or has no row.
    """
    if missing := {"separator", "detail", "value", "low", "high"} - set(table.columns):
        raise InputError(f"table: lacks the column {sorted(missing)[0]}")
    if table.empty:
        raise InputError("table: has no row to draw")
    details, names = (list(dict.fromkeys(table[column])) for column in ("detail", "separator"))
    ax = ax or plt.subplots(figsize=(8.5, 1 + 0.38 * len(details)), layout="constrained")[1]
    words = {detail: [] for detail in details}
    marks = zip(names, cycle(COLOURS), cycle(_MARKERS), np.linspace(-0.2, 0.2, len(names)), strict=False)
    for name, colour, marker, shift in marks:
        rows = table[table["separator"] == name].set_index("detail").reindex(details)
        places = np.arange(len(details)) + (shift if len(names) > 1 else 0)
        ax.plot(rows["value"], places, marker, color=colour, label=name, markersize=6)
        known = rows["low"].notna().to_numpy()
        ax.hlines(places[known], rows["low"][known], rows["high"][known], color=colour, linewidth=1.5)
        for detail, value in rows["value"].dropna().items():
            words[detail].append(f"{name} {value:.1f}")
    ax.axvline(0, color="0.4", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(details)), details)
    ax.set(xlabel=xlabel, ylim=(len(details) - 0.5, -0.5))
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    put_into_words(ax, f"{xlabel}. " + "; ".join(f"{detail}: {', '.join(told)}" for detail, told in words.items()))
    return ax


def _draw_curve(ax: Axes, points: np.ndarray, kind: str, label: str, colour: str, line: str) -> str:
    """Draw the `(points, 2)` of one curve; what it shows, in words."""
    steps, values = points.T
    if kind == "loss":
        ax.plot(steps, values, ".", color=colour, alpha=0.4, markersize=4)
        values = running_mean(values)
        ax.plot(steps, values, line, color=colour, label=label or None)
    else:
        ax.plot(steps, values, line, marker="o", color=colour, label=label or None, markersize=3)
    digits = ".4g" if kind == "loss" else ".1f"
    return f"{label} from {values[0]:{digits}} to {values[-1]:{digits}}, {len(values)} points".strip()
