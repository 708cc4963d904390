"""A spectrogram explorer: window, hop and mel bands by sliders."""

from collections.abc import Mapping

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, display

from lass_lab.course.figures import figure_html
from lass_lab.course.nb01.plots import show_mel_spectrogram
from lass_lab.course.plots import share_colours, show_spectrogram
from lass_lab.course.widgets import Plaything, with_tooltip
from lass_lab.signal import SAMPLE_RATE, decibels, istft, stft

WINDOWS = (256, 512, 1024, 2048, 4096, 8192, 16384)  # samples
HOPS = (4, 8, 16)  # of them make one window
BANDS = (0, 16, 32, 64, 128, 256)  # mel bands; 0 for all bins, evenly spaced
TOPS_KHZ = (1, 2, 4, 8, 16)


def spectrogram_explorer(sounds: Mapping[str, np.ndarray]) -> Plaything:
    """Sliders for window, hop and mel bands, the spectrogram that they give, and what it costs.

    Moving a control draws at once. What stays in the page without a kernel is the first sound through a short, a
    medium and a long window.

    Args:
        sounds: name to real `(samples,)`, 32 kHz.

    Raises:
        InputError: the first sound is not one finite waveform.
    """
    first = next(iter(sounds))
    shared = {"layout": ipywidgets.Layout(width="30em"), "style": {"description_width": "6em"}}

    def slider(description: str, value: int, texts: Mapping[int, str]) -> ipywidgets.SelectionSlider:
        options = [(text, option) for option, text in texts.items()]
        how = {"value": value, "description": description, "continuous_update": False}
        return with_tooltip(ipywidgets.SelectionSlider(options=options, **how, **shared))

    controls = {
        "sound": ipywidgets.Dropdown(options=list(sounds), description="sound", **shared),
        "bands": slider("rows", 0, {n: f"{n} mel bands" if n else "all bins" for n in BANDS}),
        "max_khz": slider("up to", 1, {khz: f"{khz} kHz" for khz in TOPS_KHZ}),
        "n_fft": slider("window", 2048, {n: f"{n} = {1000 * n / SAMPLE_RATE:g} ms" for n in WINDOWS}),
        "hops": slider("hop", 8, {n: f"window / {n}" for n in HOPS}),
    }

    def draw(sound: str, bands: int, max_khz: int, n_fft: int, hops: int) -> None:
        display(_explored(sounds[sound], sound, n_fft, n_fft // hops, bands, max_khz))

    output = ipywidgets.interactive_output(draw, controls)
    box = ipywidgets.HBox(list(controls.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
    return Plaything(ipywidgets.VBox([box, output]), _three_windows(sounds[first], first))


def _explored(waveform: np.ndarray, name: str, n_fft: int, hop: int, bands: int, max_khz: float) -> HTML:
    numbers = (bands or 2 * (n_fft // 2 + 1)) * SAMPLE_RATE / hop  # a bin is complex: two numbers
    size = f"It takes {numbers:,.0f} numbers a second in place of {SAMPLE_RATE:,}"
    step = f"a column every {1000 * hop / SAMPLE_RATE:g} ms"
    shape = f"{name}: each column sees {1000 * n_fft / SAMPLE_RATE:g} ms, {step}"
    if not bands:
        ax = show_spectrogram(waveform, title=name, n_fft=n_fft, hop=hop, max_khz=max_khz, db_range=60)
        error = istft(stft(waveform, n_fft, hop), len(waveform), hop) - waveform
        off_db = decibels(float(np.sum(error**2)) / max(float(np.sum(waveform**2)), 1e-20))
        back = f"made into sound again, it is off by {off_db:.0f} dB"
        return figure_html(ax, f"{shape}; bins {SAMPLE_RATE / n_fft:.1f} Hz apart. {size}; {back}.")
    ax = show_mel_spectrogram(waveform, title=name, bands=bands, n_fft=n_fft, hop=hop, max_khz=max_khz)
    return figure_html(ax, f"{shape}; {bands} mel bands. {size}, and the way back is poor.")


def _three_windows(waveform: np.ndarray, name: str) -> HTML:
    figure, axes = plt.subplots(1, 3, figsize=(11.2, 3.2), sharey=True, layout="constrained")
    for ax, n_fft in zip(axes, (512, 2048, 8192), strict=True):
        title = f"window {n_fft} = {1000 * n_fft / SAMPLE_RATE:g} ms"
        show_spectrogram(waveform, ax, title=title, n_fft=n_fft, hop=n_fft // 8, max_khz=1, colour_bar=False)
    share_colours(axes, db_range=60)
    return figure_html(figure, f"{name}: one sound, three windows, each with a hop of an eighth of the window.")
