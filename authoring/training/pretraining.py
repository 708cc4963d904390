"""How the tiny model came to be: mixtures of rendered sources, made on the fly, one long run that can be killed."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from authoring.training.fused import fuse_norms, pays
from lass_lab.course.nb03.lass_net import TransformerQueryNet
from lass_lab.datasets.instruments import RENDERED, TAUGHT
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank, Sources, collate
from lass_lab.experiments.contrastive import ContrastiveRecipe, train_contrastively
from lass_lab.experiments.finetuning import average
from lass_lab.experiments.losses import find_loss
from lass_lab.experiments.trainer import LAST, fit, make_trainer, run_lock
from lass_lab.experiments.training import Schedule, SeparationTask, at_rate, lower_config
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError, atomic_path

STEPS_AN_EPOCH = 250  # an epoch is only how often a checkpoint is written
VALIDATION_PAIRS = 64
HISTORY = "history.json"  # beside the weights: the runs that made them


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that decides what a pretraining run ends in."""

    steps: int = 6500
    batch: int = 16
    seconds: float = 1.26  # 64 frames: a multiple of 32, so that none is padding
    peak_rate: float = 2e-3
    descent: float = 0.6  # share of the steps in which the rate falls
    loss: str = "decibels"  # one of `losses.LOSSES`
    seed: int = 0
    network: ResUNetConfig = ResUNetConfig()
    sample_rate: int = SAMPLE_RATE  # below 32,000: see `at_rate`
    freeze_norms: bool = False  # keep the norms' statistics: after a run at a lower rate, whose bins were louder
    lean: float = 0.0  # half of the conditions lean by up to this towards another instrument's: see `lean`
    average: float = 1.0  # share of the trained weights in the result, the rest being earlier ones: see `averaging`
    mixtures: MixtureRecipe = MixtureRecipe(distractors=0.15, sounds=0.15)
    instruments: tuple[str, ...] = TAUGHT  # asked for; all others of the sources are distractors
    contrastive: ContrastiveRecipe | None = ContrastiveRecipe()  # None leaves the query network as it is
    query_rate: float = 0.0  # of a query network that learns along from a random start, as LASS-Net's; 0: a CLAP's


class PretrainingData(lightning.LightningDataModule):
    """New mixtures for every epoch, the same 64 pairs for every validation."""

    def __init__(self, sources: Sources, recipe: PretrainingRecipe, workers: int = 0) -> None:
        super().__init__()
        self.recipe, self.workers = recipe, workers
        self.train_bank = SourceBank(sources, "train", recipe.instruments)
        distractors = [name for name in RENDERED if name not in recipe.instruments]
        self.distractors = SourceBank(sources, "train", distractors) if recipe.mixtures.distractors else None
        self.validation_bank = SourceBank(self.train_bank.folders[0], "validation", recipe.instruments)

    def train_dataloader(self) -> DataLoader:
        # Lightning asks again for every epoch, so that each draws its own mixtures, also after a resume.
        recipe, epoch = self.recipe, self.trainer.current_epoch
        size = recipe.batch * STEPS_AN_EPOCH
        mixtures = MixtureDataset(
            self.train_bank, size, recipe.seconds, recipe.mixtures, recipe.seed, epoch, self.distractors
        )
        return DataLoader(mixtures, recipe.batch, num_workers=self.workers, collate_fn=collate)

    def val_dataloader(self) -> DataLoader:
        pairs = MixtureRecipe(aligned=0.0, absent=0.0, level_db=0.0, heldout_captions=True)
        mixtures = MixtureDataset(self.validation_bank, VALIDATION_PAIRS, 2.54, pairs, seed=1)
        return DataLoader(mixtures, 8, collate_fn=collate)


class PretrainingTask(SeparationTask):
    """Separation from a random start."""

    def __init__(self, separator: LanguageSeparator, recipe: PretrainingRecipe) -> None:
        schedule = Schedule(recipe.steps, recipe.peak_rate, descent=recipe.descent)
        still = [separator.network] if recipe.freeze_norms else []
        super().__init__(separator, schedule, still, recipe.sample_rate, recipe.loss)
        self.recipe = recipe

    def estimate(self, batch: dict[str, Any]) -> Tensor:
        conditions = self.separator.query_network(batch["query"])
        if self.recipe.lean:
            conditions = lean(conditions, self.recipe.lean, np.random.default_rng((self.recipe.seed, self.global_step)))
        return self.separator.network(batch["mixture"], conditions)

    def rates(self) -> dict[torch.nn.Module, float]:
        """A query network that learns along does so at a rate of its own."""
        return {self.separator.network: self.recipe.peak_rate, self.separator.query_network: self.recipe.query_rate}


