"""Fine-tuning in two phases: first the separation network, told by a query network that stands still; then both."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, DistributedSampler

from lass_lab.datasets.duet_mixing import FinetuningDataset, Rephrased, epoch_items, training_starts
from lass_lab.datasets.duets import DuetDataset
from lass_lab.datasets.mixing import SourceBank, Sources, collate
from lass_lab.experiments.averaging import average
from lass_lab.experiments.losses import find_loss
from lass_lab.experiments.lower_rate import at_rate
from lass_lab.experiments.recipes import RECIPE, FinetuningRecipe, Phase, described, read_recipe
from lass_lab.experiments.training import Schedule, SeparationTask, alone, fit, make_trainer
from lass_lab.models import LanguageSeparator, ResUNetConfig, load_separator
from lass_lab.models.querynet import ENCODERS
from lass_lab.models.separator import CONFIG
from lass_lab.signal.files import InputError, atomic_path, data_dir

OTHERS = {  # what of a run's recipe.json may differ, in words
    "recipe": "another recipe",
    "start": "another start",
    "weights": "other weights of its start",
    "sources": "other sources",
}
MONITOR = "validation_sdri"
PHASES = ("phase1", "phase2")


class FinetuningData(lightning.LightningDataModule):
    """Items for every round of `checkpoint_every` steps; for validation, the last 30 s of each training piece.

    What is validated is what is trained: where a phase asks in all phrasings, so does its validation. By the plain word
    alone, a phase that learns other words could be taken back to where it had learnt none.
    """

    def __init__(self, recipe: FinetuningRecipe, data: Path, bank: SourceBank | None, workers: int = 0) -> None:
        super().__init__()
        self.recipe, self.bank, self.workers = recipe, bank, workers
        # Read once: Lightning asks for both loaders again in every round.
        self.validation = DuetDataset("train", "validation", data=data)
        self.pieces = self.validation.pieces
        slices = sum(len(training_starts(piece)) for piece in self.pieces)
        self.epoch_items = epoch_items(slices, recipe.items.rehearsal)

    def steps(self, phase: Phase, processes: int = 1) -> int:
        """Optimiser steps of a phase: to the end of its epochs, and of the round that ends in a validation."""
        whole = self.recipe.checkpoint_every * self.recipe.validate_every
        return whole * -(-phase.epochs * self.epoch_items // (self.recipe.batch * processes * whole))

    def train_dataloader(self) -> DataLoader:
        # Lightning asks again for every round.
        recipe = self.recipe
        items = recipe.batch * recipe.checkpoint_every * self.trainer.world_size
        first = self.trainer.current_epoch * items
        mixtures = FinetuningDataset(
            self.pieces, self.bank, recipe.items, range(first, first + items), seed=recipe.seed
        )
        # Lightning's own sampler for several processes would shuffle: a step would hold other items than alone.
        world, rank = self.trainer.world_size, self.trainer.global_rank
        sampler = DistributedSampler(mixtures, world, rank, shuffle=False) if world > 1 else None
        return DataLoader(mixtures, recipe.batch, sampler=sampler, num_workers=self.workers, collate_fn=collate)

    def val_dataloader(self) -> DataLoader:
        slices = Rephrased(self.validation) if self.recipe.items.captions else self.validation
        return DataLoader(slices, 4, collate_fn=collate)


class FinetuningTask(SeparationTask):
    """One phase's training: what learns and at which rate, what stands in which mode, and whom to ask what was known.

    Modes, set on purpose: the sentence encoder always in eval mode, so without dropout; batch norms in eval mode where
    the recipe holds them still, and in frozen blocks; all else in train mode, which only batch norms would notice.
    """

    def __init__(
        self,
        separator: LanguageSeparator,
        recipe: FinetuningRecipe,
        phase: Phase,
        steps: int,
        teacher: LanguageSeparator | None = None,
    ) -> None:
        network = separator.network
        frozen = [network.input_norm, network.input_conv, *network.encoder[: recipe.frozen_blocks]]
        frozen = frozen if recipe.frozen_blocks else []
        schedule = Schedule(steps, phase.rate, phase.warmup, recipe.descent)
        still = [network] if recipe.still_norms else frozen
        super().__init__(separator, schedule, still, recipe.sample_rate, recipe.loss)
        self.recipe, self.phase = recipe, phase
        self._teacher = (teacher,)  # in a tuple, so that it is no part of the task: neither trained nor saved
        if phase.query_rate:
            separator.query_network.learn(phase.encoder)
        else:
            separator.query_network.requires_grad_(False)
        for part in frozen:
            part.requires_grad_(False)
        self.train()

    def rates(self) -> dict[torch.nn.Module, float]:
        """A rate for each of the two networks."""
        return {self.separator.network: self.phase.rate, self.separator.query_network: self.phase.query_rate}

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        teacher = self._teacher[0]
        places = [place for place, rehearsed in enumerate(batch.get("rehearsed", ())) if rehearsed]
        if teacher is None or not places:
            return super().on_after_batch_transfer(batch, dataloader_idx)
        with torch.no_grad():
            answers = teacher.to(self.device)(batch["mixture"][places], [batch["query"][place] for place in places])
        target = batch["target"].clone()
        target[places] = answers.to(target.dtype)
        return super().on_after_batch_transfer(batch | {"target": target}, dataloader_idx)


def finetune(
    start: str | os.PathLike[str] = "tiny",
    run: str | os.PathLike[str] = "runs/finetune",
    recipe: FinetuningRecipe | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    bank: Sources | None = None,
    phases: Sequence[str] = PHASES,
    callbacks: Sequence[lightning.Callback] = (),
    devices: int = 1,
    nodes: int = 1,
    workers: int = 0,
    progress: bool = True,
) -> LanguageSeparator:
    """Teach a separator the sources of the training pieces, in two phases, and keep what it knew.

    Each phase leaves a separator in `run/phase1` and `run/phase2`: the one that was best on the validation slices
    (the last 30 s of each training piece), asked as the phase asks. The test piece is never looked at. A run that was
    killed goes on from its last checkpoint, at most `recipe.checkpoint_every` steps back, to the same weights; a phase
    that is there is not done again.

    Args:
        start: the separator to begin with: a name or a folder.
        run: the run's own folder; it holds `recipe.json`, and for each phase weights, checkpoints and `log/`.
        recipe: what to do; by default the one that preserves.
        data: a folder as `lass-lab slice` writes it; by default the shipped duets.
        bank: sources to rehearse with, in one folder or several; by default the shipped ones.
        phases: what to do now; the other can follow by another call.
        callbacks: further ones for the trainer, such as a live plot.
        devices, nodes: see `make_trainer`.
        workers: processes that make items; 0 makes them in the training process.
        progress: show progress bars.

    Returns:
        The separator after the last phase, in eval mode on the CPU.

    Raises:
        InputError: unusable data, bank or start, or a folder that holds a run of another recipe, start or sources, or
            of a start that had other weights then, or in which another process trains.
        RunStopped: SIGTERM came; the same call goes on.
    """
    recipe, run, data = recipe or FinetuningRecipe(), Path(run), Path(data or data_dir())
    sources = None
    if recipe.items.needs_bank:
        sources = SourceBank(bank or data_dir() / "sources", "train")
    _check(recipe)
    module = FinetuningData(recipe, data, sources, workers)
    before = load_separator(start, precision="float32").cpu()
    with alone(run):
        _claim(run, described(start, before.fingerprint(), recipe, bank))
        teacher = before.requires_grad_(False).eval() if recipe.distillation else None
        done: str | os.PathLike[str] = start
        for name, phase in zip(PHASES, (recipe.phase1, recipe.phase2), strict=True):
            folder = run / name
            if (folder / CONFIG).is_file():
                done = folder
                continue
            if not phase.epochs or name not in phases:
                continue
            earlier, done = done, folder
            separator = at_step_zero(load_separator(earlier), recipe)
            module.recipe = replace(recipe, items=replace(recipe.items, captions=phase.captions))
            steps = module.steps(phase, devices * nodes)
            with at_rate(separator, recipe.sample_rate):
                task = FinetuningTask(separator, recipe, phase, steps, teacher)
                _fit(task, module, folder, steps, callbacks, devices, nodes, progress)
            if recipe.average < 1 and name == PHASES[-1]:
                average(separator, before, recipe.average)
            separator.cpu().eval().requires_grad_(False)
            separator.save_pretrained(folder)
    return load_separator(done, precision="float32").cpu()


def at_step_zero(separator: LanguageSeparator, recipe: FinetuningRecipe) -> LanguageSeparator:
    """The separator, in place, as its training begins: seeded, and with the recipe's head."""
    lightning.seed_everything(recipe.seed, verbose=False)  # the new head's start, and the low-rank maps'
    if separator.network.config.head != recipe.head:
        separator.network.replace_head(recipe.head)
    return separator


