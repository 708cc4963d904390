"""How the tiny model is trained: mixtures of rendered sources, made on the fly, one long run that can be killed."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from authoring.training.muon import Muon
from authoring.training.prepared import prepare
from lass_lab.datasets.instruments import EVERYDAY, TAUGHT, VOICES
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank, Sources, collate
from lass_lab.experiments.contrastive import ContrastiveRecipe, train_contrastively
from lass_lab.experiments.evaluation import RANDOM_PAIRS
from lass_lab.experiments.losses import find_loss
from lass_lab.experiments.trainer import LAST, fit, make_trainer, run_lock
from lass_lab.experiments.training import Schedule, SeparationTask, at_rate, lower_config
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.layers import ConditionedNorm
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal.audio import SAMPLE_RATE

STEPS_AN_EPOCH = 250  # an epoch is only how often a checkpoint is written
VALIDATION_PAIRS = 64
COMPILED_FROM = 2000  # steps: compiling takes a minute or two


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
        average: how much of the averaged weights each step keeps (an exponential moving average); they are the result.
        seed: of the weights' start and of the mixtures.
        network: the separation network's sizes, for a random start.
        sample_rate: below 32,000 Hz, only the bins below half of it are trained on (see `at_rate`).
        full_rate_steps: further steps at the end, at 32,000 Hz, with a rate of a tenth that falls to zero.
        mixtures: how they are drawn.
        instruments: those that are asked for; all others of the sources are distractors.
        contrastive: how the query network is trained first; None leaves it as it is.
    """

    steps: int = 6500
    batch: int = 16
    seconds: float = 1.26
    peak_rate: float = 2e-3
    descent: float = 0.6
    loss: str = "decibels"
    average: float = 0.0
    seed: int = 0
    network: ResUNetConfig = ResUNetConfig()
    sample_rate: int = SAMPLE_RATE
    full_rate_steps: int = 0
    mixtures: MixtureRecipe = MixtureRecipe(distractors=0.15, sounds=0.15)
    instruments: tuple[str, ...] = tuple(sorted({*TAUGHT, *VOICES, *EVERYDAY}))
    contrastive: ContrastiveRecipe | None = ContrastiveRecipe()


class PretrainingData(lightning.LightningDataModule):
    """New mixtures for every epoch, the same 64 pairs for every validation, all at the rate of the prepared sources.

    Sounds that serve as queries are cut from `sounds`, at 32 kHz, as the audio tower hears them.
    """

    def __init__(self, prepared: Path, recipe: PretrainingRecipe, sounds: SourceBank) -> None:
        super().__init__()
        self.recipe, self.sounds = recipe, sounds
        self.train_bank = SourceBank(prepared, "train", recipe.instruments)
        others = others_of(prepared, recipe) if recipe.mixtures.distractors else []
        self.distractors = SourceBank(prepared, "train", others) if others else None
        self.validation_bank = SourceBank(prepared, "validation", recipe.instruments)

    def train_dataloader(self) -> DataLoader:
        # Lightning asks again for every epoch, so that each draws its own mixtures, also after a resume.
        recipe, epoch = self.recipe, self.trainer.current_epoch
        size = recipe.batch * STEPS_AN_EPOCH
        mixtures = MixtureDataset(
            self.train_bank, size, recipe.seconds, recipe.mixtures, recipe.seed, epoch, self.distractors, self.sounds
        )
        return DataLoader(mixtures, recipe.batch, collate_fn=collate)

    def val_dataloader(self) -> DataLoader:
        mixtures = MixtureDataset(self.validation_bank, VALIDATION_PAIRS, 2.54, RANDOM_PAIRS, seed=1)
        return DataLoader(mixtures, 8, collate_fn=collate)


def others_of(sources: Sources, recipe: PretrainingRecipe) -> list[str]:
    """What the sources have to train with beside what is asked for: the distractors."""
    return sorted(set(SourceBank(sources, "train").instruments) - set(recipe.instruments))


