"""A painted mask cuts what its boxes say, and is scored with the course's own SDR."""

import json
import re

import numpy as np
import pytest

from lass_lab.course.nb01.painting import Box, mask_painter, painted_mask
from lass_lab.signal import sdr
from tests.course.controls import bridge_of, click, page_after, set_to

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(32_000) / 32_000
LOW = (0.2 * np.sin(2 * np.pi * 500 * TIME)).astype(np.float32)
HIGH = (0.2 * np.sin(2 * np.pi * 1500 * TIME)).astype(np.float32)


@pytest.fixture
def painter():
    return mask_painter(LOW + HIGH, LOW, LOW / 2, name="low tone")


def score(page, who="your boxes"):
    return float(re.search(rf"{who} <b>(-?[\d.]+) dB", page)[1])


def test_a_mask_keeps_everything_but_its_boxes():
    mask = painted_mask([Box(0.2, 0.5, 400, 600, harmonics=2)], 32_000)
    assert mask.shape == (101, 1025) and set(np.unique(mask)) == {0, 1}
    # A frame is 10 ms; bin 38 is 594 Hz.
    assert not mask[20:51, 38].any() and mask[19, 38] and mask[51, 38]
    # Twice the box reaches from 800 to 1200 Hz: bins 52 to 76, with something between the two.
    assert not mask[35, 52:77].any() and mask[35, 39:52].all() and mask[35, 77:].all()
    assert painted_mask([], 32_000).all()


def test_the_first_painting_is_there_without_a_kernel_and_scored_by_sdr(painter):
    page = painter.still.data
    assert page.count("<img") == 1 + 4 and page.count("<audio") == 4
    assert "SDR against the true low tone" in page
    assert score(page) == score(page, "the mixture") == pytest.approx(sdr(LOW, LOW + HIGH), abs=0.05)
    assert score(page, "silence") == 0
    assert score(page, "the model") == pytest.approx(sdr(LOW, LOW / 2), abs=0.05)
    assert score(page, "the ideal mask") > 30
    assert "0 boxes cut; 100% of the mixture&#x27;s energy is kept" in page


def test_a_box_drawn_with_the_mouse_is_cut_and_repeated_at_its_multiples(painter):
    set_to(painter, "harmonics", 2)
    # 0.2 to 0.5 s of 1 s; 700 to 800 Hz of 4 kHz, and so 1400 to 1600 Hz, where the other tone is.
    sent = json.dumps({"x": [0.2, 0.5], "y": [0.175, 0.2], "sent": 1})
    page = page_after(lambda: setattr(bridge_of(painter), "value", sent))
    assert score(page) == pytest.approx(-10 * np.log10(1 - 0.31), abs=0.2)
    assert score(click(painter, "undo")) == 0
    first, right, low, high = map(float, re.search('data-axes="([^"]+)"', painter.still.data)[1].split())
    assert 0 < first < 0.2 < 0.7 < right < 1 and 0 < low < 0.3 < 0.7 < high < 1


def test_cutting_the_other_tone_raises_the_score_and_undo_takes_it_back(painter):
    picture = set_to(painter, "frequency (Hz)", (1400, 1600))
    assert "and the next box outlined" in picture and "100% of" in picture
    assert score(click(painter, "cut")) > 20
    assert "1 box cut; 50% of" in set_to(painter, "harmonics", 2)
    assert score(click(painter, "undo")) == 0
    assert score(click(painter, "undo")) == 0, "nothing is left to undo"