def stages(run: str | os.PathLike[str]) -> dict[str, str]:
    """What a run began with, and each phase that it finished, by what `load_separator` opens.

    Raises:
        InputError: the folder holds no finished phase, or a recipe that cannot be read.
    """
    run = Path(run)
    finished = {f"phase {name[-1]}": str(run / name) for name in PHASES if (run / name / CONFIG).is_file()}
    if not finished or not (run / RECIPE).is_file():
        raise InputError(f"{run}: holds no finished phase ({', '.join(PHASES)}); run first: lass-lab finetune")
    return {"pretrained": read_recipe(run)["start"], **finished}


def _fit(
    task: FinetuningTask,
    data: FinetuningData,
    folder: Path,
    steps: int,
    further: Sequence[lightning.Callback],
    devices: int,
    nodes: int,
    progress: bool,
) -> None:
    """Train one phase to its end, from its last checkpoint where there is one, and take its best weights."""
    best = ModelCheckpoint(
        folder, filename="best", monitor=MONITOR, mode="max", save_weights_only=True, enable_version_counter=False
    )
    callbacks = [best, *further]
    if task.recipe.patience:
        callbacks.append(EarlyStopping(MONITOR, patience=task.recipe.patience, mode="max"))
    trainer = make_trainer(
        folder,
        steps,
        callbacks,
        validate_every=task.recipe.validate_every,
        log_every=min(10, task.recipe.checkpoint_every),
        devices=devices,
        nodes=nodes,
        progress=progress,
    )
    fit(trainer, task, data, folder)
    chosen = folder / "best.ckpt"
    if chosen.is_file():
        task.load_state_dict(torch.load(chosen, map_location="cpu", weights_only=False)["state_dict"], strict=False)


def _check(recipe: FinetuningRecipe) -> None:
    """Before anything is written: what is only looked up after a phase, or minutes."""
    ResUNetConfig(head=recipe.head)
    find_loss(recipe.loss)
    if recipe.phase2.encoder not in ENCODERS:
        raise InputError(f"encoder '{recipe.phase2.encoder}': choose one of {', '.join(ENCODERS)}")
    if recipe.average < 1 and recipe.head not in ("audiosep", "preserving"):
        raise InputError(f"average: the head '{recipe.head}' has no weights in common with the one before")


def _claim(run: Path, told: dict[str, Any]) -> None:
    """Write down what the run is, or see that it is the one that is there."""
    path, text = run / RECIPE, json.dumps(told, indent=1) + "\n"
    if not path.is_file():
        with atomic_path(path, force=True) as temporary:  # of several processes each writes the same
            temporary.write_text(text)
    there, told = read_recipe(run), json.loads(text)
    if others := [words for key, words in OTHERS.items() if there.get(key) != told.get(key)]:
        raise InputError(f"{run}: holds a run of {' and '.join(others)}; remove it or choose another folder")
