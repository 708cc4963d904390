"""From the page to the kernel: what somebody draws on a figure, drops or records; and figures to click on.

There is no widget for these among ipywidgets' own. A text field that nobody sees carries them: the player's script
writes JSON into it as if it had been typed, which JupyterLab, Notebook and Colab hand to the kernel.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import numpy as np
from IPython.display import HTML
from matplotlib.axes import Axes

from lass_lab.course.figures import figure_html
from lass_lab.course.players.sets import player_html, player_script


def bridge(receive: Callable[[dict[str, Any]], None]) -> ipywidgets.Textarea:
    """The field; give the box that holds it, and what is drawn on or dropped on, the class "lass-sends".

    Args:
        receive: called with what the page sends: `x` and `y` (two numbers each, 0 to 1 along the axes of a figure),
            or `name` and `data` (of a file, in base64; of one that is too large for a message, `size` in bytes).
    """
    field = ipywidgets.Textarea(continuous_update=False, layout=ipywidgets.Layout(display="none"))
    field.add_class("lass-bridge")
    field.observe(lambda change: receive(json.loads(change["new"])), "value")
    return field


def drawing_area(ax: Axes, caption: str) -> HTML:
    """The figure of these axes; a rectangle drawn on them with the mouse goes through the bridge."""
    page = figure_html(ax, caption).data
    return HTML(f'<div class="lass-area lass-draw" data-axes="{_extent(ax)}">{page}</div>')


def sounding_map(ax: Axes, caption: str, waveforms: Mapping[str, np.ndarray], places: np.ndarray) -> HTML:
    """The figure of these axes and a player below it; a click on the figure plays the sound that is nearest.

    Args:
        waveforms: label to `(samples,)`, 32 kHz.
        places: where on the axes each of them lies, `(sounds, 2)`.
    """
    page = figure_html(ax, caption).data  # which lays the axes out
    points = ax.transAxes.inverted().transform(ax.transData.transform(places)).round(4).tolist()
    sounds = player_html(waveforms, pictures=False)
    about = f'class="lass-area lass-map" data-axes="{_extent(ax)}" data-points="{points}"'
    return HTML(f"<div {about}>{page}{sounds}</div>{player_script(hands=True)}")


def _extent(ax: Axes) -> str:
    """Left, right, lower and upper end of the axes, in parts of the figure."""
    place = ax.get_position()
    return " ".join(f"{each:.4f}" for each in (place.x0, place.x1, place.y0, place.y1))
