"""A painted mask keeps what its boxes say, in their order, and is scored with the course's own SDR."""

import re
import warnings

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.utils.capture import capture_output
from nbclient import NotebookClient

from lass_lab.course.nb01.painting import Box, mask_painter, painted_mask
from lass_lab.signal import InputError, sdr

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(32_000) / 32_000
LOW = (0.2 * np.sin(2 * np.pi * 500 * TIME)).astype(np.float32)
HIGH = (0.2 * np.sin(2 * np.pi * 1500 * TIME)).astype(np.float32)
EVERYTHING = Box(0, 1, 0, 16_000)
KERNEL = """
import numpy as np

from lass_lab.course.nb01.explorer import spectrogram_explorer
from lass_lab.course.nb01.painting import mask_painter

tone = np.sin(np.arange(8000) / 10).astype(np.float32)
painter, explorer = mask_painter(2 * tone, tone, tone), spectrogram_explorer({"tone": tone})
painter
"""
PLAY = """
for button in (painter.keep, painter.cut, painter.undo):
    button.click()
explorer.window.value, explorer.bands.value = 512, 32
explorer
"""


@pytest.fixture
def painter():
    return mask_painter(LOW + HIGH, LOW, LOW / 2, [EVERYTHING], name="low tone")


def page_after(act):
    """What is shown last: the picture after a slider, the answer after a button."""
    with capture_output() as captured, warnings.catch_warnings():
        warnings.simplefilter("error")
        act()
    assert not captured.stderr and not plt.get_fignums()
    return captured.outputs[-1].data["text/html"]


def score(page, who="your boxes"):
    return float(re.search(rf"{who} <b>(-?[\d.]+) dB", page)[1])


def test_a_mask_is_its_boxes_in_their_order():
    boxes = [Box(0.2, 0.5, 400, 600, harmonics=2), Box(0.3, 0.4, 0, 500, keep=False)]
    mask = painted_mask(boxes, 32_000)
    assert mask.shape == (101, 1025) and set(np.unique(mask)) == {0, 1}
    # A frame is 10 ms; bin 32 is 500 Hz, bin 38 is 594 Hz.
    assert mask[20:51, 38].all() and not mask[19, 38] and not mask[51, 38]
    assert mask[20, 32] and not mask[35, 32] and mask[45, 32]
    # Twice the box reaches from 800 to 1200 Hz: bins 52 to 76, with nothing between the two.
    assert mask[35, 52:77].all() and not mask[35, 39:52].any() and not mask[35, 77:].any()
    assert not painted_mask([], 32_000).any()


def test_the_first_painting_is_there_without_a_kernel_and_scored_by_sdr(painter):
    page = painter.still.data
    assert page.count("<img") == 1 and page.count("<audio") == 4
    assert "SDR against the true low tone" in page
    assert score(page) == score(page, "the mixture") == pytest.approx(sdr(LOW, LOW + HIGH), abs=0.05)
    assert score(page, "silence") == 0
    assert score(page, "the model") == pytest.approx(sdr(LOW, LOW / 2), abs=0.05)
    assert score(page, "the ideal mask") > 30
    assert "1 box painted; 100% of the mixture&#x27;s energy is kept" in page


def test_cutting_the_other_tone_raises_the_score_and_undo_takes_it_back(painter):
    picture = page_after(lambda: setattr(painter.pitch, "value", (1400, 1600)))
    assert "and the next box outlined" in picture and "100% of" in picture
    assert score(page_after(painter.cut.click)) > 20
    assert painter.boxes == [EVERYTHING, Box(0, 1, 1400, 1600, 1, keep=False)]
    assert "2 boxes painted; 50% of" in page_after(lambda: setattr(painter.harmonics, "value", 2))
    assert score(page_after(painter.undo.click)) == 0
    assert painter.boxes == [EVERYTHING]


def test_starting_again_and_keeping_the_tone_is_as_good(painter):
    answer = page_after(painter.clear.click)
    assert not painter.boxes and score(answer) == 0 and "through your boxes (silent)" in answer
    assert score(page_after(painter.undo.click)) == 0, "nothing is left to undo"
    page_after(lambda: setattr(painter.pitch, "value", (400, 600)))
    page_after(lambda: setattr(painter.harmonics, "value", 2))
    assert score(page_after(painter.keep.click)) > 20
    assert painter.boxes == [Box(0, 1, 400, 600, harmonics=2)]


def test_painters_do_not_share_their_boxes():
    boxes = [EVERYTHING]
    painter = mask_painter(LOW + HIGH, LOW, LOW, boxes)
    page_after(painter.cut.click)
    assert boxes == [EVERYTHING] and len(painter.boxes) == 2


@pytest.mark.parametrize(
    ("mixture", "fault"), [(LOW[:-1], "have 31999, 32000 and 32000"), (np.zeros((2, 9)), "^mixture: needs a waveform")]
)
def test_sounds_that_do_not_match_are_refused(mixture, fault):
    with pytest.raises(InputError, match=fault):
        mask_painter(mixture, LOW, LOW)


def test_in_a_kernel_each_output_holds_what_was_drawn_last():
    cells = [nbformat.v4.new_code_cell(cell) for cell in (KERNEL, PLAY)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert all("<img" in cell.outputs[-1]["data"]["text/html"] for cell in notebook.cells), "the still pictures"
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    outputs = [widget["state"]["outputs"] for widget in state.values() if widget["model_name"] == "OutputModel"]
    pages = sorted((output["data"]["text/html"] for (output,) in outputs), key=len)
    assert len(pages) == 3
    assert any("1 box painted" in page for page in pages)
    assert any("your boxes <b>" in page for page in pages)
    assert any("32 mel bands" in page for page in pages)
