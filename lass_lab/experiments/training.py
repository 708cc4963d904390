"""The task of training a separator, its learning rate over a run, and training at a lower sample rate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torchaudio.functional import resample

from lass_lab.experiments.losses import find_loss
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

ENCODER = "separator.query_network.encoder."


@dataclass(frozen=True)
class Schedule:
    """Learning rate over a run: a linear warm-up, a plateau, then a linear descent to zero.

    The plateau makes a run's length a late decision: a run that is resumed with other `steps` before its descent
    has begun differs in nothing from one that was planned so (Hu et al., "MiniCPM", 2024, call it WSD).
    """

    steps: int
    peak: float = 1e-3
    warmup: int = 200
    descent: float = 0.3

    def __call__(self, step: int) -> float:
        """Factor on `peak` at an optimiser step, counted from 0."""
        falling = max(1, round(self.descent * self.steps))
        return max(0.0, min(1.0, (step + 1) / max(1, self.warmup), (self.steps - step) / falling))


class SeparationTask(lightning.LightningModule):
    """Train a separator on the error of its waveforms.

    Batches: `mixture` and `target` `(batch, 1, samples)`, `query` a list of strings. What is frozen of the sentence
    encoder stays out of the checkpoints: it is on disk already.

    Attributes:
        frozen_norms: parts whose batch norms stay in eval mode: they keep the statistics they have, so that training
            computes what use will, whatever else is in the batch. The query network sees to its own.
        sample_rate: of the waveforms that the separation network gets (see `at_rate`).
        loss: one of `losses.LOSSES`, by its name.
    """

    def __init__(
        self,
        separator: LanguageSeparator,
        schedule: Schedule,
        frozen_norms: Sequence[nn.Module] = (),
        sample_rate: int = SAMPLE_RATE,
        loss: str = "l1",
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.loss = find_loss(loss)
        self.frozen_norms = tuple(frozen_norms)  # a tuple registers nothing: they are parts of the separator already
        self.separator = separator
        self.schedule = schedule
        self.strict_loading = False

    def train(self, mode: bool = True) -> "SeparationTask":
        super().train(mode)
        for part in self.frozen_norms:
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        if self.sample_rate == SAMPLE_RATE:
            return batch
        return batch | {key: resample(batch[key], SAMPLE_RATE, self.sample_rate) for key in ("mixture", "target")}

    def training_step(self, batch: dict[str, Any], _: int) -> Tensor:
        estimate = self.separator(batch["mixture"], batch["query"])
        loss = self.loss(estimate, batch["target"], batch["mixture"])
        if not torch.isfinite(loss):  # one step by it, and nothing learnt is left
            raise InputError(
                f"training: stopped, the loss is {loss} at step {self.global_step}; what was saved is whole"
            )
        self.log("loss", loss, prog_bar=True, batch_size=len(estimate), sync_dist=True)
        return loss

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        estimate = self.separator(batch["mixture"], batch["query"])
        loss = self.loss(estimate, batch["target"], batch["mixture"])
        found = {"validation_loss": loss, "validation_sdri": improvements(estimate, batch).mean()}
        self.log_dict(found, prog_bar=True, batch_size=len(estimate), sync_dist=True)

    def rates(self) -> dict[nn.Module, float]:
        """The parts that learn, and each one's learning rate at its peak."""
        return {self.separator: self.schedule.peak}

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW over all parameters that are not frozen."""
        groups = [
            {"params": [each for each in part.parameters() if each.requires_grad], "lr": rate}
            for part, rate in self.rates().items()
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = self.optimizer()
        # A plain function: a callable object would be restored from the checkpoint, and other steps not be honoured.
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.schedule(step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        state = super().state_dict(*args, **kwargs)
        learning = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        return {key: value for key, value in state.items() if key in learning or not key.startswith(ENCODER)}


def improvements(estimate: Tensor, batch: dict[str, Any]) -> Tensor:
    """SDRi of each estimate of a batch in dB, `(batch,)`."""
    return _error_db(batch["mixture"], batch["target"]) - _error_db(estimate, batch["target"])


def _error_db(estimate: Tensor, target: Tensor) -> Tensor:
    """Energy of the error in dB, `(batch,)`; the target's own energy cancels in an improvement."""
    error = (estimate.float() - target).flatten(1).square().mean(1)
    return 10 * torch.log10(error.clamp_min(1e-10))


def lower_config(config: ResUNetConfig, sample_rate: int) -> ResUNetConfig:
    """The sizes of the network that `at_rate` makes.

    Raises:
        InputError: no rate up to 32,000 Hz, or a window at it that cannot be halved as often as the network does it.
    """
    n_fft, hop = (round(size * sample_rate / SAMPLE_RATE) for size in (config.n_fft, config.hop))
    try:
        if not 0 < sample_rate <= SAMPLE_RATE:
            raise InputError(f"choose a rate up to {SAMPLE_RATE} Hz")
        return replace(config, n_fft=n_fft, hop=hop)
    except InputError as error:
        raise InputError(f"sample_rate: cannot train at {sample_rate} Hz ({error})") from error


@contextmanager
def at_rate(separator: LanguageSeparator, sample_rate: int) -> Iterator[None]:
    """Within, the separation network is one for waveforms of a lower rate; after it, the old one with what was learnt.

    Window and hop shrink by the same factor, so every bin and frame keeps its place in Hz and seconds, and the U-Net,
    which slides over both, is the very same: it works on the bins below `sample_rate / 2`, which hold nearly all
    energy, and leaves the upper ones for later. At 12 kHz a step of the tiny model takes about half the time on two
    cores. The lower bins' statistics of the input norm are carried over, both ways.

    Raises:
        InputError: as `lower_config`.
    """
    whole = separator.network
    if sample_rate == SAMPLE_RATE:
        yield
        return
    lower = ResUNet(lower_config(whole.config, sample_rate))
    for name, part in whole.named_children():
        if name != "input_norm":
            setattr(lower, name, part)
    lower.training = whole.training
    lower.input_norm.train(whole.input_norm.training)
    bins = lower.config.n_fft // 2 + 1
    # A longer window sums more samples; shares of the level are the same at any rate.
    louder = 1.0 if lower.config.compression else SAMPLE_RATE / sample_rate
    scales = {"weight": 1.0, "bias": 1.0, "running_mean": louder, "running_var": louder**2}
    with torch.no_grad():
        for key, scale in scales.items():
            getattr(lower.input_norm, key).copy_(getattr(whole.input_norm, key)[:bins] / scale)
    separator.network = lower
    try:
        yield
    finally:
        separator.network = whole
        with torch.no_grad():
            for key, scale in scales.items():
                getattr(whole.input_norm, key)[:bins] = getattr(lower.input_norm, key) * scale
