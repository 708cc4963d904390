"""Figures on the page, with a caption and with alt text made from what is plotted."""

import base64
import html
import io
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lass_lab.signal import InputError

MAX_BYTES = 150_000  # of HTML, a figure

_words: WeakKeyDictionary[Axes, str] = WeakKeyDictionary()


def put_into_words(ax: Axes, words: str) -> None:
    """Keep what a plot shows, in words made from its data, for `describe`."""
    _words[ax] = words


def describe(plot: Axes | Figure) -> str:
    """Alt text made from what is plotted.

    The course's own plots say what they show, "Spectrogram of “mixture”, 5.0 s, 0 to 12 kHz; loudest at 1.2 s near
    660 Hz" for instance. For other axes it gives the title, the labels and, for each line, its first, last, lowest
    and highest value.

    Raises:
        InputError: nothing is plotted.
    """
    axes = [plot] if isinstance(plot, Axes) else plot.axes
    parts = [_words[ax] if ax in _words else _lines_in_words(ax) for ax in axes]
    if not any(parts):
        raise InputError("describe: nothing is plotted")
    return ". ".join(filter(None, parts))


def figure_html(plot: Figure | Axes, caption: str) -> HTML:
    """A figure with its caption and alt text, as HTML of at most 150 kB that needs no other file.

    Drawn at 120 dots per inch, as PNG or, where that is too large, as WebP. The figure is closed, so that a notebook
    does not show it a second time.

    Args:
        plot: a figure, or axes, which stand for their figure.
        caption: what to see, in words.

    Raises:
        InputError: nothing is plotted, or the figure is too large even so.
    """
    figure = plot.figure if isinstance(plot, Axes) else plot
    alt, caption = html.escape(describe(figure)), html.escape(caption)
    room = (MAX_BYTES - 500 - len(alt.encode()) - len(caption.encode())) * 3 // 4
    kind, image = _image(figure, room)
    plt.close(figure)
    return HTML(
        f'<figure style="margin:0"><img alt="{alt}" style="max-width:100%" '
        f'src="data:image/{kind};base64,{base64.b64encode(image).decode()}"><figcaption>{caption}</figcaption></figure>'
    )


def _image(figure: Figure, room: int) -> tuple[str, bytes]:
    """PNG where that fits in so many bytes; else WebP, which is far smaller for spectrograms."""
    smaller = [{"format": "webp", "pil_kwargs": {"quality": quality}} for quality in (85, 60, 30)]
    for how in ({"format": "png"}, *smaller):
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=120, **how)
        if buffer.tell() <= room:
            return how["format"], buffer.getvalue()
    raise InputError(f"figure_html: the figure does not fit in {MAX_BYTES // 1000} kB; make it smaller")


def _lines_in_words(ax: Axes) -> str:
    lines = list(filter(None, map(_line_in_words, ax.get_lines())))
    if not lines and not (ax.has_data() and ax.get_xlabel()):  # a colour bar has data and no label along x
        return ""
    what = f"{ax.get_title() or 'Plot'}: {ax.get_ylabel() or 'y'} against {ax.get_xlabel() or 'x'}"
    return "; ".join([what, *lines])


def _line_in_words(line: Line2D) -> str:
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    known = np.isfinite(x) & np.isfinite(y)
    if line.get_transform() != line.axes.transData or not known.any():
        return ""  # a helper line across the axes, or nothing
    x, y = x[known], y[known]
    low, high = y.argmin(), y.argmax()
    # Matplotlib's own name for a line without a label begins with an underscore.
    name = "" if line.get_label().startswith("_") else f"{line.get_label()} "
    return (
        f"{name}from {y[0]:.3g} to {y[-1]:.3g}, lowest {y[low]:.3g} at {x[low]:.3g}, "
        f"highest {y[high]:.3g} at {x[high]:.3g}"
    )
