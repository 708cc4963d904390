"""The explorer draws what its sliders say and says what it costs; mel bands lie where their frequencies are."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.utils.capture import capture_output

from lass_lab.course.figures import describe
from lass_lab.course.nb01.curves import show_curves
from lass_lab.course.nb01.explorer import HOPS, WINDOWS, show_mel_spectrogram, spectrogram_explorer
from lass_lab.signal import InputError

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(32_000) / 32_000
TONE = np.sin(2 * np.pi * 1000 * TIME).astype(np.float32)


@pytest.fixture
def explorer():
    return spectrogram_explorer({"a tone": TONE, "silence": np.zeros(4000)})


def page_of(control, value):
    with capture_output() as captured, warnings.catch_warnings():
        warnings.simplefilter("error")
        control.value = value
    assert not captured.stderr
    (page,) = [output.data["text/html"] for output in captured.outputs]
    assert page.count("<img") == 1 and not plt.get_fignums()
    return re.sub("<[^>]+>", "", page)


def test_what_stays_without_a_kernel_is_the_first_sound_through_three_windows(explorer):
    page = explorer.still.data
    assert page.count("<img") == 1
    for window in (512, 2048, 8192):
        assert f"Spectrogram of “window {window} = " in page
    assert "near 1000 Hz" in page and "<figcaption>a tone:" in page


def test_each_slider_draws_and_says_what_it_costs(explorer):
    # 2048 / 8 = 256 samples a column: 125 columns of 1025 complex bins a second.
    assert "64 ms, a column every 16 ms" in page_of(explorer.hop, 4)
    words = page_of(explorer.hop, 8)
    assert "bins 15.6 Hz apart" in words and "256,250 numbers a second in place of 32,000" in words
    assert "each column sees 256 ms, a column every 32 ms; bins 3.9 Hz apart" in page_of(explorer.window, 8192)
    words = page_of(explorer.bands, 64)
    assert "64 mel bands. It takes 2,000 numbers a second" in words and "no way back" in words
    assert "a tone" in page_of(explorer.top, 4)
    assert "silence" in page_of(explorer.sound, "silence")


def test_the_way_back_is_exact_for_every_window_and_hop(explorer):
    for window in WINDOWS:
        for hop in HOPS:
            if (explorer.window.value, explorer.hop.value) == (window, hop):
                continue
            with capture_output() as captured:
                explorer.window.value, explorer.hop.value = window, hop
            off = re.search(r"off by (-\d+) dB", captured.outputs[-1].data["text/html"])
            assert int(off[1]) < -120, (window, hop)


def test_bands_too_narrow_for_the_window_are_counted_and_draw_no_warning(explorer):
    page_of(explorer.window, 256)
    assert int(re.search(r"and so empty: (\d+)\.", page_of(explorer.bands, 128))[1]) > 60
    page_of(explorer.bands, 16)
    assert "empty" not in page_of(explorer.window, 4096)


@pytest.mark.parametrize(
    ("sounds", "top", "fault"),
    [({}, 1, "no sounds"), ({"a": np.zeros((2, 9))}, 1, "^a: needs a waveform"), ({"a": TONE}, 3, "one of 1, 2, 4")],
)
def test_what_cannot_be_explored_is_refused(sounds, top, fault):
    with pytest.raises(InputError, match=fault):
        spectrogram_explorer(sounds, max_khz=top)


@pytest.mark.parametrize("hertz", [200, 500, 1000, 3000, 6000])
def test_a_tone_lies_at_its_tick_on_the_mel_axis(hertz):
    ax = show_mel_spectrogram(np.sin(2 * np.pi * hertz * TIME), bands=64, max_khz=8)
    ticks = {label.get_text(): place for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    loudest = ax.images[0].get_array()[:, 50].argmax()
    # A tone between two bands' centres sounds in both.
    assert abs(loudest - ticks[f"{hertz / 1000:g}"]) <= 1
    assert re.search(r"64 bands from 0.05 to 8 kHz; loudest at \d\.\d s near \d+ Hz", describe(ax))


def test_silence_is_a_dark_mel_spectrogram():
    ax = show_mel_spectrogram(np.zeros(4000), title="rest")
    assert describe(ax).startswith("Mel spectrogram of “rest”, 0.1 s, 64 bands from 0.05 to 8 kHz; silent throughout")


def test_curves_hold_their_numbers_and_describe_them():
    ax = show_curves([0, 1, 10], {"a": [5, 1, 2], "b": [0, 3, 4]}, xlabel="x (ms)", ylabel="y (dB)", log_x=True)
    first, second = ax.get_lines()
    assert first.get_xdata().tolist() == [1, 10] and second.get_ydata().tolist() == [3, 4]
    assert first.get_color() != second.get_color() and first.get_linestyle() != second.get_linestyle()
    assert "y (dB) against x (ms); a from 1 to 2" in describe(ax)
    assert show_curves([0, 1], {"a": [5, 1]}, xlabel="x", ylabel="y").get_lines()[0].get_xdata().tolist() == [0, 1]


@pytest.mark.parametrize("curves", [{}, {"a": [1, 2], "b": [1]}])
def test_curves_that_do_not_match_are_refused(curves):
    with pytest.raises(InputError, match="^curves: "):
        show_curves([1, 2], curves, xlabel="x", ylabel="y")
