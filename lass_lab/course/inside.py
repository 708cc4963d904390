"""Pictures of masks, and of the inside of the separation network: its mask channels, what the query changes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOUR_MAP
from lass_lab.signal import SAMPLE_RATE, InputError

SIGNED_MAP = "PuOr"  # safe for colour-blind readers, white at zero
_AUDIBLE_DB = 50.0
MASK_CHANNELS = ("0: share kept (sigmoid)", "1: direction, real (tanh)", "2: direction, imaginary (tanh)")


class _Frame(NamedTuple):
    """Where values over frames and bins lie in seconds and kHz."""

    frames: int
    bins: int
    hop: int
    sample_rate: int
    max_khz: float

    def draw(self, ax: Axes, values: np.ndarray, title: str, **colours: Any) -> AxesImage:
        """Values `(frames, bins)`, each in the middle of its square, on labelled axes."""
        seconds, khz = self.hop / self.sample_rate, self._khz
        extent = (-seconds / 2, (self.frames - 0.5) * seconds, -khz / 2, (self.bins - 0.5) * khz)
        ax.set(title=title, xlabel="time (s)", ylabel="frequency (kHz)")
        image = ax.imshow(values.T, origin="lower", aspect="auto", extent=extent, **colours)
        top = min(self.max_khz, self.sample_rate / 2000)
        ax.set(xlim=(0, max((self.frames - 1) * seconds, seconds / 2)), ylim=(0, top))
        return image

    def shown(self, values: np.ndarray) -> np.ndarray:
        """The bins that are not cut off."""
        return values[:, : round(self.max_khz / self._khz) + 1]

    @property
    def _khz(self) -> float:
        return self.sample_rate / 2000 / max(self.bins - 1, 1)


def show_mask_channels(
    logits: np.ndarray,
    magnitude: np.ndarray | None = None,
    *,
    hop: int,
    max_khz: float = 5,
    sample_rate: int = SAMPLE_RATE,
) -> Figure:
    """The three mask channels of an AudioSep head, side by side over time and frequency (notebook 03).

    Args:
        logits: `(3, frames, bins)`, an array or a tensor on the CPU.
        magnitude: the mixture's, `(frames, bins)`. Where it is more than 50 dB below its loudest point a mask
            decides about nothing that can be heard, and is left blank.
        hop: samples between frames.
        max_khz: top of the frequency axis.

    Raises:
        InputError: not three channels of frames and bins, or a magnitude of another shape.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 3 or len(logits) != 3 or not logits.size:
        raise InputError(f"logits: need shape (3, frames, bins), have {logits.shape}")
    if magnitude is not None and magnitude.shape != logits.shape[1:]:
        raise InputError(f"magnitude: needs shape {logits.shape[1:]}, has {tuple(magnitude.shape)}")
    frame = _Frame(*logits.shape[1:], hop, sample_rate, max_khz)
    # The sigmoid by way of tanh, which does not overflow.
    channels = [(1 + np.tanh(logits[0] / 2)) / 2, np.tanh(logits[1]), np.tanh(logits[2])]
    if magnitude is not None:
        magnitude = np.asarray(magnitude)
        quiet = magnitude < magnitude.max() * 10 ** (-_AUDIBLE_DB / 20)
        channels = [np.ma.masked_where(quiet, values) for values in channels]
    figure, axes = plt.subplots(1, 3, figsize=(11.2, 3.2), sharey=True, layout="constrained")
    for ax, values, title in zip(axes, channels, MASK_CHANNELS, strict=True):
        signed = ax is not axes[0]
        colours = {"cmap": SIGNED_MAP, "vmin": -1} if signed else {"cmap": COLOUR_MAP, "vmin": 0}
        colours |= {"vmax": 1, "interpolation": "nearest"}
        frame.draw(ax, values, title, **colours)
        ax.set_facecolor("0.75" if signed else "white")  # each a colour that its map does not have
        ax.label_outer()
        shown = np.ma.compressed(np.ma.asarray(frame.shown(values)))
        words = "nothing to be heard"
        if shown.size:
            low, middle, high = np.percentile(shown, [5, 50, 95])
            words = f"half of its values are below {middle:.2f}, 90% lie from {low:.2f} to {high:.2f}"
        put_into_words(ax, f"Mask channel {title}: {words}")
    figure.colorbar(axes[0].images[0], ax=axes[0], pad=0.01)
    figure.colorbar(axes[2].images[0], ax=list(axes[1:]), label="value (no unit)", pad=0.01)
    return figure


def show_mask(
    mask: np.ndarray,
    ax: Axes | None = None,
    *,
    hop: int,
    title: str = "",
    max_khz: float = 4,
    sample_rate: int = SAMPLE_RATE,
) -> Axes:
    """A mask over time and frequency, dark where it takes away and bright where it keeps (notebook 01).

    Args:
        mask: real, 0 to 1, `(frames, bins)`.
        hop: samples between frames.
        max_khz: top of the frequency axis.

    Raises:
        InputError: not frames and bins.
    """
    mask = np.asarray(mask, dtype=np.float64)
    if mask.ndim != 2 or not mask.size:
        raise InputError(f"mask: needs shape (frames, bins), has {mask.shape}")
    frame = _Frame(*mask.shape, hop, sample_rate, max_khz)
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    image = frame.draw(ax, mask, title, cmap=COLOUR_MAP, vmin=0, vmax=1)
    ax.figure.colorbar(image, ax=ax, label="share kept (no unit)")
    shown = frame.shown(mask)
    kept, gone = 100 * np.mean(shown > 0.9), 100 * np.mean(shown < 0.1)
    put_into_words(ax, f"{title or 'Mask'}: above 0.9 in {kept:.0f}% of the bins shown, below 0.1 in {gone:.0f}%")
    return ax


def show_shifts(shifts: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """What each query adds to each feature channel of one layer: FiLM's beta, a row a query (notebook 03).

    Args:
        shifts: query -> beta `(channels,)`, as many for each; arrays or tensors on the CPU.

    Raises:
        InputError: no queries, or rows of different length.
    """
    rows = [np.asarray(values, dtype=np.float64) for values in shifts.values()]
    if not rows or rows[0].ndim != 1 or any(row.shape != rows[0].shape for row in rows):
        raise InputError(f"shifts: need one row (channels,) a query, have {[row.shape for row in rows]}")
    values = np.stack(rows)
    ax = ax or plt.subplots(figsize=(8, 1.2 + 0.35 * len(rows)), layout="constrained")[1]
    limit = np.abs(values).max() or 1.0
    image = ax.imshow(values, aspect="auto", cmap=SIGNED_MAP, vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_yticks(range(len(rows)), [f"“{query}”" for query in shifts])
    ax.set(xlabel="feature channel (index)", ylabel="query")
    ax.figure.colorbar(image, ax=ax, label="beta (no unit)", pad=0.01)
    first, *others = shifts
    apart = [
        f"{other}, {np.abs(row - rows[0]).mean():.2f} from {first} on average"
        for other, row in zip(others, rows[1:], strict=True)
    ]
    put_into_words(
        ax,
        f"Shifts of {values.shape[1]} feature channels by query, between {values.min():.2f} and "
        f"{values.max():.2f}; {'; '.join(apart) or first}",
    )
    return ax
