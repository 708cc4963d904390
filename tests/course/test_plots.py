"""Pictures show what they were given, and say it in words; tables have every number in its place."""

import base64
import io
import math
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lass_lab.course.figures import describe, figure_html, put_into_words
from lass_lab.course.plots import (
    compare_spectrograms,
    results_table,
    show_intervals,
    show_metric_bars,
    show_similarity,
    show_spectrogram,
)
from lass_lab.signal import InputError

RATE = 32_000
TIME = np.arange(3 * RATE) / RATE
BURST = (0.5 * np.cos(2 * np.pi * 1_000 * (TIME - 2)) * np.exp(-(((TIME - 2) / 0.2) ** 2))).astype(np.float32)
BARS = pd.DataFrame(
    [("tiny", "violin", 8.23), ("tiny", "trumpet", -3.2), ("finetuned", "violin", 10.1), ("finetuned", "trumpet", 9.4)],
    columns=["separator", "query", "value"],
)


def test_a_spectrogram_shows_a_burst_where_and_as_loud_as_it_is():
    ax = show_spectrogram(BURST, title="burst")
    assert describe(ax) == "Spectrogram of “burst”, 3.0 s, 0 to 12 kHz; loudest at 2.0 s near 1000 Hz"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (kHz)")
    assert ax.get_xlim() == (0, 3) and ax.get_ylim() == (0, 12)
    (image,) = ax.images
    assert image.get_clim() == pytest.approx((20 * math.log10(0.5) - 80, 20 * math.log10(0.5)), abs=0.1)
    assert image.colorbar.ax.get_ylabel() == "level (dBFS)"
    levels, (left, right, bottom, top) = np.asarray(image.get_array()), image.get_extent()
    row, column = np.unravel_index(levels.argmax(), levels.shape)
    assert bottom + (row + 0.5) * (top - bottom) / levels.shape[0] == pytest.approx(1.0, abs=1e-9)
    assert left + (column + 0.5) * (right - left) / levels.shape[1] == pytest.approx(2.0, abs=0.1)


def test_a_short_note_survives_in_a_long_recording():
    long = np.zeros(180 * RATE, np.float32)
    long[100 * RATE : 100 * RATE + 2048] = np.sin(2 * np.pi * 1_000 * TIME[:2048])
    assert describe(show_spectrogram(0 * long)) == "Spectrogram, 180.0 s, 0 to 12 kHz; silent throughout"
    ax = show_spectrogram(long)
    assert "loudest at 100.0 s near 1000 Hz" in describe(ax)
    levels = np.asarray(ax.images[0].get_array())
    assert levels.shape[1] <= 1600 and levels.max() == pytest.approx(0, abs=0.1)


def test_compared_spectrograms_share_one_scale_whose_top_is_the_loudest_of_all():
    panels = {"mixture": BURST, "estimate": 0.1 * BURST}
    figure = compare_spectrograms(panels, db_range=50)
    top = 20 * math.log10(0.5)
    for ax in figure.axes[:2]:
        assert ax.images[0].get_clim() == pytest.approx((top - 50, top), abs=0.1)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["mixture", "estimate"]
    assert [ax.get_ylabel() for ax in figure.axes[1:]] == ["", "level (dBFS)"]
    assert "Spectrogram of “mixture”" in describe(figure) and "Spectrogram of “estimate”" in describe(figure)


def test_bars_stand_at_their_values():
    ax = show_metric_bars(BARS)
    bars = {(patch.get_x() > 0.5, patch.get_height()) for patch in ax.patches}
    assert bars == {(False, 8.23), (True, -3.2), (False, 10.1), (True, 9.4)}
    assert ax.get_ylabel() == "SDR (dB)" and {text.get_text() for text in ax.texts} == {"8.2", "-3.2", "10.1", "9.4"}
    assert describe(ax) == (
        "Bars of SDR (dB). tiny, violin: 8.2; tiny, trumpet: -3.2; finetuned, violin: 10.1; finetuned, trumpet: 9.4"
    )


