"""What is trained and how its learning rate moves: one Lightning module for every run of the course."""

from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.models.separator import LanguageSeparator

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
    """Teach a separator by the mean absolute error of its waveforms (AudioSep's loss).

    Batches: `mixture` and `target` `(batch, 1, samples)`, `query` a list of strings. The sentence encoder stays out of
    the checkpoints while it is frozen: it is on disk already.
    """

    def __init__(self, separator: LanguageSeparator, schedule: Schedule) -> None:
        super().__init__()
        self.separator = separator
        self.schedule = schedule
        self.strict_loading = False

    def training_step(self, batch: dict[str, Any], _: int) -> Tensor:
        estimate = self.separator(batch["mixture"], batch["query"])
        loss = self.loss(estimate, batch)
        self.log("loss", loss, prog_bar=True, batch_size=len(estimate))
        return loss

    def loss(self, estimate: Tensor, batch: dict[str, Any]) -> Tensor:
        """What a training step lowers."""
        return functional.l1_loss(estimate, batch["target"])

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        estimate = self.separator(batch["mixture"], batch["query"])
        loss = functional.l1_loss(estimate, batch["target"])
        gain = _error_db(batch["mixture"], batch["target"]) - _error_db(estimate, batch["target"])
        size = len(estimate)
        self.log_dict({"validation_loss": loss, "validation_sdri": gain.mean()}, prog_bar=True, batch_size=size)

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW over what is not frozen."""
        learning = [parameter for parameter in self.separator.parameters() if parameter.requires_grad]
        return torch.optim.AdamW(learning, lr=self.schedule.peak, weight_decay=0.0)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = self.optimizer()
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        state = super().state_dict(*args, **kwargs)
        frozen = self.separator.query_network.encoder_frozen
        return {key: value for key, value in state.items() if not (frozen and key.startswith(ENCODER))}


def _error_db(estimate: Tensor, target: Tensor) -> Tensor:
    """Energy of the error in dB, `(batch,)`; the target's own energy cancels in an improvement."""
    error = (estimate.float() - target).flatten(1).square().mean(1)
    return 10 * torch.log10(error.clamp_min(1e-10))
