import base64
import io
import math
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from lass_lab.course.figures import put_into_words
from lass_lab.course.players import player, players
from lass_lab.course.plots import (
    compare_spectrograms,
    describe,
    figure_html,
    show_metric_bars,
    show_spectrogram,
    show_waveforms,
)
from lass_lab.signal import InputError

RATE = 32_000
TIME = np.arange(3 * RATE) / RATE
BURST = (0.5 * np.cos(2 * np.pi * 1_000 * (TIME - 2)) * np.exp(-(((TIME - 2) / 0.2) ** 2))).astype(np.float32)
SILENCE = np.zeros(3 * RATE, np.float32)
TABLE = pd.DataFrame(
    [
        ("tiny", "violin", "sdri", 8.23, 7.1, 9.0),
        ("tiny", "trumpet", "sdri", -3.2, -5.0, -2.0),
        ("finetuned", "violin", "sdri", 10.1, 9.0, 11.5),
        ("finetuned", "trumpet", "sdri", 9.4, math.nan, math.nan),
        ("tiny", "violin", "spectral_mse", 0.00061, math.nan, math.nan),
    ],
    columns=["separator", "query", "metric", "value", "low", "high"],
)


@pytest.fixture(autouse=True)
def draw_on_nothing():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("log_frequency", [False, True])
def test_a_spectrogram_shows_a_burst_where_and_as_loud_as_it_is(log_frequency):
    ax = show_spectrogram(BURST, title="burst", log_frequency=log_frequency)
    assert describe(ax) == "Spectrogram of “burst”, 3.0 s, 0 to 12 kHz; loudest at 2.0 s near 1000 Hz"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (kHz)")
    assert ax.get_xlim() == (0, 3)
    assert ax.get_ylim() == (0.05 if log_frequency else 0, 12)
    image = (ax.collections if log_frequency else ax.images)[0]
    assert image.get_clim()[1] == pytest.approx(20 * math.log10(0.5), abs=0.1)
    assert image.get_clim()[1] - image.get_clim()[0] == pytest.approx(80)
    assert image.colorbar.ax.get_ylabel() == "level (dBFS)"


def test_the_loudest_point_lies_at_its_place_on_the_axes():
    ax = show_spectrogram(BURST)
    (image,) = ax.images
    levels = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    row, column = np.unravel_index(levels.argmax(), levels.shape)
    assert bottom + (row + 0.5) * (top - bottom) / levels.shape[0] == pytest.approx(1.0, abs=1e-9)
    assert left + (column + 0.5) * (right - left) / levels.shape[1] == pytest.approx(2.0, abs=0.1)


def test_a_short_note_survives_in_a_long_recording():
    long = np.zeros(180 * RATE, np.float32)
    long[100 * RATE : 100 * RATE + 2048] = np.sin(2 * np.pi * 1_000 * TIME[:2048])
    ax = show_spectrogram(long)
    assert "loudest at 100.0 s near 1000 Hz" in describe(ax)
    levels = np.asarray(ax.images[0].get_array())
    assert levels.shape[1] <= 1600
    assert levels.max() == pytest.approx(0, abs=0.1)


def test_silence_is_drawn_and_said():
    assert describe(show_spectrogram(SILENCE)) == "Spectrogram, 3.0 s, 0 to 12 kHz; silent throughout"
    figure_html(show_waveforms({"nothing": SILENCE}), "Silence")


def test_axes_given_are_drawn_on_and_given_back():
    before = plt.get_fignums()
    figure, axes = plt.subplots(1, 3)
    assert show_spectrogram(BURST, axes[0]) is axes[0]
    assert show_waveforms({"burst": BURST}, axes[1]) is axes[1]
    assert show_metric_bars(TABLE, axes[2], metric="sdri") is axes[2]
    assert plt.get_fignums() == [*before, figure.number]


