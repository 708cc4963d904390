"""What was gained against what was kept: measured in pairs, drawn, and which of several ways no other one beats."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lass_lab.course.figures import put_into_words
from lass_lab.course.nb08.checks import check_unbeaten
from lass_lab.course.plots import COLOURS
from lass_lab.datasets import Piece
from lass_lab.experiments.evaluation import bootstrap, evaluate, evaluate_mixtures
from lass_lab.experiments.probes import FORGETTING, find_bank
from lass_lab.models import LanguageSeparator

Values = Mapping[str, np.ndarray]  # measure -> its values, in an order that is the same for every separator


def measure(separator: LanguageSeparator, pieces: Sequence[Piece], pairs: int) -> dict[str, np.ndarray]:
    """SDRi (dB), value by value, so that separators can be compared on the same slices and the same mixtures.

    Args:
        pieces: duets, measured by slices of five seconds.
        pairs: random mixtures of eight other instruments, each the mean of its two queries.

    Returns:
        "violin" and "trumpet", `(slices,)`, and "others", `(pairs,)`.
    """
    table = evaluate({"it": separator}, pieces, metrics=("SDR",), progress=False)
    gains = table.query("separator == 'it' and extent == 'slice' and metric == 'SDRi'").groupby("source")["value"]
    drawn = {"instruments": FORGETTING, "pairs": 2 * pairs, "progress": False}
    others = evaluate_mixtures(separator, find_bank(None), **drawn)["sdri"].to_numpy().reshape(pairs, 2).mean(axis=1)
    return {source: gains.get_group(source).to_numpy() for source in ("violin", "trumpet")} | {"others": others}


def on_front(ways: Mapping[str, Values], draws: int = 2000, seed: int = 0) -> pd.Series:
    """How often each way is on the front of trumpet and others, if slices and mixtures are drawn again (0 to 1).

    A paired bootstrap: every draw takes the same slices and the same mixtures for all ways.
    """
    rng = np.random.default_rng(seed)
    gained, kept = (np.stack([values[aim] for values in ways.values()]) for aim in ("trumpet", "others"))
    counts = np.zeros(len(ways))
    for _ in range(draws):
        means = [each[:, rng.integers(0, each.shape[1], each.shape[1])].mean(axis=1) for each in (gained, kept)]
        counts += check_unbeaten.reference(*means)
    return pd.Series(counts / draws, list(ways))


def show_tradeoff(ways: Mapping[str, Values], path: Sequence[str] = ()) -> Axes:
    """Separators as points: to the right, SDRi for other instruments; upwards, for the trumpet; 95% intervals as bars.

    Args:
        ways: name -> what `measure` gives.
        path: names that are joined by a line in their order; those in between have no bars.
    """
    _, ax = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
    words, marks = [], zip(cycle("sD^vPX"), COLOURS[1:], strict=False)
    for name, values in ways.items():
        x, y = (values[aim].mean() for aim in ("others", "trumpet"))
        words.append(f"{name}: trumpet {y:.1f} dB, others {x:.1f} dB")
        if name not in path[1:-1]:
            marker, colour = next(marks)
            reach = {
                axis: np.abs(np.array([bootstrap(values[aim])]).T - mean)
                for axis, aim, mean in (("xerr", "others", x), ("yerr", "trumpet", y))
            }
            bars = reach | {"elinewidth": 1, "ecolor": "0.7", "capsize": 2}
            ax.errorbar(x, y, fmt=marker, color=colour, markersize=8, label=name, zorder=3, **bars)
    if path:
        way = np.array([[ways[name][aim].mean() for aim in ("others", "trumpet")] for name in path])
        ax.plot(*way.T, "o-", color=COLOURS[0], markersize=5, label=f"between: {', '.join(path[1:-1])}", zorder=2)
    ax.set(xlabel="eight other instruments, SDRi (dB)", ylabel="trumpet, SDRi (dB)")
    ax.grid(color="0.93")
    ax.spines[["top", "right"]].set_visible(False)
    ax.figure.legend(loc="outside lower center", ncols=3, frameon=False)
    put_into_words(ax, f"What was gained against what was kept. {'; '.join(words)}")
    return ax
