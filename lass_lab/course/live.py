"""Training as it goes: a picture that grows, and what a slice sounds like before, midway and after."""

import time
from typing import Any

import lightning
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from torchaudio.functional import resample

from lass_lab.course.figures import figure_html
from lass_lab.course.plots import COLOURS
from lass_lab.experiments.finetuning import MONITOR
from lass_lab.experiments.training import improvements
from lass_lab.signal import SAMPLE_RATE

REDRAW_S = 2.0
SMOOTHING = 0.9  # of the loss's running mean, a step


class LiveTraining(lightning.Callback):
    """Give it to `finetune(callbacks=[...])`; it draws into the cell from which training was started.

    Args:
        mixture: a slice to listen to, `(samples,)`, 32 kHz.
        query: the words to separate it by.

    Attributes:
        losses: (step, loss) of every step seen; a resumed run begins where it goes on.
        gains: (step, SDRi in dB) of every validation, and of one before the first step.
        estimates: label -> estimate `(samples,)` of the slice: before the first step, midway, and after the last.
    """

    def __init__(self, mixture: np.ndarray, query: str) -> None:
        self.mixture, self.query = mixture, query
        self.losses: list[tuple[int, float]] = []
        self.gains: list[tuple[int, float]] = []
        self.estimates: dict[str, np.ndarray] = {}
        self._drawn, self._place = 0.0, None

    def on_train_start(self, trainer: lightning.Trainer, task: Any) -> None:
        if trainer.global_step == 0:
            self.gains.append((0, _validated(trainer, task)))
        self._separate(trainer, task)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: Any, outputs: Any, batch: Any, _: int) -> None:
        self.losses.append((trainer.global_step, float(outputs["loss"])))
        if trainer.global_step == trainer.max_steps // 2:
            self._separate(trainer, task)
        if time.monotonic() - self._drawn > REDRAW_S:
            self._show()

    def on_validation_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self.gains.append((trainer.global_step, float(trainer.callback_metrics[MONITOR])))

    def on_train_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self._separate(trainer, task)
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

    def _separate(self, trainer: lightning.Trainer, task: Any) -> None:
        lower, whole = task.sample_rate, torch.from_numpy(self.mixture)  # the network is one for the task's rate
        estimate = task.separator.separate(resample(whole, SAMPLE_RATE, lower), self.query, progress=False)
        estimate = resample(torch.from_numpy(estimate), lower, SAMPLE_RATE)[: len(whole)]
        self.estimates[f"step {trainer.global_step}"] = estimate.numpy()
        task.train()  # `separate` leaves all parts in one mode; in training, frozen parts are in another

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
        found.append(improvements(task.estimate(batch), batch))
    task.train()
    return float(torch.cat(found).mean())


def running_mean(values: np.ndarray) -> np.ndarray:
    """Exponential running mean, `(n,)` -> `(n,)`, in which the first values are not pulled towards zero."""
    return pd.Series(values).ewm(alpha=1 - SMOOTHING).mean().to_numpy()
