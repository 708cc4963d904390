"""How a command that trains is stopped."""

import signal
from typing import Any

import lightning

from lass_lab.signal.files import RunStopped


class StopWhenAsked(lightning.Callback):
    """At SIGTERM, train on to the next checkpoint, a few steps away, and raise RunStopped; at a second one, exit.

    It takes the signal from the whole process while training lasts, which only a command line may do.
    """

    asked = False

    def on_train_start(self, *_: Any) -> None:
        signal.signal(signal.SIGTERM, self._ask)  # once training ends, Lightning puts back what was there before

    def on_train_epoch_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            self.asked = trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        if self.asked and trainer.global_step < trainer.max_steps:
            done = f"{trainer.global_step} of {trainer.max_steps} steps"
            raise RunStopped(f"{trainer.default_root_dir}: stopped after {done}; the same command goes on from there")

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise SystemExit(128 + number)
        self.asked = True
