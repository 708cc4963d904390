"""What the playthings of several notebooks share; they need no more than ipywidgets, 7.7 or later."""

from dataclasses import dataclass

import ipywidgets
from IPython.display import HTML, clear_output, display


@dataclass(frozen=True, eq=False)
class Plaything:
    """A widget, and below it a page that needs no kernel; as the last value of a cell it shows itself.

    Attributes:
        widget: the controls and what they show.
        still: what a reader finds where the notebook was converted, or has no kernel.
    """

    widget: ipywidgets.Widget
    still: HTML

    def _ipython_display_(self) -> None:
        display(self.widget, self.still)


def show_in(output: ipywidgets.Output, page: HTML) -> None:
    """Show a page in the place of what the output area showed before."""
    with output:
        clear_output(wait=True)
        display(page)


def with_tooltip(control: ipywidgets.DOMWidget) -> ipywidgets.DOMWidget:
    """The same control, its description as its tooltip: without one, ipywidgets 8 shows "null"."""
    control.tooltip = control.description  # ipywidgets 7 does not take it as an argument
    return control
