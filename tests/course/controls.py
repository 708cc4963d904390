"""Playthings used as a student does: controls found by what stands beside them, what they show, and what it plays."""

import base64
import io
import re
import warnings

import ipywidgets
import matplotlib.pyplot as plt
import soundfile
from IPython.utils.capture import capture_output


def control(plaything, description):
    """The widget with this description."""

    def below(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from below(child)

    return next(each for each in below(plaything.widget) if getattr(each, "description", "") == description)


def bridge_of(plaything):
    """The field through which the page sends what is drawn or dropped."""
    return next(each for each in plaything.widget.children if isinstance(each, ipywidgets.Textarea))


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
    assert captured.stderr == ""
    assert plt.get_fignums() == []
    return captured.outputs[-1].data["text/html"]


def text(page):
    """What a page says, without its tags."""
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def sounds(page):
    """Label -> what its player plays."""
    found = re.findall(r'aria-label="([^"]*)" src="data:audio/mpeg;base64,([^"]+)"', page)
    return {label: soundfile.read(io.BytesIO(base64.b64decode(encoded)))[0] for label, encoded in found}
