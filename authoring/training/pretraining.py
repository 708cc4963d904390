"""How the tiny model is trained: mixtures of rendered sources, made on the fly, one long run that can be killed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from torch.utils.data import DataLoader

from authoring.training.fused import fuse_norms, pays
from lass_lab.course.nb03.lass_net import TransformerQueryNet
from lass_lab.datasets.instruments import RENDERED, TAUGHT
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank, Sources, collate
from lass_lab.experiments.contrastive import ContrastiveRecipe, train_contrastively
from lass_lab.experiments.evaluation import RANDOM_PAIRS
from lass_lab.experiments.losses import find_loss
from lass_lab.experiments.trainer import LAST, fit, make_trainer, run_lock
from lass_lab.experiments.training import Schedule, SeparationTask, at_rate, lower_config
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.signal.audio import SAMPLE_RATE

STEPS_AN_EPOCH = 250  # an epoch is only how often a checkpoint is written
VALIDATION_PAIRS = 64


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that decides the result of a pretraining run.

    Attributes:
        steps: of the optimiser.
        batch: mixtures a step.
        seconds: of a mixture; 1.26 are 64 frames: a multiple of 32, so that none is padding.
        peak_rate: learning rate of the separation network at its peak.
        descent: share of the steps in which it falls to zero.
        loss: one of `losses.LOSSES`.
        seed: of the weights' start and of the mixtures.
        network: the separation network's sizes, for a random start.
        sample_rate: below 32,000 Hz, only the bins below half of it are trained on (see `at_rate`).
        mixtures: how they are drawn.
        instruments: those that are asked for; all others of the sources are distractors.
        contrastive: how the query network is trained first; None leaves it as it is.
        query_rate: of a query network that learns along from a random start, as LASS-Net's; 0 trains it beforehand.
    """

    steps: int = 6500
    batch: int = 16
    seconds: float = 1.26
    peak_rate: float = 2e-3
    descent: float = 0.6
    loss: str = "decibels"
    seed: int = 0
    network: ResUNetConfig = ResUNetConfig()
    sample_rate: int = SAMPLE_RATE
    mixtures: MixtureRecipe = MixtureRecipe(distractors=0.15, sounds=0.15)
    instruments: tuple[str, ...] = TAUGHT
    contrastive: ContrastiveRecipe | None = ContrastiveRecipe()
    query_rate: float = 0.0


class PretrainingData(lightning.LightningDataModule):
    """New mixtures for every epoch, the same 64 pairs for every validation."""

    def __init__(self, sources: Sources, recipe: PretrainingRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.train_bank = SourceBank(sources, "train", recipe.instruments)
        others = [name for name in RENDERED if name not in recipe.instruments]
        self.distractors = SourceBank(sources, "train", others) if recipe.mixtures.distractors else None
        self.validation_bank = SourceBank(self.train_bank.folders[0], "validation", recipe.instruments)

    def train_dataloader(self) -> DataLoader:
        # Lightning asks again for every epoch, so that each draws its own mixtures, also after a resume.
        recipe, epoch = self.recipe, self.trainer.current_epoch
        size = recipe.batch * STEPS_AN_EPOCH
        mixtures = MixtureDataset(
            self.train_bank, size, recipe.seconds, recipe.mixtures, recipe.seed, epoch, self.distractors
        )
        return DataLoader(mixtures, recipe.batch, collate_fn=collate)

    def val_dataloader(self) -> DataLoader:
        mixtures = MixtureDataset(self.validation_bank, VALIDATION_PAIRS, 2.54, RANDOM_PAIRS, seed=1)
        return DataLoader(mixtures, 8, collate_fn=collate)


class PretrainingTask(SeparationTask):
    """Training of the separation network, and of a query network that learns along at a rate of its own."""

    def __init__(self, separator: LanguageSeparator, recipe: PretrainingRecipe) -> None:
        schedule = Schedule(recipe.steps, recipe.peak_rate, descent=recipe.descent)
        super().__init__(separator, schedule, sample_rate=recipe.sample_rate, loss=recipe.loss)
        self.recipe = recipe

    def rates(self) -> dict[torch.nn.Module, float]:
        return {self.separator.network: self.recipe.peak_rate, self.separator.query_network: self.recipe.query_rate}


def pretrain(
    sources: Sources,
    run: Path,
    recipe: PretrainingRecipe,
    *,
    start: LanguageSeparator | None = None,
    callbacks: Sequence[lightning.Callback] = (),
) -> LanguageSeparator:
    """Train the tiny separator: first its query network, contrastively, and then its separation network.

    The query network is frozen while the separation network learns, as AudioSep's is: learning along, it drew all its
    conditions together. With a `query_rate`, LASS-Net's way: a transformer from a random start, which learns along and
    has nothing else to learn from.

    Checkpoints go to `run/last.ckpt` after every 250 steps, logs to `run/log/version_*/metrics.csv`. A run that was
    killed goes on from its checkpoint; other `steps` than before are honoured (see `Schedule`).

    Args:
        sources: the folder that `render sources` wrote; or several, of which the first is validated on.
        run: the run's own folder.
        recipe: what to train, and for how long.
        start: a separator to train, query network and all, instead of one from a random start.
        callbacks: further ones for the trainer.

    Returns:
        The trained separator, in eval mode on the CPU.

    Raises:
        InputError: no usable sources, a rate that cannot be trained at, or a folder in which another process trains.
    """
    lower_config(recipe.network, recipe.sample_rate)  # now, not after minutes
    find_loss(recipe.loss)
    data = PretrainingData(sources, recipe)
    with run_lock(run):
        lightning.seed_everything(recipe.seed, verbose=False)
        separator = start
        if separator is None:
            query_network = TransformerQueryNet() if recipe.query_rate else TinyQueryNet()
            separator = LanguageSeparator(query_network, ResUNet(recipe.network))
        if recipe.contrastive and not (run / LAST).exists():
            train_contrastively(separator.query_network, data.train_bank, recipe.contrastive)
        separator.query_network.freeze_encoder(not recipe.query_rate).requires_grad_(bool(recipe.query_rate)).eval()
        fuse_norms(separator.network, pays(recipe.steps))
        task = PretrainingTask(separator, recipe)
        task.train()  # Lightning keeps the mode that it finds, and that of a loaded separator is eval
        trainer = make_trainer(run, recipe.steps, callbacks, log_every=50)
        with at_rate(separator, recipe.sample_rate):
            fit(trainer, task, data)
    fuse_norms(separator.network, False)
    separator.query_network.freeze_encoder()
    return separator.cpu().eval()
