"""Things to play with in a notebook; they need no more than ipywidgets, 7.7 or later."""

import math
from dataclasses import dataclass
from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
from IPython.display import HTML, clear_output, display

from lass_lab.course.players import players
from lass_lab.course.plots import compare_spectrograms, figure_html
from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform

if TYPE_CHECKING:
    from lass_lab.models import LanguageSeparator

_LONGEST_LABEL = 60  # characters of a query that a caption repeats
_PICTURED_S = 8.0  # more, and single notes can no longer be told apart


@dataclass(frozen=True, eq=False)
class QueryBench:
    """What `query_bench` makes; as the last value of a cell it shows itself.

    Attributes:
        text: the field for the query.
        button: asks what the field says; so does leaving the field or pressing Enter in it.
        output: the newest answer, or why there is none.
        still: the answer to the first query, as a page that needs no kernel.
    """

    text: ipywidgets.Text
    button: ipywidgets.Button
    output: ipywidgets.Output
    still: HTML

    def _ipython_display_(self) -> None:
        display(ipywidgets.VBox([ipywidgets.HBox([self.text, self.button]), self.output]))
        display(self.still)


def query_bench(separator: "LanguageSeparator", mixture: np.ndarray, query: str = "violin") -> QueryBench:
    """A field to type a query in, and what the separator hears: players and spectrograms (notebook 00).

    The first query is answered at once, as a still picture with players that stays in the page when the
    notebook is converted or read without a kernel. A query that cannot be answered shows one line.

    Args:
        separator: asked with `separate(mixture, query, progress=False)`.
        mixture: `(samples,)`, 32 kHz.
        query: the first query.

    Raises:
        InputError: the mixture is not one finite waveform, or the first query is empty.
    """
    mixture = checked_waveform(mixture, "mixture")
    still = _answer(separator, mixture, query)
    text = ipywidgets.Text(
        value=query,
        description="query",
        placeholder="name a sound",
        continuous_update=False,
        layout=ipywidgets.Layout(width="28em"),
    )
    text.tooltip = "name a sound in your own words"  # where there is none, ipywidgets 8 shows "null"
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
            with output:
                try:
                    answer = _answer(separator, mixture, shown)
                except InputError as error:
                    answer = HTML(f'<p role="alert">{escape(str(error))}</p>')
                clear_output(wait=True)
                display(answer)
        finally:
            button.disabled, button.description = False, "separate"

    button.on_click(ask)
    text.observe(ask, "value")
    return QueryBench(text, button, output, still)


def _answer(separator: "LanguageSeparator", mixture: np.ndarray, query: str) -> HTML:
    estimate = separator.separate(mixture, query, progress=False)
    name = f"“{shorten(query, _LONGEST_LABEL, placeholder=' …')}”"
    seconds = min(_PICTURED_S, len(mixture) / SAMPLE_RATE)
    shown = slice(0, round(seconds * SAMPLE_RATE))
    caption = (
        f"The mixture and the estimate for {name}, the first {seconds:.0f} s, on one colour scale. "
        f"{_level_in_words(mixture, estimate)}"
    )
    # Any characters may stand in a query; the caption shows them all, a font of the picture may not.
    panels = {"mixture": mixture[shown], "estimate": estimate[shown]}
    picture = figure_html(compare_spectrograms(panels, max_khz=8, db_range=50), caption)
    return HTML(picture.data + players({"mixture": mixture, f"estimate for {name}": estimate}).data)


def _level_in_words(mixture: np.ndarray, estimate: np.ndarray) -> str:
    before, after = (np.mean(np.square(waveform, dtype=np.float64)) for waveform in (mixture, estimate))
    if not after:
        return "The estimate is silent."
    if not before:
        return "The mixture is silent."
    return f"In all, the estimate is at {10 * math.log10(after / before):+.1f} dB against the mixture."
