"""How the tiny model came to be: mixtures of rendered sources, made on the fly, one long run that can be killed."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, Timer, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch.nn import functional
from torch.utils.data import DataLoader

from lass_lab.datasets.captions import training_captions
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank
from lass_lab.experiments.training import Schedule, SeparationTask
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal.files import InputError

STEPS_AN_EPOCH = 250  # an epoch is only how often a checkpoint is written
VALIDATION_PAIRS = 64


@dataclass(frozen=True)
class PretrainingRecipe:
    """Everything that decides what a pretraining run ends in."""

    steps: int = 8000
    batch: int = 16
    seconds: float = 1.26  # 64 frames: a multiple of 32, so that none is padding
    peak_rate: float = 2e-3
    seed: int = 0
    network: ResUNetConfig = ResUNetConfig()
    mixtures: MixtureRecipe = MixtureRecipe()


class PretrainingData(lightning.LightningDataModule):
    """New mixtures for every epoch, the same 64 pairs for every validation."""

    def __init__(self, sources: Path, recipe: PretrainingRecipe, workers: int = 0) -> None:
        super().__init__()
        self.recipe, self.workers = recipe, workers
        self.train_bank = SourceBank(sources, "train", TAUGHT)
        self.validation_bank = SourceBank(sources, "validation", TAUGHT)

    def train_dataloader(self) -> DataLoader:
        # Lightning asks again for every epoch, so that each draws its own mixtures, also after a resume.
        recipe, epoch = self.recipe, self.trainer.current_epoch
        size = recipe.batch * STEPS_AN_EPOCH
        mixtures = MixtureDataset(self.train_bank, size, recipe.seconds, recipe.mixtures, seed=recipe.seed, epoch=epoch)
        return DataLoader(mixtures, batch_size=recipe.batch, num_workers=self.workers)

    def val_dataloader(self) -> DataLoader:
        pairs = MixtureRecipe(aligned=0.0, third=0.0, absent=0.0, level_db=0.0, heldout_captions=True)
        mixtures = MixtureDataset(self.validation_bank, VALIDATION_PAIRS, 2.54, pairs, seed=1)
        return DataLoader(mixtures, batch_size=8)


def pretrain(
    sources: str | os.PathLike[str],
    run: str | os.PathLike[str],
    recipe: PretrainingRecipe | None = None,
    *,
    workers: int = 0,
    progress: bool = True,
) -> LanguageSeparator:
    """Train the tiny separator, or go on where a killed run stopped.

    Checkpoints go to `run/last.ckpt` after every 250 steps, logs to `run/log/version_*/metrics.csv`. A folder that
    holds a checkpoint is resumed; other `steps` than before are honoured (see `Schedule`).

    Args:
        sources: the folder that `lass-lab render sources` wrote.
        run: the run's own folder.
        recipe: what to train, and for how long.
        workers: processes that make mixtures; 0 makes them in the training process.

    Returns:
        The trained separator, in eval mode on the CPU.

    Raises:
        InputError: no usable sources, or a checkpoint of a network of another shape.
    """
    recipe, run = recipe or PretrainingRecipe(), Path(run)
    data = PretrainingData(Path(sources), recipe, workers)
    lightning.seed_everything(recipe.seed, verbose=False)
    separator = LanguageSeparator(TinyQueryNet(), ResUNet(recipe.network))
    align_captions(separator.query_network, data.train_bank.instruments)
    # From here on it stands still, as AudioSep's does: learning along, it drew all its conditions together.
    separator.query_network.requires_grad_(False)
    task = SeparationTask(separator, Schedule(recipe.steps, recipe.peak_rate))
    accelerator = "gpu" if torch.cuda.is_available() else "cpu"
    lowered = native_bfloat16(torch.device("cuda" if accelerator == "gpu" else "cpu"))
    trainer = lightning.Trainer(
        accelerator=accelerator,
        devices=1,
        max_steps=recipe.steps,
        precision="bf16-mixed" if lowered else "32-true",
        gradient_clip_val=1.0,
        reload_dataloaders_every_n_epochs=1,
        check_val_every_n_epoch=2,
        num_sanity_val_steps=0,
        logger=CSVLogger(run, name="log"),
        callbacks=_callbacks(run, progress),
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    checkpoint = run / "last.ckpt"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")  # of the frozen encoder, and of resuming a folder
            trainer.fit(task, data, ckpt_path=checkpoint if checkpoint.exists() else None, weights_only=False)
    except RuntimeError as error:
        if "size mismatch" in str(error):
            raise InputError(f"{checkpoint}: is of a network of another shape than {asdict(recipe.network)}") from error
        raise
    return task.separator.cpu().eval()


def align_captions(query_network: TinyQueryNet, instruments: Sequence[str], steps: int = 300) -> float:
    """Teach the projection that phrasings of one instrument mean one thing, and those of two instruments two.

    Contrastive: of each instrument two phrasings are drawn, and each must find its partner among all (InfoNCE, van den
    Oord et al., 2018; symmetric, temperature 0.07). Without it the sentence encoder's vectors for "the sound of a
    flute" and "the sound of an oboe" are nearly one, and the separator needs long to tell the queries apart.

    Returns:
        The last loss; chance is `log(len(instruments))`.
    """
    optimizer = torch.optim.AdamW(query_network.projection.parameters(), lr=1e-3)
    rng = np.random.default_rng(0)
    labels = torch.arange(len(instruments))
    for _ in range(steps):
        pairs = [rng.choice(training_captions(name), 2, replace=False) for name in instruments]
        first, second = (query_network([str(pair[side]) for pair in pairs]) for side in (0, 1))
        likeness = first @ second.T / 0.07
        loss = (functional.cross_entropy(likeness, labels) + functional.cross_entropy(likeness.T, labels)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def _callbacks(run: Path, progress: bool) -> list[lightning.Callback]:
    # Written at the end of an epoch, when the next one's mixtures are the only state that is not in the weights.
    keep_last = ModelCheckpoint(
        run, filename="last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    timer = Timer()  # its state is in the checkpoint: the time of a resumed run is the time of all its parts
    return [timer, keep_last, *([TQDMProgressBar(refresh_rate=25)] if progress else [])]