def test_means_stand_below_each_other_with_their_intervals_and_floors():
    table = pd.DataFrame({"mean": [3.0, 0.1], "low": [2.0, -1.0], "high": [4.0, 1.0]}, index=["oboe", "trumpet"])
    ax = show_intervals(table, "SDR (dB)", {"silence": 0.0, "mixture": -1.6})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["oboe", "trumpet"] and ax.yaxis_inverted()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["silence: 0.0", "mixture: -1.6"]
    assert describe(ax) == "SDR (dB): oboe 3.00, 2.00 to 4.00; trumpet 0.10, -1.00 to 1.00"


def test_a_table_of_results_has_every_number_in_its_place_and_keeps_the_order():
    rows = [
        ("mixture", "violin", "SDR", 1.0, 1.26, 0.5, 2.04),
        ("mixture", "trumpet", "SDR", -1.0, -1.3, -2.0, -0.5),
        ("tiny", "violin", "SDR", 9.0, 8.0, 7.0, 9.0),
        ("tiny", "violin", "MSE", 0.00012, 0.00034, 0.0001, 0.0005),
    ]
    results = pd.DataFrame(rows, columns=["separator", "source", "metric", "value", "mean", "low", "high"])
    table = results_table(results)
    assert list(table.index) == [("violin", "mixture"), ("violin", "tiny"), ("trumpet", "mixture")]
    assert table.columns.tolist() == ["SDR (dB)", "MSE"]
    assert table.to_numpy().tolist() == [["1.0", "–"], ["9.0", "1.2e-04"], ["-1.0", "–"]]
    assert results_table(results, intervals=True).loc[("violin", "mixture"), "SDR (dB)"] == "1.3 [0.5, 2.0]"


def test_similarity_names_the_nearest_and_of_words_against_themselves_the_nearest_other():
    cosines = np.array([[1.0, 0.2, 0.7], [0.2, 1.0, 0.3], [0.7, 0.3, 1.0]])
    ax = show_similarity(cosines, ["a", "b", "c"], ["a", "b", "c"])
    assert describe(ax) == "Similarity of 3 rows and 3 columns; nearest: a to c, b to c, c to a"
    assert [text.get_text() for text in ax.texts][:3] == ["1.00", "0.20", "0.70"]
    assert "a to x, b to y" in describe(show_similarity(cosines[:2], ["a", "b"], ["x", "y", "z"]))


def test_other_plots_are_described_by_their_lines():
    ax = plt.subplots()[1]
    with pytest.raises(InputError, match="nothing is plotted"):
        describe(ax)
    ax.plot([0, 10, 20, 30], [3.0, math.nan, 0.5, 1.0], label="training")
    ax.axvline(10)
    ax.set(title="Loss", xlabel="step", ylabel="L1")
    assert describe(ax) == "Loss: L1 against step; training from 3 to 1, lowest 0.5 at 20, highest 3 at 0"
    put_into_words(ax, "It falls")
    assert describe(ax.figure) == "It falls"


def image_of(page):
    return Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])))


def test_a_page_carries_picture_caption_and_alt_text_and_closes_the_figure():
    page = figure_html(show_spectrogram(BURST, title='<b> & "q"'), "Louder <here> & there").data
    assert "<figcaption>Louder &lt;here&gt; &amp; there</figcaption>" in page
    assert 'alt="Spectrogram of “&lt;b&gt; &amp; &quot;q&quot;”, 3.0 s' in page
    assert image_of(page).format in ("PNG", "WEBP")
    assert not plt.get_fignums()


def test_the_page_of_the_hardest_figure_is_small():
    noise = np.random.default_rng(0).normal(size=5 * RATE)
    page = figure_html(compare_spectrograms(dict.fromkeys("abcd", noise)), "Noise").data
    assert len(page.encode()) <= 150_000 and image_of(page).width > 500
