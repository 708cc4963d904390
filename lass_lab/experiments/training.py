"""The task of training a separator, its learning rate over a run, and the trainer that drives every run."""

import io
import logging
import os
import re
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import psutil
import torch
from filelock import FileLock, Timeout
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint, Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import Tensor, nn
from torchaudio.functional import resample

from lass_lab.experiments.losses import find_loss
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError, RunStopped, atomic_path

ENCODER = "separator.query_network.encoder."
LAST = "last.ckpt"
GRADIENT_NORM_LIMIT = 1.0  # on the norm of all gradients together
LOCK = ".lock"
WAIT_S = 6.0  # the workers of a run that was killed notice it within 5 seconds, and hold its lock until then

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # not which devices are missing, nor advertisements


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
        for module in (module for part in self.frozen_norms for module in part.modules()):
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        if self.sample_rate == SAMPLE_RATE:
            return batch
        return batch | {key: resample(batch[key], SAMPLE_RATE, self.sample_rate) for key in ("mixture", "target")}

    def training_step(self, batch: dict[str, Any], _: int) -> Tensor:
        estimate = self.estimate(batch)
        loss = self.loss(estimate, batch["target"], batch["mixture"])
        self.log("loss", loss, prog_bar=True, batch_size=len(estimate), sync_dist=True)
        return loss

    def estimate(self, batch: dict[str, Any]) -> Tensor:
        """The estimates `(batch, 1, samples)` that a training step computes its loss of."""
        return self.separator(batch["mixture"], batch["query"])

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        estimate = self.separator(batch["mixture"], batch["query"])
        loss = self.loss(estimate, batch["target"], batch["mixture"])
        gain = _error_db(batch["mixture"], batch["target"]) - _error_db(estimate, batch["target"])
        found = {"validation_loss": loss, "validation_sdri": gain.mean()}
        self.log_dict(found, prog_bar=True, batch_size=len(estimate), sync_dist=True)

    def rates(self) -> dict[nn.Module, float]:
        """The parts that learn, and each one's learning rate at its peak."""
        return {self.separator: self.schedule.peak}

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW over all parameters that are not frozen."""
        groups = [
            {"params": [parameter for parameter in part.parameters() if parameter.requires_grad], "lr": rate}
            for part, rate in self.rates().items()
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.0)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = self.optimizer()
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        state = super().state_dict(*args, **kwargs)
        learning = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        return {key: value for key, value in state.items() if key in learning or not key.startswith(ENCODER)}


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
    bins, louder = lower.config.n_fft // 2 + 1, SAMPLE_RATE / sample_rate  # a longer window sums more samples
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


class StopWhenAsked(lightning.Callback):
    """At SIGTERM, train on to the next checkpoint, a few steps away, and raise RunStopped; at a second one, exit.

    It takes the signal from the whole process while training lasts: for command lines, not for callers of `finetune`.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def on_train_start(self, *_: Any) -> None:
        self._before = signal.signal(signal.SIGTERM, self._ask)

    def on_train_epoch_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            self.asked = trainer.should_stop = True

    def on_train_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        self._hand_back()
        if self.asked and trainer.global_step < trainer.max_steps:
            done = f"{trainer.global_step} of {trainer.max_steps} steps"
            raise RunStopped(f"{trainer.default_root_dir}: stopped after {done}; the same command goes on from there")

    def on_exception(self, *_: Any) -> None:
        self._hand_back()

    def _hand_back(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise SystemExit(128 + number)
        self.asked = True


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that replace the old ones whole: Lightning's own come from the folder for temporary files.

    Where that is on another disk, they are copied over the old ones, and a kill or a full disk leaves half of one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None):
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with atomic_path(path, force=True) as temporary:
            temporary.write_bytes(content.getbuffer())