def test_compared_spectrograms_share_one_scale_whose_top_is_the_loudest_of_all():
    figure = compare_spectrograms({"mixture": BURST, "estimate": 0.1 * BURST})
    limits = [ax.images[0].get_clim() for ax in figure.axes[:2]]
    assert limits[0] == limits[1]
    assert limits[0][1] == pytest.approx(20 * math.log10(0.5), abs=0.1)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["mixture", "estimate"]
    assert [ax.get_ylabel() for ax in figure.axes[1:]] == ["", "level (dBFS)"]
    assert "Spectrogram of “mixture”" in describe(figure) and "Spectrogram of “estimate”" in describe(figure)


def test_waveforms_share_one_scale():
    ax = show_waveforms({"mixture": BURST, "estimate": 0.5 * BURST, "rest": SILENCE})
    words = "mixture, peak 0.50 at 2.0 s; estimate, peak 0.25 at 2.0 s; rest, silent"
    assert describe(ax) == f"Waveforms, 3.0 s: {words}"
    heights = [path.get_extents().height for lane in ax.collections for path in lane.get_paths()]
    assert heights == pytest.approx([0.96, 0.48, 0], abs=1e-3)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["mixture", "estimate", "rest"]
    assert "±0.5 of full scale" in ax.get_ylabel()


def test_bars_stand_at_their_values_with_their_intervals():
    ax = show_metric_bars(TABLE, metric="sdri")
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [[8.23, -3.2], [10.1, 9.4]]
    intervals = [tuple(path.vertices[:, 1]) for lines in ax.collections for path in lines.get_paths()]
    assert intervals == [(7.1, 9.0), (-5.0, -2.0), (9.0, 11.5)]
    assert ax.get_ylabel() == "SDRi (dB)"
    assert describe(ax) == (
        "Bars of SDRi (dB). tiny, violin: 8.2 (7.1 to 9.0); tiny, trumpet: -3.2 (-5.0 to -2.0); "
        "finetuned, violin: 10.1 (9.0 to 11.5); finetuned, trumpet: 9.4"
    )


def test_bars_need_no_intervals_and_no_choice_of_a_single_metric():
    table = TABLE[TABLE["metric"] == "spectral_mse"].drop(columns=["low", "high"])
    assert describe(show_metric_bars(table)) == "Bars of spectral MSE. tiny, violin: 0.00061"


def test_other_plots_are_described_by_their_lines():
    ax = plt.subplots()[1]
    with pytest.raises(InputError, match="^describe: nothing is plotted$"):
        describe(ax)
    ax.plot([0, 10, 20, 30], [3.0, math.nan, 0.5, 1.0], label="training")
    ax.axvline(10)
    ax.set(title="Loss", xlabel="step", ylabel="L1")
    words = "Loss: L1 against step; training from 3 to 1, lowest 0.5 at 20, highest 3 at 0"
    assert describe(ax) == words
    put_into_words(ax, "It falls")
    assert describe(ax.figure) == "It falls"


def image_of(markup):
    return Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", markup)[1])))


def test_figure_html_carries_picture_caption_and_alt_text_and_closes_the_figure():
    ax = show_spectrogram(BURST, title='<b> & "q"')
    markup = figure_html(ax, "Louder <here> & there").data
    assert "<figcaption>Louder &lt;here&gt; &amp; there</figcaption>" in markup
    assert 'alt="Spectrogram of “&lt;b&gt; &amp; &quot;q&quot;”, 3.0 s' in markup
    assert image_of(markup).format in ("PNG", "WEBP")
    assert not plt.get_fignums()


def test_figure_html_keeps_the_hardest_figure_small():
    noise = np.random.default_rng(0).normal(size=5 * RATE)
    markup = figure_html(compare_spectrograms(dict.fromkeys("abcd", noise)), "Noise").data
    assert len(markup.encode()) <= 150_000
    assert image_of(markup).width > 500


@pytest.mark.parametrize("draw", [show_spectrogram, lambda wave: show_waveforms({"waveform": wave})])
def test_bad_waveforms_are_named(draw):
    for waveform, message in (
        (SILENCE[None], "waveform: needs a waveform of shape (samples,), was given (1, 96000)"),
        (SILENCE[:0], "waveform: needs a waveform of shape (samples,), was given (0,)"),
        (np.array([0, np.nan]), "waveform: holds NaN or infinite samples"),
    ):
        with pytest.raises(InputError) as caught:
            draw(waveform)
        assert str(caught.value) == message


