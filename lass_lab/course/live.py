"""Training as it goes: a picture that grows, what a slice sounds like on the way, and all of it again afterwards."""

import html
import time
from collections.abc import Mapping
from typing import Any

import ipywidgets
import lightning
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython import get_ipython
from IPython.display import HTML, display
from matplotlib.figure import Figure
from torchaudio.functional import resample

from lass_lab.course.figures import figure_html
from lass_lab.course.players import player_html, player_script
from lass_lab.course.plots import COLOURS
from lass_lab.course.widgets import Plaything, show_in
from lass_lab.experiments.finetuning import MONITOR
from lass_lab.experiments.training import improvements
from lass_lab.signal import SAMPLE_RATE, sdr_improvement

REDRAW_S = 2.0
SMOOTHING = 0.9  # of the loss's running mean, a step
STILLS = 6  # checkpoints that are heard without a kernel


class LiveTraining(lightning.Callback):
    """Give it to `finetune(callbacks=[...])`; it draws into the cell from which training was started.

    Args:
        mixture: a slice to listen to, `(samples,)`, 32 kHz.
        sources: what to ask for, words -> the source `(samples,)` that they name.

    Attributes:
        losses: (step, loss) of every step seen; a resumed run begins where it goes on.
        gains: (step, SDRi in dB) of every validation, and of one before the first step.
        estimates: step -> words -> float16 `(samples,)`, half of the memory that the sound would take: before the first
            step, and at every validation.
        scores: step -> words -> SDRi in dB of the same.
    """

    def __init__(self, mixture: np.ndarray, sources: Mapping[str, np.ndarray]) -> None:
        self.mixture, self.sources = mixture, dict(sources)
        self.losses: list[tuple[int, float]] = []
        self.gains: list[tuple[int, float]] = []
        self.estimates: dict[int, dict[str, np.ndarray]] = {}
        self.scores: dict[int, dict[str, float]] = {}
        self._drawn, self._place = 0.0, None

    def on_train_start(self, trainer: lightning.Trainer, task: Any) -> None:
        if trainer.global_step == 0:
            self.gains.append((0, _validated(trainer, task)))
        self._keep(trainer, task)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: Any, outputs: Any, batch: Any, _: int) -> None:
        self.losses.append((trainer.global_step, float(outputs["loss"])))
        if time.monotonic() - self._drawn > REDRAW_S:
            self._show()

    def on_validation_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self.gains.append((trainer.global_step, float(trainer.callback_metrics[MONITOR])))
        self._keep(trainer, task)

    def on_train_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self._show()

    def figure(self) -> Figure:
        """The loss of every step and its running mean, and below it SDRi on the validation slices."""
        figure, (above, below) = plt.subplots(2, sharex=True, figsize=(7, 4), layout="constrained")
        steps, losses = np.array(self.losses).reshape(-1, 2).T
        above.plot(steps, losses, ".", color=COLOURS[4], markersize=3, label="each step")
        above.plot(steps, running_mean(losses), color=COLOURS[0], label="running mean")
        above.set(ylabel="loss")
        below.plot(*np.array(self.gains).reshape(-1, 2).T, "o-", color=COLOURS[5], markersize=4)
        below.set(xlabel="optimiser step", ylabel="SDRi (dB)")
        return figure

    def replay(self) -> Plaything:
        """A slider over the checkpoints: SDRi of each source up to there, and what is seen and heard of it then.

        Without a kernel there are the curves, and for each source a player of up to six checkpoints and the truth.
        """
        if not self.estimates:
            line = "No step was trained here now, so there is nothing to replay: delete the run's folder to train anew."
            return Plaything(ipywidgets.VBox(), HTML(f"<p>{line}</p>"))
        steps = list(self.estimates)
        slider = ipywidgets.SelectionSlider(options=steps, description="step", continuous_update=False)
        output = ipywidgets.Output()

        def show(_) -> None:
            sounds = {"mixture": self.mixture}
            for name, truth in self.sources.items():
                estimate = self.estimates[slider.value][name].astype(np.float32)
                sounds |= {f"“{name}” at step {slider.value}": estimate, f"true source of “{name}”": truth}
            show_in(output, HTML(self._curves(slider.value).data + player_html(sounds) + player_script()))

        slider.observe(show, "value")
        chosen = sorted({steps[place] for place in np.linspace(0, len(steps) - 1, STILLS).round().astype(int)})
        page = self._curves().data
        for name, truth in self.sources.items():
            sounds = {f"step {step}": self.estimates[step][name].astype(np.float32) for step in chosen}
            page += f"<p>Asked for “{html.escape(name)}”:</p>{player_html({**sounds, 'the true source': truth})}"
        return Plaything(ipywidgets.VBox([slider, output]), HTML(page + player_script()))

    def _curves(self, at: int | None = None) -> HTML:
        """SDRi of each source by step, with a line at one of them."""
        ax = plt.subplots(figsize=(7, 2.6), layout="constrained")[1]
        for name, colour, marker in zip(self.sources, COLOURS, "osD^v", strict=False):
            gains = [each[name] for each in self.scores.values()]
            ax.plot(list(self.scores), gains, f"{marker}-", color=colour, markersize=4, label=name)
        if at is not None:
            ax.axvline(at, color="0.4", linestyle="--", linewidth=1)
        ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.set(title="one slice", xlabel="optimiser step", ylabel="SDRi (dB)")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        gains = self.scores[max(self.scores) if at is None else at].items()
        told = ", ".join(f"{name} {gain:+.1f} dB" for name, gain in gains)
        return figure_html(ax, f"SDRi on the slice, {'at the end' if at is None else f'at step {at}'}: {told}.")

    def _keep(self, trainer: lightning.Trainer, task: Any) -> None:
        found = dict(zip(self.sources, self._asked(task, list(self.sources)), strict=True))
        gains = {name: sdr_improvement(self.sources[name], each, self.mixture) for name, each in found.items()}
        self.scores[trainer.global_step] = gains
        self.estimates[trainer.global_step] = {name: each.astype(np.float16) for name, each in found.items()}

    def _asked(self, task: Any, queries: list[str]) -> np.ndarray:
        """The estimates `(queries, samples)` of the slice: the network is one for the task's rate while it trains."""
        lower, whole = task.sample_rate, torch.from_numpy(self.mixture)
        with torch.no_grad():
            task.separator.query_network(queries)  # in the mode that training encodes in, so that it meets no other
        found = task.separator.separate(resample(whole, SAMPLE_RATE, lower), queries, progress=False)
        task.train()  # `separate` leaves all parts in one mode; in training, frozen parts are in another
        return resample(torch.from_numpy(found), lower, SAMPLE_RATE)[:, : len(whole)].numpy()

    def _show(self) -> None:
        self._drawn = time.monotonic()
        if get_ipython() is None or not self.losses:
            return
        caption = "Training: the loss of each step, and SDRi on slices that are never trained on."
        page = figure_html(self.figure(), caption)
        if self._place is None:
            self._place = display(page, display_id=True)
        else:
            self._place.update(page)


@torch.no_grad()
def _validated(trainer: lightning.Trainer, task: Any) -> float:
    """SDRi on the validation slices as they are before training, in dB."""
    task.separator.network.eval()  # it alone: the last bits of a sentence depend on the mode that it is encoded in
    found = []
    for drawn in trainer.datamodule.val_dataloader():
        batch = task.on_after_batch_transfer(task.transfer_batch_to_device(drawn, task.device, 0), 0)
        found.append(improvements(task.separator(batch["mixture"], batch["query"]), batch))
    task.train()
    return float(torch.cat(found).mean())


def running_mean(values: np.ndarray) -> np.ndarray:
    """Exponential running mean, `(n,)` -> `(n,)`, in which the first values are not pulled towards zero."""
    return pd.Series(values).ewm(alpha=1 - SMOOTHING).mean().to_numpy()