@contextmanager
def run_lock(run: Path) -> Iterator[None]:
    """Hold a run's folder: two runs in one would write over each other's logs and checkpoints.

    Of processes that train together, started by SLURM or torchrun, the first holds it for all.

    Raises:
        InputError: another process trains there, or the folder cannot be written to.
    """
    if rank_zero_only.rank:
        yield
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = FileLock(run / LOCK)
        lock.acquire(timeout=WAIT_S)
    except Timeout as error:
        raise InputError(f"{run}: another process trains in this folder; wait for it, or choose another") from error
    except OSError as error:
        raise InputError(f"{run}: cannot be written to ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()


def make_trainer(
    run: Path,
    steps: int,
    callbacks: Sequence[lightning.Callback] = (),
    *,
    validate_every: int = 2,
    log_every: int = 10,
    devices: int = 1,
    nodes: int = 1,
    progress: bool = True,
) -> lightning.Trainer:
    """A trainer whose epoch is a round of so many steps that a checkpoint should be written after it.

    It writes `run/last.ckpt` after every round and logs to `run/log/` (CSV, and TensorBoard's format), computes in
    bfloat16 where the device can, and limits the norm of all gradients to 1. Its first callback is a `Timer`, whose
    state is in the checkpoint, so that the time of a resumed run is the time of all its parts.

    Args:
        run: the run's own folder.
        steps: optimiser steps in all.
        callbacks: further ones.
        validate_every: rounds between validations.
        log_every: steps between entries of the log.
        devices, nodes: processes on each machine, and machines. Started by SLURM or torchrun, each process finds its
            place by itself; else Lightning starts the others.
        progress: show a progress bar.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    started = any(name in os.environ for name in ("SLURM_NTASKS", "TORCHELASTIC_RUN_ID", "LOCAL_RANK"))
    together = "ddp" if started else "ddp_spawn"  # spawned ones end with their phase; a script's copies would go on
    # Written at the end of a round, when the next one's items are the only state that is not in the weights.
    keep_last = ModelCheckpoint(
        run, filename="last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    bar = [TQDMProgressBar(refresh_rate=5)] if progress else []
    return lightning.Trainer(
        default_root_dir=run,
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=devices,
        num_nodes=nodes,
        strategy=together if devices * nodes > 1 else "auto",
        max_steps=steps,
        precision="bf16-mixed" if native_bfloat16(torch.device(device)) else "32-true",
        gradient_clip_val=GRADIENT_NORM_LIMIT,
        reload_dataloaders_every_n_epochs=1,
        check_val_every_n_epoch=validate_every,
        num_sanity_val_steps=0,
        log_every_n_steps=log_every,
        logger=[CSVLogger(run, name="log"), TensorBoardLogger(run, name="log")],
        callbacks=[Timer(), *callbacks, *bar, keep_last],
        plugins=[WholeCheckpoints()],
        enable_progress_bar=progress,
        enable_model_summary=False,
    )


def fit(trainer: lightning.Trainer, task: SeparationTask, data: lightning.LightningDataModule, run: Path) -> None:
    """Train until all steps are done, from `run/last.ckpt` where there is one.

    Raises:
        RunStopped: SIGTERM came before the last step.
    """
    checkpoint = run / LAST
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")  # of frozen parts, and of resuming a folder
        try:
            trainer.fit(task, data, ckpt_path=checkpoint if checkpoint.exists() else None, weights_only=False)
        except SIGTERMException as error:  # Lightning's own answer, where `StopWhenAsked` is not there, or not yet
            raise RunStopped(f"{run}: stopped by a signal; the same command goes on") from error


def run_facts(run: Path) -> dict[str, float]:
    """Steps done and hours taken, from the run's last checkpoint; those of all its parts where it was resumed."""
    checkpoint = run / LAST
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file; is the run finished?")
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)  # written by our own run
    elapsed = state["callbacks"]["Timer"]["time_elapsed"]
    return {"steps": state["global_step"], "hours": (elapsed["train"] + elapsed["validate"]) / 3600}


def hardware() -> str:
    """The hardware that this process computes on, beside every number that depends on it: "2 CPU cores (AMD EPYC)"."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return f"{cores()} CPU cores" + (f" ({model[1].strip()})" if model else "")


def cores() -> int:
    """Physical cores: two threads of one core count once."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