def test_bad_tables_are_named():
    for table, metric, message in (
        (TABLE.drop(columns="query"), "sdri", "table: lacks the column query"),
        (TABLE, None, "table: choose one metric of sdri, spectral_mse, not None"),
        (TABLE, "sdr", "table: choose one metric of sdri, spectral_mse, not sdr"),
        (
            pd.concat([TABLE, TABLE[:1]]),
            "sdri",
            "table: sdri has several rows for separator tiny, query violin; average over pieces first",
        ),
    ):
        with pytest.raises(InputError) as caught:
            show_metric_bars(table, metric=metric)
        assert str(caught.value) == message


def sounds(markup):
    """What each player of a page plays: waveforms at 32 kHz."""
    for encoded in re.findall(r"audio/mpeg;base64,([^\"]+)", markup):
        waveform, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)))
        assert rate == RATE
        yield waveform


def level_db(waveform):
    return 10 * math.log10(np.mean(waveform**2))


@pytest.mark.parametrize("amplitude", [0.01, 0.3, 1.0])
def test_players_are_equally_loud_and_say_the_gain_when_asked(amplitude):
    tone = amplitude * np.sin(2 * np.pi * 440 * TIME)
    markup = player(tone, "a < b", show_gain=True).data
    (played,) = sounds(markup)
    assert level_db(played[: len(tone)]) == pytest.approx(-23, abs=0.1)
    gain = -23 - 10 * math.log10(amplitude**2 / 2)
    assert f"<figcaption>a &lt; b (gain {gain:+.1f} dB)</figcaption>" in markup
    assert "gain" not in player(tone, "a < b").data


def test_players_never_clip_and_stay_at_one_level():
    clicks = np.zeros(3 * RATE)
    clicks[::RATE] = 0.5
    tone = 0.3 * np.sin(2 * np.pi * 440 * TIME)
    played = list(sounds(players({"clicks": clicks, "tone": tone}).data))
    assert len(played) == 2
    assert all(np.abs(waveform).max() <= 1 for waveform in played)
    # Clicks of 0.89 every second have an RMS of 0.89 / sqrt(32000), 46 dB below full scale.
    assert level_db(played[1][: len(tone)]) == pytest.approx(-46.05, abs=0.1)


def test_a_nearly_silent_estimate_stays_quiet_and_silence_is_said():
    (played,) = sounds(player(1e-4 * np.sin(2 * np.pi * 440 * TIME), "residue").data)
    assert level_db(played[: len(TIME)]) == pytest.approx(-80 - 3 + 30, abs=0.5)
    markup = player(SILENCE, "rest").data
    assert "rest (silent)" in markup
    assert np.abs(next(sounds(markup))).max() == 0


@pytest.mark.parametrize("seconds", [13, 15, 18, 19, 27, 60])
def test_a_player_has_at_most_300_kb_and_says_when_it_was_cut(seconds):
    noise = np.random.default_rng(0).normal(size=seconds * RATE)
    markup = player(noise, "noise").data
    assert len(markup.encode()) <= 300_000
    (played,) = sounds(markup)
    kept = min(seconds, 27)
    assert kept <= len(played) / RATE < kept + 0.1
    assert ("the first 27 s of 60 s" in markup) == (seconds == 60)


def test_bad_sounds_are_named():
    for call, message in (
        (lambda: players({}), "players: no waveforms were given"),
        (lambda: player(SILENCE[None], "a"), "a: needs a waveform of shape (samples,), was given (1, 96000)"),
        (lambda: player(np.array([np.inf]), "a"), "a: holds NaN or infinite samples"),
        (lambda: player(SILENCE, "a", sample_rate=96_000), "a: cannot be made an MP3 at 96000 Hz"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == message
