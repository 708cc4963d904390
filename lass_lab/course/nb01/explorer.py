"""Window, hop and mel bands by sliders: a spectrogram explorer, and the mel spectrogram as a picture (notebook 01)."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, clear_output, display
from matplotlib.axes import Axes

from lass_lab.course.figures import figure_html, put_into_words
from lass_lab.course.plots import COLOUR_MAP, show_spectrogram
from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform, istft, mel_spectrogram, stft

WINDOWS = (256, 512, 1024, 2048, 4096, 8192, 16384)  # samples
STILL_WINDOWS = (512, 2048, 8192)
HOPS = (4, 8, 16)  # of them make one window
BANDS = (0, 16, 32, 64, 128, 256)  # mel bands; 0 for all bins, evenly spaced
TOPS_KHZ = (1, 2, 4, 8, 16)

_LOWEST_HZ = 50.0
_TICKS_KHZ = (0.2, 0.5, 1, 2, 3, 4, 6, 8, 12, 16)
_SILENT_DB = -200.0


def show_mel_spectrogram(
    waveform: np.ndarray,
    ax: Axes | None = None,
    *,
    title: str = "",
    bands: int = 64,
    n_fft: int = 2048,
    hop: int = 320,
    db_range: float = 60,
    max_khz: float = 8,
    sample_rate: int = SAMPLE_RATE,
) -> Axes:
    """Mel spectrogram in dB below its loudest point; its frequency axis has equal room for every band.

    Args:
        waveform: real `(samples,)`.
        bands: how many, from 50 Hz to `max_khz`. A band too narrow to hold a bin of this window stays dark.
        db_range: how many dB below the loudest point the darkest colour lies.

    Raises:
        InputError: a waveform that is not one-dimensional, is empty, or holds NaN or infinite samples; or bands,
            window or hop that cannot be.
    """
    import librosa  # its scale is Slaney's too

    samples = checked_waveform(waveform, title or "waveform")
    power = _mel_power(samples, bands, n_fft, hop, sample_rate, max_khz)
    decibels = 10 * np.log10(np.maximum(power, 10 ** (_SILENT_DB / 10)))
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    top, step = decibels.max(), hop / sample_rate
    image = ax.imshow(
        decibels.T - top,
        origin="lower",
        aspect="auto",
        extent=(-step / 2, (len(decibels) - 0.5) * step, -0.5, bands - 0.5),
        cmap=COLOUR_MAP,
        vmin=-db_range,
        vmax=0,
    )
    low, high = librosa.hz_to_mel([_LOWEST_HZ, 1000 * max_khz])
    ticks = [khz for khz in _TICKS_KHZ if khz <= max_khz]
    # Band i reaches from the centre of the one below it to that of the one above: the ends are at -1 and `bands`.
    places = (librosa.hz_to_mel(1000 * np.array(ticks)) - low) / (high - low) * (bands + 1) - 1
    ax.set_yticks(places, [f"{khz:g}" for khz in ticks])
    ax.set(
        title=title,
        xlabel="time (s)",
        ylabel="frequency (kHz, mel scale)",
        xlim=(0, len(samples) / sample_rate),
        ylim=(-1, bands),
        facecolor=image.cmap(0),
    )
    ax.figure.colorbar(image, ax=ax, label="level (dB below the loudest)")
    frame, band = np.unravel_index(decibels.argmax(), decibels.shape)
    centre = librosa.mel_frequencies(bands + 2, fmin=_LOWEST_HZ, fmax=1000 * max_khz)[band + 1]
    loudest = f"loudest at {frame * step:.1f} s near {centre:.0f} Hz" if top > _SILENT_DB else "silent throughout"
    name = f"Mel spectrogram of “{title}”" if title else "Mel spectrogram"
    extent = f"{len(samples) / sample_rate:.1f} s, {bands} bands from 0.05 to {max_khz:g} kHz"
    put_into_words(ax, f"{name}, {extent}; {loudest}")
    return ax


@dataclass(frozen=True, eq=False)
class SpectrogramExplorer:
    """What `spectrogram_explorer` makes; as the last value of a cell it shows itself.

    Attributes:
        sound, window, hop, bands, top: the controls; hop is how many hops make a window, top in kHz.
        output: the newest picture and what it took.
        still: the first sound through three windows, as a page that needs no kernel.
    """

    sound: ipywidgets.Dropdown
    window: ipywidgets.SelectionSlider
    hop: ipywidgets.SelectionSlider
    bands: ipywidgets.SelectionSlider
    top: ipywidgets.SelectionSlider
    output: ipywidgets.Output
    still: HTML

    def _ipython_display_(self) -> None:
        controls = ipywidgets.HBox(
            [ipywidgets.VBox([self.sound, self.bands, self.top]), ipywidgets.VBox([self.window, self.hop])],
            layout=ipywidgets.Layout(flex_flow="row wrap"),
        )
        display(ipywidgets.VBox([controls, self.output]))
        display(self.still)


def spectrogram_explorer(sounds: Mapping[str, np.ndarray], *, max_khz: float = 1) -> SpectrogramExplorer:
    """Sliders for window, hop and mel bands, the spectrogram that they give, and what it costs (notebook 01).

    Moving a control draws at once. What stays in the page without a kernel is the first sound through a short, a
    middling and a long window.

    Args:
        sounds: name to real `(samples,)`, 32 kHz.
        max_khz: top of the frequency axis at first: 1, 2, 4, 8 or 16.

    Raises:
        InputError: no sounds, one that is not one finite waveform, or another top.
    """
    if max_khz not in TOPS_KHZ:
        raise InputError(f"max_khz: one of {', '.join(map(str, TOPS_KHZ))}, not {max_khz}")
    if not sounds:
        raise InputError("spectrogram_explorer: no sounds were given")
    sounds = {name: checked_waveform(waveform, name) for name, waveform in sounds.items()}
    first = next(iter(sounds))
    shared = {"layout": ipywidgets.Layout(width="30em"), "style": {"description_width": "6em"}}
    sound = ipywidgets.Dropdown(options=list(sounds), value=first, description="sound", **shared)

    def slider(description: str, value: float, texts: Mapping[float, str]) -> ipywidgets.SelectionSlider:
        options = [(text, option) for option, text in texts.items()]
        control = ipywidgets.SelectionSlider(
            options=options, value=value, description=description, continuous_update=False, **shared
        )
        control.tooltip = description  # where there is none, ipywidgets 8 shows "null"; 7 does not take it above
        return control

    window = slider("window", 2048, {n: f"{n} = {1000 * n / SAMPLE_RATE:g} ms" for n in WINDOWS})
    hop = slider("hop", 8, {n: f"window / {n}" for n in HOPS})
    bands = slider("rows", 0, {n: f"{n} mel bands" if n else "all bins" for n in BANDS})
    top = slider("up to", max_khz, {khz: f"{khz} kHz" for khz in TOPS_KHZ})
    output = ipywidgets.Output()

    def draw(_) -> None:
        hop_size = window.value // hop.value
        page = _explored(sounds[sound.value], sound.value, window.value, hop_size, bands.value, top.value)
        with output:
            clear_output(wait=True)
            display(page)

    for control in (sound, window, hop, bands, top):
        control.observe(draw, "value")
    return SpectrogramExplorer(sound, window, hop, bands, top, output, _three_windows(sounds[first], first, max_khz))


def _explored(waveform: np.ndarray, name: str, n_fft: int, hop: int, bands: int, max_khz: float) -> HTML:
    numbers = (bands or 2 * (n_fft // 2 + 1)) * SAMPLE_RATE / hop  # a bin is complex: two numbers
    size = f"It takes {numbers:,.0f} numbers a second in place of {SAMPLE_RATE:,}"
    step = f"a column every {1000 * hop / SAMPLE_RATE:g} ms"
    shape = f"{name}: each column sees {1000 * n_fft / SAMPLE_RATE:g} ms, {step}"
    if not bands:
        ax = show_spectrogram(waveform, title=name, n_fft=n_fft, hop=hop, max_khz=max_khz, db_range=60)
        back = f"made into sound again, it is off by {_round_trip_db(waveform, n_fft, hop):.0f} dB"
        return figure_html(ax, f"{shape}; bins {SAMPLE_RATE / n_fft:.1f} Hz apart. {size}; {back}.")
    ax = show_mel_spectrogram(waveform, title=name, bands=bands, n_fft=n_fft, hop=hop, max_khz=max_khz)
    empty = _empty_bands(bands, n_fft, max_khz)
    dark = f" Bands too narrow for this window's bins, and so empty: {empty}." if empty else ""
    return figure_html(ax, f"{shape}; {bands} mel bands. {size}, and there is no way back.{dark}")


def _three_windows(waveform: np.ndarray, name: str, max_khz: float) -> HTML:
    figure, axes = plt.subplots(1, 3, figsize=(11.2, 3.2), sharey=True, layout="constrained")
    for ax, n_fft in zip(axes, STILL_WINDOWS, strict=True):
        title = f"window {n_fft} = {1000 * n_fft / SAMPLE_RATE:g} ms"
        show_spectrogram(waveform, ax, title=title, n_fft=n_fft, hop=n_fft // 8, max_khz=max_khz, colour_bar=False)
        ax.label_outer()
    images = [ax.images[0] for ax in axes]
    top = max(image.get_clim()[1] for image in images)
    for image in images:
        image.set_clim(top - 60, top)
    figure.colorbar(images[0], ax=list(axes), label="level (dBFS)", pad=0.01)
    return figure_html(figure, f"{name}: one sound, three windows, each with a hop of an eighth of the window.")


def _round_trip_db(waveform: np.ndarray, n_fft: int, hop: int) -> float:
    """Energy of what `istft(stft(...))` gets wrong, in dB against the sound's own."""
    power = np.mean(np.square(waveform, dtype=np.float64))
    again = istft(stft(waveform, n_fft, hop), len(waveform), hop)
    error = np.mean(np.square(again - waveform, dtype=np.float64))
    return 10 * np.log10(error / power) if error and power else _SILENT_DB


def _mel_power(waveform: np.ndarray, bands: int, n_fft: int, hop: int, sample_rate: int, max_khz: float) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="At least one mel filterbank")  # _empty_bands says so
        return mel_spectrogram(waveform, bands, n_fft, hop, sample_rate, _LOWEST_HZ, 1000 * max_khz)


def _empty_bands(bands: int, n_fft: int, max_khz: float) -> int:
    """How many mel bands hold no bin: a click sounds in every bin, and so in every band that has one."""
    click = np.zeros(n_fft, dtype=np.float32)
    click[0] = 1
    return int(np.sum(_mel_power(click, bands, n_fft, n_fft // 4, SAMPLE_RATE, max_khz)[0] == 0))
