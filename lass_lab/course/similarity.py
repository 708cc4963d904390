"""A picture of what is alike: words against words, or words against sounds (notebook 02)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP
from lass_lab.signal import InputError


def show_similarity(
    similarity: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
    *,
    axes: tuple[str, str] = ("", ""),
) -> Axes:
    """Cosines as coloured squares with their numbers in them.

    Args:
        similarity: `(rows, columns)`.
        rows, columns: what stands at the sides.
        axes: what the rows and the columns are.

    Raises:
        InputError: as many names as rows and columns there are not.
    """
    similarity = np.asarray(similarity, dtype=float)
    if similarity.shape != (len(rows), len(columns)):
        raise InputError(f"similarity: has shape {similarity.shape}, for {len(rows)} rows and {len(columns)} columns")
    if ax is None:
        size = (2.6 + 0.62 * len(columns), 1.6 + 0.42 * len(rows))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    image = ax.imshow(similarity, cmap=COLOUR_MAP, vmin=min(0.0, similarity.min()), vmax=1, aspect="auto")
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(ylabel=axes[0], xlabel=axes[1])
    ax.figure.colorbar(image, ax=ax, label="cosine")
    for (row, column), value in np.ndenumerate(similarity):
        dark = value < (similarity.min() + 1) / 2
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
    nearest = [
        f"{name} to {columns[place]}" for name, place in zip(rows, _nearest(similarity, rows, columns), strict=True)
    ]
    put_into_words(ax, f"Similarity of {len(rows)} rows and {len(columns)} columns; nearest: {', '.join(nearest)}")
    return ax


def _nearest(similarity: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> list[int]:
    """The nearest column of each row; where both sides are the same, of the others."""
    others = (
        similarity - 10 * np.eye(len(rows)) if list(rows) == list(columns) and _symmetric(similarity) else similarity
    )
    return [int(place) for place in others.argmax(axis=1)]


def _symmetric(similarity: np.ndarray) -> bool:
    return np.allclose(similarity, similarity.T, atol=1e-4)
