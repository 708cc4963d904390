"""Cut notes out of a mixture with boxes, listen to the rest, and measure it beside the model and the ideal mask."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import ipywidgets
import numpy as np
from IPython.display import HTML
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from lass_lab.course.figures import put_into_words
from lass_lab.course.players import player_html, player_script
from lass_lab.course.players.hands import bridge, drawing_area
from lass_lab.course.plots import COLOURS, draw_bins, show_spectrogram
from lass_lab.course.widgets import Plaything, show_in, with_tooltip
from lass_lab.signal import SAMPLE_RATE, istft, oracle_estimate, sdr, stft

N_FFT, HOP = 2048, 320
MAX_HARMONICS = 24
MAX_KHZ = 4  # top of the picture; boxes reach above it by their harmonics


class Box(NamedTuple):
    """What to cut: the bins from `low_hz` to `high_hz`, and their multiples, for some seconds.

    harmonics: how many multiples, the box itself counted. A note that moves by a little moves its n-th harmonic by n
    times that, so the n-th multiple is n times as high.
    """

    start_s: float
    stop_s: float
    low_hz: float
    high_hz: float
    harmonics: int = 1


def painted_mask(boxes: Sequence[Box], samples: int) -> np.ndarray:
    """The mask that keeps everything but the boxes.

    Args:
        samples: of the mixture that it is for, 32 kHz.

    Returns:
        float32 0 or 1, `(frames, bins)`, for `stft(mixture)` with a window of 2048 and a hop of 320.
    """
    seconds = np.arange(1 + samples // HOP) * HOP / SAMPLE_RATE
    hertz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    mask = np.ones((len(seconds), len(hertz)), dtype=np.float32)
    for box in boxes:
        when = (seconds >= box.start_s) & (seconds <= box.stop_s)
        for n in range(1, box.harmonics + 1):
            mask[np.ix_(when, (hertz >= n * box.low_hz) & (hertz <= n * box.high_hz))] = 0
    return mask


def mask_painter(
    mixture: np.ndarray, target: np.ndarray, model: np.ndarray, boxes: Sequence[Box] = (), *, name: str = "target"
) -> Plaything:
    """A mask painted by hand: what it lets through, and its score beside the model and the ideal mask.

    A box is drawn on the picture with the mouse, or set with the sliders; either way it is repeated at its multiples.

    Args:
        mixture: `(samples,)`, 32 kHz.
        target: the true source, the same shape.
        model: a separator's estimate of it, the same shape.
        boxes: what is cut at first; its picture stays in the page without a kernel.
        name: what the target is called.

    Raises:
        InputError: a waveform that is not finite, or waveforms of different length.
    """
    painted, seconds = list(boxes), len(mixture) / SAMPLE_RATE
    shared = {"continuous_update": False, "layout": ipywidgets.Layout(width="42em")}
    shared["style"] = {"description_width": "8.5em"}
    time = ipywidgets.FloatRangeSlider(
        value=(0, seconds), max=seconds, step=0.05, description="time (s)", readout_format=".2f", **shared
    )
    top = 1000 * MAX_KHZ
    pitch = ipywidgets.FloatRangeSlider(
        value=(0, top), max=top, step=10, description="frequency (Hz)", readout_format=".0f", **shared
    )
    harmonics = ipywidgets.IntSlider(1, min=1, max=MAX_HARMONICS, description="harmonics", **shared)
    cut, undo = (ipywidgets.Button(description=word) for word in ("cut", "undo"))
    picture, answer = ipywidgets.Output(), ipywidgets.Output()

    def draw(_) -> None:
        show_in(picture, _picture(mixture, painted, Box(*time.value, *pitch.value, harmonics.value)))

    def paint(button: ipywidgets.Button) -> None:
        if button is cut:
            painted.append(Box(*time.value, *pitch.value, harmonics.value))
        else:
            del painted[-1:]
        draw(button)
        show_in(answer, _answer(mixture, target, model, painted, name))

    def drawn(sent: dict) -> None:
        span, band = ([end * each for each in sent[axis]] for end, axis in ((seconds, "x"), (top, "y")))
        painted.append(Box(*span, *band, harmonics.value))
        show_in(picture, _picture(mixture, painted))
        show_in(answer, _answer(mixture, target, model, painted, name))

    sliders = [with_tooltip(slider) for slider in (time, pitch, harmonics)]
    for slider in sliders:
        slider.observe(draw, "value")
    for button in (cut, undo):
        button.on_click(paint)
    first = _picture(mixture, painted)
    show_in(picture, first)
    still = HTML(first.data + _answer(mixture, target, model, painted, name).data)
    told = ipywidgets.Label("Draw boxes on the picture with the mouse, or set one with the sliders and cut.")
    box = ipywidgets.VBox([told, *sliders, ipywidgets.HBox([cut, undo]), picture, answer, bridge(drawn)])
    return Plaything(box.add_class("lass-sends"), still)


def _picture(mixture: np.ndarray, boxes: Sequence[Box], following: Box | None = None) -> HTML:
    """The mixture, what is cut, and the outline of the box that would be cut next."""
    mask = painted_mask(boxes, len(mixture))
    ax = show_spectrogram(mixture, title="the mixture, and what is cut", max_khz=MAX_KHZ, db_range=50)
    veil = {"cmap": ListedColormap(["white"]), "alpha": 0.72, "zorder": 2, "interpolation": "nearest"}
    cut, title = np.ma.masked_equal(1 - mask, 0), ax.get_title()
    draw_bins(ax, cut, HOP / SAMPLE_RATE, SAMPLE_RATE / 1000 / N_FFT, max_khz=MAX_KHZ, title=title, **veil)
    if following:
        seconds, khz = following.stop_s - following.start_s, (following.high_hz - following.low_hz) / 1000
        for n in range(1, following.harmonics + 1):
            corner = (following.start_s, n * following.low_hz / 1000)
            ax.add_patch(Rectangle(corner, seconds, n * khz, fill=False, edgecolor=COLOURS[5], linewidth=1.5, zorder=3))
    energy = np.abs(stft(mixture, N_FFT, HOP)) ** 2
    share = 100 * float((mask * energy).sum() / energy.sum())
    words = f"{len(boxes)} box{'' if len(boxes) == 1 else 'es'} cut; {share:.0f}% of the mixture's energy is kept"
    put_into_words(ax, f"Spectrogram of the mixture with a mask over it, {words}")
    coming = ", and the next box outlined" if following else ""
    return drawing_area(ax, f"The mixture, with what the mask takes away whitened{coming}: {words}.")


def _answer(mixture: np.ndarray, target: np.ndarray, model: np.ndarray, boxes: Sequence[Box], name: str) -> HTML:
    """A line of scores, and the players."""
    estimate = istft(painted_mask(boxes, len(mixture)) * stft(mixture, N_FFT, HOP), len(mixture), HOP)
    compared = {
        "your boxes": estimate,
        "the mixture": mixture,
        "silence": np.zeros_like(target),
        "the model": model,
        "the ideal mask": oracle_estimate(mixture, target, "psm", N_FFT, HOP),
    }
    scores = {who: round(sdr(target, each), 1) + 0.0 for who, each in compared.items()}  # + 0.0: no minus zero
    line = ", ".join(f"{who} <b>{score:.1f} dB</b>" for who, score in scores.items())
    heard = {"mixture": mixture, "through your boxes": estimate, "the model": model, f"the true {name}": target}
    return HTML(f"<p>SDR against the true {escape(name)}: {line}.</p>{player_html(heard)}{player_script(hands=True)}")
