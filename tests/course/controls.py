"""Playthings used as a student does: controls found by what stands beside them, and what they show."""

import re
import warnings

import matplotlib.pyplot as plt
import nbformat
from IPython.utils.capture import capture_output
from nbclient import NotebookClient


def control(plaything, description):
    """The widget with this description."""

    def below(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from below(child)

    return next(each for each in below(plaything.widget) if getattr(each, "description", "") == description)


def set_to(plaything, description, value):
    """Move a control; returns the page that is shown last."""
    return page_after(lambda: setattr(control(plaything, description), "value", value))


def click(plaything, description):
    """Press a button; returns the page that is shown last."""
    return page_after(control(plaything, description).click)


def page_after(act):
    """The page that is shown last; nothing may warn, and no figure stay open."""
    with capture_output() as captured, warnings.catch_warnings():
        warnings.simplefilter("error")
        act()
    assert not captured.stderr and not plt.get_fignums()
    return captured.outputs[-1].data["text/html"]


def text(page):
    """What a page says, without its tags."""
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def run_cells(*sources):
    """Run cells in a kernel of their own; returns the cells' outputs and the state of the widgets."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    return [cell.outputs for cell in notebook.cells], [(each["model_name"], each["state"]) for each in widgets]