class PretrainingTask(SeparationTask):
    """Training of the separation network: Muon for the kernels, AdamW for all else; `average.module` is the result."""

    def __init__(self, separator: LanguageSeparator, recipe: PretrainingRecipe, schedule: Schedule) -> None:
        super().__init__(separator, schedule, sample_rate=recipe.sample_rate, loss=recipe.loss)
        self.average = AveragedModel(separator.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average))

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        return batch  # the sources were prepared at the rate that is trained at

    def on_train_batch_end(self, *_: Any) -> None:
        self.average.update_parameters(self.separator.network)

    def optimizer(self) -> torch.optim.Optimizer:
        network = self.separator.network
        blocks = nn.ModuleList([network.encoder, network.bottleneck, network.decoder])
        kernels = [each for name, each in blocks.named_parameters() if each.dim() > 1 and ".film." not in name]
        learnt_by_muon = set(kernels)
        others = [each for each in network.parameters() if each not in learnt_by_muon]
        groups = ({"params": kernels, "kernels": True}, {"params": others})
        return Muon({"lr": self.schedule.peak} | group for group in groups)


def pretrain(
    sources: Sources,
    run: Path,
    recipe: PretrainingRecipe,
    callbacks: Sequence[lightning.Callback] = (),
) -> LanguageSeparator:
    """Train the tiny separator: first its query network, contrastively, and then its separation network.

    The query network is frozen while the separation network learns, as AudioSep's is: learning along, it drew all its
    conditions together.

    The sources are first brought to the training's sample rate, once, into `sources-RATE`. Checkpoints go to
    `run/last.ckpt` after every 250 steps (of the steps at the full rate, to `run/full-rate/last.ckpt`), logs to
    `log/version_*/metrics.csv` beside them. A run that was killed goes on from its checkpoint; other `steps` than
    before are honoured (see `Schedule`).

    Args:
        sources: the folder that `render sources` wrote; or several, of which the first is validated on.
        run: the run's own folder.
        recipe: what to train, and for how long.
        callbacks: further ones for the trainer.

    Returns:
        The trained separator, in eval mode on the CPU.

    Raises:
        InputError: no usable sources, a rate that cannot be trained at, or a folder in which another process trains.
    """
    lower_config(recipe.network, recipe.sample_rate)  # now, not after minutes
    find_loss(recipe.loss)
    sounds = SourceBank(sources, "train", recipe.instruments)
    with run_lock(run):
        lightning.seed_everything(recipe.seed, verbose=False)
        separator = LanguageSeparator(TinyQueryNet(), ResUNet(recipe.network))
        if recipe.contrastive and not (run / LAST).exists():
            train_contrastively(separator.query_network, sounds, recipe.contrastive)
        separator.query_network.requires_grad_(False).eval()
        train = partial(_train, separator, sources, run, sounds=sounds, callbacks=callbacks)
        train(run, recipe, Schedule(recipe.steps, recipe.peak_rate, descent=recipe.descent))
        if recipe.full_rate_steps:
            last = replace(recipe, steps=recipe.full_rate_steps, sample_rate=SAMPLE_RATE)
            train(run / "full-rate", last, Schedule(last.steps, recipe.peak_rate / 10, descent=1.0))
    return separator.cpu().eval()


def _train(
    separator: LanguageSeparator,
    sources: Sources,
    prepared: Path,
    run: Path,
    recipe: PretrainingRecipe,
    schedule: Schedule,
    *,
    sounds: SourceBank,
    callbacks: Sequence[lightning.Callback],
) -> None:
    """Train at one sample rate; the average of the weights is left in the separator."""
    rate = recipe.sample_rate
    data = PretrainingData(prepare(sources, prepared / f"sources-{rate}", rate), recipe, sounds)
    with at_rate(separator, rate):
        task = PretrainingTask(separator, recipe, schedule)
        task.train()  # Lightning keeps the mode that it finds
        if recipe.steps >= COMPILED_FROM and native_bfloat16(separator.device) and shutil.which("g++"):
            compile_norms(separator.network)
        fit(make_trainer(run, recipe.steps, callbacks, log_every=50), task, data)
        separator.network.load_state_dict(task.average.module.state_dict())


def compile_norms(network: nn.Module) -> None:
    """Have norm, shift and activation computed in one pass: on two cores a step in bfloat16 takes 9% less time."""
    torch._dynamo.config.recompile_limit = 256  # all norms share their code, and each has a shape of its own
    for module in network.modules():
        if isinstance(module, ConditionedNorm):
            module.compile(dynamic=False)
