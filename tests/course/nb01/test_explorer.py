"""The explorer draws what its sliders say and says what it costs; pictures of notebook 01 hold their numbers."""

import re

import numpy as np
import pytest

from lass_lab.course.figures import describe
from lass_lab.course.nb01.explorer import spectrogram_explorer
from lass_lab.course.nb01.plots import show_curves, show_mask, show_mel_spectrogram
from tests.course.controls import set_to, text

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(32_000) / 32_000
TONE = np.sin(2 * np.pi * 1000 * TIME).astype(np.float32)


@pytest.fixture
def explorer():
    return spectrogram_explorer({"a tone": TONE, "silence": np.zeros(4000)})


def test_what_stays_without_a_kernel_is_the_first_sound_through_three_windows(explorer):
    page = explorer.still.data
    assert page.count("<img") == 1
    for window in (512, 2048, 8192):
        assert f"Spectrogram of “window {window} = " in page
    assert "near 1000 Hz" in page and "<figcaption>a tone:" in page


def test_each_slider_draws_and_says_what_it_costs(explorer):
    # 2048 / 8 = 256 samples a column: 125 columns of 1025 complex bins a second.
    assert "64 ms, a column every 16 ms" in set_to(explorer, "hop", 4)
    words = text(set_to(explorer, "hop", 8))
    assert "bins 15.6 Hz apart" in words and "256,250 numbers a second in place of 32,000" in words
    assert "each column sees 256 ms, a column every 32 ms; bins 3.9 Hz apart" in set_to(explorer, "window", 8192)
    words = text(set_to(explorer, "rows", 64))
    assert "64 mel bands. It takes 2,000 numbers a second" in words and "the way back is poor" in words
    assert "a tone" in set_to(explorer, "window", 256), "with bands too narrow for a bin, and no warning"
    assert "a tone" in set_to(explorer, "up to", 4)
    assert "silence" in set_to(explorer, "sound", "silence")


@pytest.mark.parametrize("hop", [4, 16])
def test_the_way_back_is_exact_for_every_window(explorer, hop):
    set_to(explorer, "hop", hop)
    for window in (256, 16384):
        assert int(re.search(r"off by (-\d+) dB", set_to(explorer, "window", window))[1]) < -120


@pytest.mark.parametrize("hertz", [200, 1000, 6000])
def test_a_tone_lies_at_its_tick_on_the_mel_axis(hertz):
    ax = show_mel_spectrogram(np.sin(2 * np.pi * hertz * TIME), title="tone")
    ticks = {label.get_text(): place for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    # A tone between two bands' centres sounds in both.
    assert abs(ax.images[0].get_array()[:, 50].argmax() - ticks[f"{hertz / 1000:g}"]) <= 1
    assert re.search(r"“tone”, 1.0 s, 64 bands from 0.05 to 8 kHz; loudest at \d\.\d s near \d+ Hz", describe(ax))


def test_curves_hold_their_numbers_and_describe_them():
    ax = show_curves([1, 10], {"a": [1, 2], "b": [3, 4]}, xlabel="x (ms)", ylabel="y (dB)", log_x=True)
    first, second = ax.get_lines()
    assert list(first.get_xdata()) == [1, 10] and list(second.get_ydata()) == [3, 4]
    assert first.get_color() != second.get_color() and first.get_linestyle() != second.get_linestyle()
    assert "y (dB) against x (ms); a from 1 to 2" in describe(ax)


def test_a_mask_lies_at_its_times_and_frequencies():
    mask = np.zeros((101, 1025))
    mask[50:, 64] = 1
    ax = show_mask(mask, hop=640, title="mask", max_khz=16)
    assert np.array_equal(ax.images[0].get_array(), mask.T) and ax.images[0].get_clim() == (0, 1)
    # Frame 50 is at 1 s, bin 64 at 1 kHz: in the middle of their cells.
    left, right, bottom, top = ax.images[0].get_extent()
    assert left + 50.5 * (right - left) / 101 == pytest.approx(1.0)
    assert bottom + 64.5 * (top - bottom) / 1025 == pytest.approx(1.0)
    assert describe(ax).startswith("mask: above 0.9 in 0% of the bins shown, below 0.1 in 100%")
