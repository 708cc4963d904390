"""A field to type queries in, which the separator answers with players and spectrograms."""

from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
from IPython.display import HTML

from lass_lab.course.players import players
from lass_lab.course.plots import compare_spectrograms, figure_html
from lass_lab.course.widgets import Plaything, show_in, with_tooltip
from lass_lab.experiments.evaluation import level_db
from lass_lab.signal import SAMPLE_RATE, InputError

if TYPE_CHECKING:
    from lass_lab.models import LanguageSeparator

_LONGEST_LABEL = 60  # characters of a query that a caption repeats
_PICTURED_S = 8.0  # in more, single notes can no longer be told apart


def query_bench(separator: "LanguageSeparator", mixture: np.ndarray, query: str = "violin") -> Plaything:
    """A field to type a query in, and the estimate: players and spectrograms.

    The first query is answered at once, as a still picture with players that stays in the page when the notebook is
    converted or read without a kernel. A query that cannot be answered shows one line.

    Args:
        separator: asked with `separate(mixture, query, progress=False)`.
        mixture: `(samples,)`, 32 kHz.
        query: the first query.

    Raises:
        InputError: the mixture is not one finite waveform, or the first query is empty.
    """
    still = _answer(separator, mixture, query)
    width = ipywidgets.Layout(width="28em")
    text = with_tooltip(
        ipywidgets.Text(query, description="query", placeholder="name a sound", continuous_update=False, layout=width)
    )
    button = ipywidgets.Button(description="separate", button_style="primary")
    output = ipywidgets.Output()
    shown: str | None = None

    def ask(_) -> None:
        nonlocal shown
        # Clicking the button leaves the field, which asks by itself: the same words are answered once.
        if text.value == shown:
            return
        shown, button.disabled, button.description = text.value, True, "separating …"
        try:
            page = _answer(separator, mixture, shown)
        except InputError as error:
            page = HTML(f'<p role="alert">{escape(str(error))}</p>')
        finally:
            button.disabled, button.description = False, "separate"
        show_in(output, page)

    button.on_click(ask)
    text.observe(ask, "value")
    return Plaything(ipywidgets.VBox([ipywidgets.HBox([text, button]), output]), still)


def _answer(separator: "LanguageSeparator", mixture: np.ndarray, query: str) -> HTML:
    estimate = separator.separate(mixture, query, progress=False)
    name = f"“{shorten(query, _LONGEST_LABEL, placeholder=' …')}”"
    seconds = min(_PICTURED_S, len(mixture) / SAMPLE_RATE)
    shown = slice(0, round(seconds * SAMPLE_RATE))
    level = f"at {level_db(estimate, mixture):+.1f} dB against the mixture" if estimate.any() else "silent"
    caption = (
        f"The mixture and the estimate for {name}, the first {seconds:.0f} s, on one colour scale. "
        f"In all, the estimate is {level}."
    )
    # Any characters may stand in a query; the caption shows them all, a font of the picture may not.
    panels = {"mixture": mixture[shown], "estimate": estimate[shown]}
    picture = figure_html(compare_spectrograms(panels, max_khz=8, db_range=50), caption)
    return HTML(picture.data + players({"mixture": mixture, f"estimate for {name}": estimate}).data)