def lean(conditions: Tensor, most: float, rng: np.random.Generator) -> Tensor:
    """Half of the conditions, by chance, drawn towards another one of the batch, as unheard words are.

    Words that the query network was not trained with fall between the instruments, nearest to their own (if all is
    well). A separation network that has heard pure conditions only need not know what to do with them.

    Args:
        conditions: `(batch, size)`, of length one.
        most: the other's largest share, in lengths of the own one; below 1, so that the own stays the nearer.
        rng: draws which lean, how far, and where to.

    Returns:
        `(batch, size)`, of length one.
    """
    size = len(conditions)
    others = conditions.roll(int(rng.integers(1, max(2, size))), dims=0)
    shares = torch.from_numpy(rng.uniform(0, most, (size, 1)) * (rng.random((size, 1)) < 0.5)).to(conditions)
    return functional.normalize(conditions + shares * others, dim=-1)


def pretrain(
    sources: Sources,
    run: str | os.PathLike[str],
    recipe: PretrainingRecipe | None = None,
    *,
    start: str | os.PathLike[str] | None = None,
    earlier: str | os.PathLike[str] | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    workers: int = 0,
    fuse: bool | None = None,
    progress: bool = True,
) -> LanguageSeparator:
    """Train the tiny separator: first its query network, contrastively; then, told by it, its separation network.

    A killed run goes on where it stopped. The query network stands still while the separation network learns, as
    AudioSep's does: learning along, it drew all its conditions together. With a `query_rate`, LASS-Net's way: a
    transformer from a random start, which learns along and has nothing else to learn from.

    Checkpoints go to `run/last.ckpt` after every 250 steps, logs to `run/log/version_*/metrics.csv`. A folder that
    holds a checkpoint is resumed; other `steps` than before are honoured (see `Schedule`).

    Args:
        sources: the folder that `render sources` wrote; or several, of which the first is validated on.
        run: the run's own folder.
        recipe: what to train, and for how long.
        start: a folder with a separator to go on from, query network and all, instead of a random start. What made it
            (its history.json) is kept in the run's folder, for the model card.
        earlier: a folder with the separator to average with, where the recipe does; `start` unless told.
        callbacks: further ones for the trainer.
        workers: processes that make mixtures; 0 makes them in the training process.
        fuse: train with fused norms (`fused.fuse_norms`): faster on a CPU, and needs a compiler; None where it pays.

    Returns:
        The trained separator, in eval mode on the CPU.

    Raises:
        InputError: no usable sources, a rate that cannot be trained at, weights or a checkpoint of a network of another
            shape, earlier weights without a share, or a folder in which another process trains.
    """
    recipe, run = recipe or PretrainingRecipe(), Path(run)
    lower_config(recipe.network, recipe.sample_rate)  # now, not after minutes
    find_loss(recipe.loss)
    if recipe.average < 1 and not (earlier or start):
        raise InputError("average: needs earlier weights, of --start or --earlier")
    if earlier and recipe.average == 1:
        raise InputError(f"{earlier}: has no share in the result; give an --average below 1")
    others = LanguageSeparator.from_folder(earlier or start) if recipe.average < 1 else None
    data = PretrainingData(sources, recipe, workers)
    with run_lock(run):
        lightning.seed_everything(recipe.seed, verbose=False)
        checkpoint = run / LAST
        if start:
            separator = LanguageSeparator.from_folder(start)
            _keep_history(Path(start), run)
        else:
            words = TransformerQueryNet() if recipe.query_rate else TinyQueryNet()
            separator = LanguageSeparator(words, ResUNet(recipe.network))
        if others and others.network.config != separator.network.config:  # now, not after hours
            raise InputError(f"{earlier}: is a network of other sizes, and cannot be averaged with")
        if recipe.contrastive and not checkpoint.exists():
            train_contrastively(separator.query_network, data.train_bank, recipe.contrastive, progress=progress)
        separator.query_network.freeze_encoder(not recipe.query_rate).requires_grad_(bool(recipe.query_rate)).eval()
        fuse_norms(separator.network, pays(recipe.steps) if fuse is None else fuse)
        task = PretrainingTask(separator, recipe)
        task.train()  # Lightning keeps the mode that it finds, and that of a loaded separator is eval
        trainer = make_trainer(run, recipe.steps, callbacks, log_every=50, progress=progress)
        try:
            with at_rate(separator, recipe.sample_rate):
                fit(trainer, task, data)
        except RuntimeError as error:
            if "size mismatch" in str(error):
                shape = asdict(recipe.network)
                raise InputError(f"{checkpoint}: is of a network of another shape than {shape}") from error
            raise
    fuse_norms(separator.network, False)
    separator.query_network.freeze_encoder()
    separator.cpu().eval()
    return average(separator, others, recipe.average) if others else separator


def _keep_history(start: Path, run: Path) -> None:
    history = start / HISTORY
    if history.is_file():
        with atomic_path(run / HISTORY, force=True) as path:
            path.write_text(history.read_text())


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The runs that made the weights in a folder, first to last; none where it holds no history.json.

    Raises:
        InputError: a history.json that is not a list of runs.
    """
    path = folder / HISTORY
    if not path.is_file():
        return []
    try:
        history = json.loads(path.read_text())
        return [{"steps": entry["steps"], "hours": entry["hours"], **entry} for entry in history]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a list of runs with their steps and hours ({error})") from error
