"""Paint a mask with boxes, hear it, and measure it beside the model and the ideal mask (notebook 01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import ipywidgets
import numpy as np
from IPython.display import HTML, clear_output, display
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from lass_lab.course.figures import figure_html, put_into_words
from lass_lab.course.players import players
from lass_lab.course.plots import show_spectrogram
from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform, istft, oracle_estimate, sdr, stft

N_FFT, HOP = 2048, 320
MAX_HARMONICS = 24


class Box(NamedTuple):
    """One stroke of the brush: the bins from `low_hz` to `high_hz`, and their multiples, for some seconds.

    harmonics: how many multiples, the box itself counted. keep: let through (True) or take away.
    """

    start_s: float
    stop_s: float
    low_hz: float
    high_hz: float
    harmonics: int = 1
    keep: bool = True

    def ranges(self) -> list[tuple[float, float]]:
        """The frequencies it covers, in Hz: a note that moves by a little moves its n-th harmonic by n times that."""
        return [(n * self.low_hz, n * self.high_hz) for n in range(1, self.harmonics + 1)]


def painted_mask(boxes: Sequence[Box], samples: int) -> np.ndarray:
    """The mask that boxes paint, from nothing kept, in their order; a later one goes over an earlier one.

    Args:
        samples: of the mixture that it is for, 32 kHz.

    Returns:
        float32 0 or 1, `(frames, bins)`, for `stft(mixture)` with a window of 2048 and a hop of 320.
    """
    seconds = np.arange(1 + samples // HOP) * HOP / SAMPLE_RATE
    hertz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    mask = np.zeros((len(seconds), len(hertz)), dtype=np.float32)
    for box in boxes:
        when = (seconds >= box.start_s) & (seconds <= box.stop_s)
        pitches = np.any([(hertz >= low) & (hertz <= high) for low, high in box.ranges()], axis=0)
        mask[np.ix_(when, pitches)] = box.keep
    return mask


@dataclass(frozen=True, eq=False)
class MaskPainter:
    """What `mask_painter` makes; as the last value of a cell it shows itself.

    Attributes:
        time, pitch, harmonics: sliders for the next box.
        keep, cut, undo, clear: buttons; the first two paint the box.
        picture: the mixture, what the mask takes away, and the next box.
        output: what is heard through the mask, and the scores.
        still: the first painting, as a page that needs no kernel.
        boxes: what is painted so far.
    """

    time: ipywidgets.FloatRangeSlider
    pitch: ipywidgets.FloatRangeSlider
    harmonics: ipywidgets.IntSlider
    keep: ipywidgets.Button
    cut: ipywidgets.Button
    undo: ipywidgets.Button
    clear: ipywidgets.Button
    picture: ipywidgets.Output
    output: ipywidgets.Output
    still: HTML
    boxes: list[Box]

    def _ipython_display_(self) -> None:
        buttons = ipywidgets.HBox([self.keep, self.cut, self.undo, self.clear])
        display(ipywidgets.VBox([self.time, self.pitch, self.harmonics, buttons, self.picture, self.output]))
        display(self.still)


def mask_painter(
    mixture: np.ndarray,
    target: np.ndarray,
    model: np.ndarray,
    boxes: Sequence[Box] = (),
    *,
    name: str = "target",
    max_khz: float = 4,
) -> MaskPainter:
    """Boxes by sliders: a mask painted by hand, heard, and scored beside the model and the ideal mask (notebook 01).

    Args:
        mixture: `(samples,)`, 32 kHz.
        target: the true source, the same shape.
        model: a separator's estimate of it, the same shape.
        boxes: what is painted at first; its picture stays in the page without a kernel.
        name: what the target is called.
        max_khz: top of the picture; boxes may reach above it by their harmonics.

    Raises:
        InputError: a waveform that is not one, or of another length.
    """
    sounds = {"mixture": mixture, name: target, "model": model}
    sounds = {label: checked_waveform(waveform, label) for label, waveform in sounds.items()}
    canvas = _Canvas(*sounds.values(), name, max_khz)
    painted = list(boxes)
    seconds = len(canvas.mixture) / SAMPLE_RATE
    shared = {"continuous_update": False, "layout": ipywidgets.Layout(width="42em")}
    shared["style"] = {"description_width": "7em"}
    time = ipywidgets.FloatRangeSlider(
        value=(0, seconds), min=0, max=seconds, step=0.05, description="time (s)", readout_format=".2f", **shared
    )
    pitch = ipywidgets.FloatRangeSlider(
        value=(0, 1000 * max_khz),
        min=0,
        max=1000 * max_khz,
        step=10,
        description="frequency (Hz)",
        readout_format=".0f",
        **shared,
    )
    harmonics = ipywidgets.IntSlider(value=1, min=1, max=MAX_HARMONICS, description="harmonics", **shared)
    for control in (time, pitch, harmonics):
        control.tooltip = control.description  # where there is none, ipywidgets 8 shows "null"
    keep, cut, undo, clear = (ipywidgets.Button(description=word) for word in ("keep", "cut", "undo", "start again"))
    picture, output = ipywidgets.Output(), ipywidgets.Output()

    def draw(_=None) -> None:
        page = canvas.picture(painted, Box(*time.value, *pitch.value, harmonics.value))
        with picture:
            clear_output(wait=True)
            display(page)

    def answer() -> None:
        draw()
        page = canvas.answer(painted)
        with output:
            clear_output(wait=True)
            display(page)

    def paint(button) -> None:
        painted.append(Box(*time.value, *pitch.value, harmonics.value, button is keep))
        answer()

    def take_back(button) -> None:
        del painted[-1 if button is undo else 0 :]
        answer()

    for slider in (time, pitch, harmonics):
        slider.observe(draw, "value")
    for button, act in ((keep, paint), (cut, paint), (undo, take_back), (clear, take_back)):
        button.on_click(act)
    still = HTML(canvas.picture(painted).data + canvas.answer(painted).data)
    return MaskPainter(time, pitch, harmonics, keep, cut, undo, clear, picture, output, still, painted)


class _Canvas:
    """What is painted on, and what does not change while it is."""

    def __init__(self, mixture: np.ndarray, target: np.ndarray, model: np.ndarray, name: str, max_khz: float) -> None:
        if not len(mixture) == len(target) == len(model):
            lengths = f"{len(mixture)}, {len(target)} and {len(model)}"
            raise InputError(f"mask_painter: mixture, target and model have {lengths} samples, not as many")
        self.mixture, self.target, self.model, self.name, self.max_khz = mixture, target, model, name, max_khz
        self.spectrum = stft(mixture, N_FFT, HOP)
        ideal = oracle_estimate(mixture, target, "psm", N_FFT, HOP)
        known = {"the mixture": mixture, "silence": np.zeros_like(target), "the model": model, "the ideal mask": ideal}
        self.scores = {who: sdr(target, estimate) for who, estimate in known.items()}

    def picture(self, boxes: Sequence[Box], following: Box | None = None) -> HTML:
        mask = painted_mask(boxes, len(self.mixture))
        ax = show_spectrogram(self.mixture, title="the mixture, and what is cut", max_khz=self.max_khz, db_range=50)
        step, width = HOP / SAMPLE_RATE, SAMPLE_RATE / 1000 / N_FFT
        edges = (-step / 2, (len(mask) - 0.5) * step, -width / 2, (mask.shape[1] - 0.5) * width)
        veil = np.ma.masked_equal(1 - mask, 0)
        ax.imshow(
            veil.T, ListedColormap(["white"]), aspect="auto", origin="lower", extent=edges, alpha=0.72, zorder=2,
            interpolation="nearest",
        )  # fmt: skip
        ax.set(xlim=(0, len(self.mixture) / SAMPLE_RATE), ylim=(0, self.max_khz))
        ranges = following.ranges() if following else []
        for low, high in ranges:
            corner, size = (following.start_s, low / 1000), (following.stop_s - following.start_s, (high - low) / 1000)
            ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor="#D55E00", linewidth=1.5, zorder=3))
        energy = np.abs(self.spectrum) ** 2
        share = 100 * float((mask * energy).sum() / (energy.sum() or 1))
        words = (
            f"{len(boxes)} box{'' if len(boxes) == 1 else 'es'} painted; {share:.0f}% of the mixture's energy is kept"
        )
        put_into_words(ax, f"Spectrogram of the mixture with a mask over it, {words}")
        coming = ", and the next box outlined" if ranges else ""
        return figure_html(ax, f"The mixture, with what the mask takes away whitened{coming}: {words}.")

    def answer(self, boxes: Sequence[Box]) -> HTML:
        mask = painted_mask(boxes, len(self.mixture))
        estimate = istft(mask * self.spectrum, len(self.mixture), HOP)
        scores = {"your boxes": sdr(self.target, estimate), **self.scores}
        line = ", ".join(f"{who} <b>{round(value, 1) + 0.0:.1f} dB</b>" for who, value in scores.items())
        line = f"<p>SDR against the true {escape(self.name)}: {line}.</p>"
        heard = {"mixture": self.mixture, "through your boxes": estimate, "the model": self.model}
        return HTML(line + players({**heard, f"the true {self.name}": self.target}).data)
