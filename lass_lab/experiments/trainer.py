"""The trainer that drives every run, its callbacks, checkpoints and lock."""

import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from filelock import FileLock, Timeout
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint, Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import SIGTERMException

from lass_lab.models.weights import native_bfloat16
from lass_lab.signal.files import InputError, RunStopped, atomic_path

LAST = "last.ckpt"
RESUMED = ("state_dict", "optimizer_states", "lr_schedulers", "loops")  # what a run goes on from, in a checkpoint
GRADIENT_NORM_LIMIT = 1.0  # on the norm of all gradients together
LOCK = ".lock"
WAIT_S = 6.0  # the workers of a run that was killed notice it within 5 seconds, and hold its lock until then

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # not which devices are missing, nor advertisements


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
    lock = FileLock(run / LOCK)
    try:
        run.mkdir(parents=True, exist_ok=True)
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
    bfloat16 where the device can, and limits the norm of all gradients to 1. A `Timer`, whose state is in the
    checkpoint, makes the time of a resumed run that of all its parts.

    Args:
        run: the run's own folder.
        steps: optimiser steps in all.
        callbacks: further ones.
        validate_every, log_every: rounds between validations, and steps between entries of the log.
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


def fit(trainer: lightning.Trainer, task: lightning.LightningModule, data: lightning.LightningDataModule) -> None:
    """Train until all steps are done, from the run's `last.ckpt` where there is one.

    Raises:
        RunStopped: SIGTERM came before the last step.
        InputError: a `last.ckpt` that is damaged, not finite, or of something else.
    """
    checkpoint = Path(trainer.default_root_dir) / LAST
    if checkpoint.exists():
        _check(checkpoint, task)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")  # of frozen parts, and of resuming a folder
        try:
            trainer.fit(task, data, ckpt_path=checkpoint if checkpoint.exists() else None, weights_only=False)
        except SIGTERMException as error:  # Lightning's own answer, where `StopWhenAsked` is not there, or not yet
            raise RunStopped(f"{trainer.default_root_dir}: stopped by a signal; the same command goes on") from error


def _check(checkpoint: Path, task: lightning.LightningModule) -> None:
    again = "remove it, and its steps are done again"
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=False, mmap=True)
        state = {key: content[key] for key in RESUMED}["state_dict"]
        shapes = {key: value.shape for key, value in state.items()}
    except Exception as error:  # whatever the unpickler stumbles over
        raise InputError(f"{checkpoint}: cannot be gone on from ({type(error).__name__}); {again}") from error
    if shapes != {key: value.shape for key, value in task.state_dict().items()}:
        raise InputError(f"{checkpoint}: is of another run; {again}")
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise InputError(f"{checkpoint}: holds NaN or infinite numbers; {again}")
