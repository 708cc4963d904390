"""A field to type queries in, and a place for recordings: both are answered with a player and spectrograms."""

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten

import ipywidgets
import numpy as np
from IPython.display import HTML

from lass_lab.course.players import player_script, players
from lass_lab.course.players.hands import bridge
from lass_lab.course.plots import compare_spectrograms, figure_html
from lass_lab.course.widgets import Plaything, show_in, with_tooltip
from lass_lab.experiments.evaluation import level_db
from lass_lab.models import LanguageSeparator
from lass_lab.signal import SAMPLE_RATE, InputError, read_audio

_LONGEST_LABEL = 60  # characters of a query that a caption repeats
LONGEST_S = 20.0  # of a recording, so that the answer comes soon
RECORDED_S = 5
_PICTURED_S = 8.0  # in more, single notes can no longer be told apart


def query_bench(separator: LanguageSeparator, mixture: np.ndarray, query: str = "violin") -> Plaything:
    """A field to type a query in, and the estimate: a player and spectrograms.

    The first query is answered at once, as a still picture with a player that stays in the page when the notebook is
    converted or read without a kernel. A query that cannot be answered shows one line.

    Args:
        separator: asked with `separate(mixture, query, progress=False)`.
        mixture: `(samples,)`, 32 kHz.
        query: the first query.

    Raises:
        InputError: the mixture is not one finite waveform, or the first query is empty.
    """
    still = _answer(separator, mixture, query)
    text = _query_field(query)
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
            page = _answered(lambda: _answer(separator, mixture, text.value))
        finally:
            button.disabled, button.description = False, "separate"
        show_in(output, page)

    button.on_click(ask)
    text.observe(ask, "value")
    return Plaything(ipywidgets.VBox([ipywidgets.HBox([text, button]), output]), still)


def your_recording(separator: LanguageSeparator, query: str = "violin") -> Plaything:
    """A place for a recording of your own: choose a file, drop one, or record a few seconds; and the estimate.

    A file in which there is no sound shows one line; of a long one the first 20 s are taken.

    Args:
        separator: asked with `separate(mixture, query, progress=False)`.
        query: what stands in the field at first.
    """
    text, output, last = _query_field(query), ipywidgets.Output(), ()
    upload = ipywidgets.FileUpload(accept="audio/*,video/*", description="choose a file")
    record = ipywidgets.HTML(
        f'<button type="button" class="lass-record jupyter-button" data-seconds="{RECORDED_S}">'
        f"record {RECORDED_S} s</button>"
    )
    drop = ipywidgets.HTML(
        "or drop one here, 7 MB at most. It goes nowhere but to the computer on which the notebook runs."
    )

    def take(name: str, content: bytes) -> None:
        nonlocal last
        last = name, content
        page = _answered(lambda: _answer(separator, _decoded(name, content), text.value))
        show_in(output, HTML(f"<p>{escape(name)}:</p>{page.data}"))

    def chosen(change: dict) -> None:
        files = change["new"]
        if isinstance(files, dict):  # ipywidgets 7: name -> file
            files = [{"name": name, **file} for name, file in files.items()]
        for file in files[-1:]:
            take(file["name"], bytes(file["content"]))

    upload.observe(chosen, "value")
    text.observe(lambda _: last and take(*last), "value")

    def dropped(sent: dict) -> None:
        if "data" in sent:
            take(sent["name"], base64.b64decode(sent["data"]))
        else:
            line = f"{sent['name']}: {sent['size'] / 1e6:.0f} MB are too large; cut out the part that you want to hear"
            show_in(output, HTML(f'<p role="alert">{escape(line)}</p>'))

    field = bridge(dropped)
    box = ipywidgets.VBox([text, ipywidgets.HBox([upload, record, drop]), output, field])
    for name in ("lass-sends", "lass-drop"):
        box.add_class(name)
    told = "With a running kernel, a recording of yours is separated here."
    return Plaything(box, HTML(f"<p>{told}</p>{player_script(hands=True)}"))


def _query_field(query: str) -> ipywidgets.Text:
    width = ipywidgets.Layout(width="28em")
    return with_tooltip(
        ipywidgets.Text(query, description="query", placeholder="name a sound", continuous_update=False, layout=width)
    )


def _answered(answer: Callable[[], HTML]) -> HTML:
    """The answer, or the line that says why there is none."""
    try:
        return answer()
    except InputError as error:
        return HTML(f'<p role="alert">{escape(str(error))}</p>')


def _decoded(name: str, content: bytes) -> np.ndarray:
    """The beginning of a recording. Raises AudioError: it is none."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        try:
            return read_audio(path)[: round(LONGEST_S * SAMPLE_RATE)]
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from None


def _answer(separator: LanguageSeparator, mixture: np.ndarray, query: str) -> HTML:
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
