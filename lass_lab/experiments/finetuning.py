"""Fine-tuning in two phases: first the separation network alone, with the query network frozen; then both."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, DistributedSampler

from lass_lab.datasets.duet_mixing import FinetuningDataset, draw_phrasing, epoch_items, training_starts
from lass_lab.datasets.duets import SLICE_S, DuetDataset
from lass_lab.datasets.mixing import SourceBank, Sources, collate
from lass_lab.experiments.losses import find_loss
from lass_lab.experiments.recipes import RECIPE, FinetuningRecipe, Phase, claim, described, read_recipe
from lass_lab.experiments.trainer import fit, make_trainer, run_lock
from lass_lab.experiments.training import Schedule, SeparationTask, at_rate, lower_config
from lass_lab.models import LanguageSeparator, ResUNetConfig, load_separator
from lass_lab.models.querynet import ENCODERS
from lass_lab.models.separator import CONFIG
from lass_lab.signal.files import InputError, data_dir

MONITOR = "validation_sdri"
PHASES = ("phase1", "phase2")
ALIKE = {"audiosep", "preserving"}  # heads of which one can be the other's function, by the same weights
PHRASINGS = 3  # that a validation slice is asked for in, where training asks in all


class FinetuningData(lightning.LightningDataModule):
    """Items for every round of `checkpoint_every` steps; for validation, the last 30 s of each training piece.

    Validation asks as training does: in a phase that asks in all phrasings, so does its validation. By the plain word
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
        recipe, world = self.recipe, self.trainer.world_size
        items = recipe.batch * recipe.checkpoint_every * world
        first = self.trainer.current_epoch * items
        mixtures = FinetuningDataset(
            self.pieces, self.bank, recipe.items, range(first, first + items), seed=recipe.seed
        )
        # Lightning's own sampler for several processes would shuffle: a step would hold other items than in one.
        sampler = DistributedSampler(mixtures, world, self.trainer.global_rank, shuffle=False) if world > 1 else None
        return DataLoader(mixtures, recipe.batch, sampler=sampler, num_workers=self.workers, collate_fn=collate)

    def val_dataloader(self) -> DataLoader:
        slices = list(self.validation)
        if self.recipe.items.captions:  # each in the same words every time
            slices = [
                item | {"query": draw_phrasing(np.random.default_rng((place, turn)), item["query"])}
                for place, item in enumerate(slices)
                for turn in range(PHRASINGS)
            ]
        return DataLoader(slices, 4, collate_fn=collate)


class FinetuningTask(SeparationTask):
    """One phase: what learns and at which rate, what is frozen, and the teacher whose answers are rehearsed, if any.

    The sentence encoder is always in eval mode, so without dropout; batch norms are where the recipe freezes them, and
    in frozen blocks; all else is in train mode, which only batch norms would notice.
    """

    def __init__(
        self,
        separator: LanguageSeparator,
        recipe: FinetuningRecipe,
        phase: Phase,
        steps: int,
        teacher: LanguageSeparator | None = None,
    ) -> None:
        network, frozen = separator.network, []
        if recipe.frozen_blocks:
            frozen = [network.input_norm, network.input_conv, *network.encoder[: recipe.frozen_blocks]]
        schedule = Schedule(steps, phase.rate, phase.warmup, recipe.descent)
        norms = [network] if recipe.freeze_norms else frozen
        super().__init__(separator, schedule, norms, recipe.sample_rate, recipe.loss)
        self.phase = phase
        self._teacher = (teacher,)  # in a tuple, so that it is no part of the task: neither trained nor saved
        if phase.query_rate:
            separator.query_network.learn(phase.encoder)
        else:
            separator.query_network.requires_grad_(False)
        unused = [block.inert for block in network.decoder if hasattr(block, "inert")]
        for part in (*frozen, *unused):  # several processes wait for the gradient of whatever learns
            part.requires_grad_(False)
        self.train()

    def rates(self) -> dict[torch.nn.Module, float]:
        """A rate for each of the two networks."""
        return {self.separator.network: self.phase.rate, self.separator.query_network: self.phase.query_rate}

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        teacher = self._teacher[0]
        places = [place for place, rehearsed in enumerate(batch.get("rehearsed", ())) if rehearsed]
        if teacher is not None and places:
            with torch.no_grad():
                answers = teacher.to(self.device)(batch["mixture"][places], [batch["query"][place] for place in places])
            target = batch["target"].clone()
            target[places] = answers.to(target.dtype)
            batch = batch | {"target": target}
        return super().on_after_batch_transfer(batch, dataloader_idx)


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
    (the last 30 s of each training piece), asked as the phase asks. The test piece is never used. A run that was
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
        The separator after the last of `phases`, in eval mode on the CPU.

    Raises:
        InputError: unusable recipe, data, bank or start, or a folder that holds a run of another recipe, start or
            sources, or of a start that had other weights then, or in which another process trains.
        RunStopped: SIGTERM came; the same call goes on.
    """
    recipe, run, data = recipe or FinetuningRecipe(), Path(run), Path(data or data_dir())
    check_recipe(recipe)
    sources = SourceBank(bank or data_dir() / "sources", "train") if recipe.items.needs_bank else None
    module = FinetuningData(recipe, data, sources, workers)
    before = load_separator(start, precision="float32").cpu()
    lower_config(before.network.config, recipe.sample_rate)  # now, not after minutes
    heads = {old := before.network.config.head, recipe.head}
    if (recipe.head == "preserving" or recipe.average < 1) and len(heads) > 1 and heads != ALIKE:
        raise InputError(f"head '{recipe.head}': has no weights in common with '{old}', the start's")
    with run_lock(run):
        claim(run, described(start, before.fingerprint(), recipe, bank, data, devices * nodes))
        teacher = before.requires_grad_(False).eval() if recipe.distillation else None
        if teacher:
            teacher.query_network.train()  # frozen, it encodes words one by one then, and alike after a resume
        done: str | os.PathLike[str] = start
        for place, (name, phase) in enumerate(zip(PHASES, (recipe.phase1, recipe.phase2), strict=True)):
            if phases and not {*PHASES[place:]} & {*phases}:
                break  # a later phase may be there, and was not asked for
            folder = run / name
            if not (folder / CONFIG).is_file():
                if not phase.epochs or name not in phases:
                    continue
                separator = at_step_zero(load_separator(done), recipe)
                module.recipe = replace(recipe, items=replace(recipe.items, captions=phase.captions))
                steps = module.steps(phase, devices * nodes)
                best = ModelCheckpoint(
                    folder, "best", monitor=MONITOR, mode="max", save_weights_only=True, enable_version_counter=False
                )
                trainer = make_trainer(
                    folder, steps, [best, *callbacks], validate_every=recipe.validate_every,
                    log_every=min(10, recipe.checkpoint_every), devices=devices, nodes=nodes, progress=progress,
                )  # fmt: skip
                with at_rate(separator, recipe.sample_rate):
                    task = FinetuningTask(separator, recipe, phase, steps, teacher)
                    fit(trainer, task, module)
                    if (chosen := folder / "best.ckpt").is_file():
                        state = torch.load(chosen, map_location="cpu", weights_only=False)["state_dict"]
                        task.load_state_dict(state, strict=False)
                if recipe.average < 1 and name == PHASES[-1]:
                    average(separator, before, recipe.average)
                separator.cpu().eval().requires_grad_(False)
                if trainer.is_global_zero:
                    separator.save_pretrained(folder)
                trainer.strategy.barrier()  # the other processes open it next
            done = folder
    return load_separator(done, precision="float32").cpu()


def at_step_zero(separator: LanguageSeparator, recipe: FinetuningRecipe) -> LanguageSeparator:
    """The separator, in place, as its training begins: seeded, and with the recipe's head."""
    lightning.seed_everything(recipe.seed, verbose=False)  # the new head's start, and the low-rank maps'
    if separator.network.config.head != recipe.head:
        separator.network.replace_head(recipe.head)
    return separator


def average(separator: LanguageSeparator, other: LanguageSeparator, share: float) -> LanguageSeparator:
    """Move the weights of `separator`, in place, to `share` of its own and the rest of the other's.

    Wortsman et al., "Robust fine-tuning of zero-shot models", 2022: between weights before and after training the loss
    is often lower than at either, above all on sounds unlike those that were trained on. Where the two have another
    layout (a low-rank map, the branch of a preserving head), the other's count as zero: in both, the last factor starts
    there.

    Raises:
        InputError: heads that are not the same function of the same weights.
    """
    heads = {separator.network.config.head, other.network.config.head}
    if len(heads) > 1 and heads != ALIKE:
        raise InputError(f"average: the heads '{min(heads)}' and '{max(heads)}' have no weights in common")
    theirs = {key.replace(".base_layer.", "."): value for key, value in other.state_dict().items()}
    with torch.no_grad():
        for key, value in separator.state_dict().items():
            if not value.is_floating_point():
                continue
            counterpart = theirs.get(key.replace(".base_layer.", "."))
            if counterpart is not None:
                value.lerp_(counterpart.to(value), 1 - share)
            elif key.endswith(("lora_B.default.weight", "head.lower.weight", "head.lower.bias")):
                value.mul_(share)
    separator.query_network.forget_sentences()
    return separator


def stages(run: str | os.PathLike[str]) -> dict[str, str]:
    """The start of a run, and each phase that it finished, by what `load_separator` opens.

    Raises:
        InputError: the folder holds no finished phase, or a recipe that cannot be read.
    """
    run = Path(run)
    finished = {f"phase {name[-1]}": str(run / name) for name in PHASES if (run / name / CONFIG).is_file()}
    if not finished or not (run / RECIPE).is_file():
        raise InputError(f"{run}: holds no finished phase ({', '.join(PHASES)}); run first: lass-lab finetune")
    return {"pretrained": read_recipe(run)["start"], **finished}


def check_recipe(recipe: FinetuningRecipe) -> None:
    """Before anything is written or measured: what is only looked up after a phase, or minutes.

    Raises InputError: no such head, loss or encoder, an average without phase 2, items longer than a slice, or sizes
    that give no steps.
    """
    ResUNetConfig(head=recipe.head)
    find_loss(recipe.loss)
    for phase in (recipe.phase1, recipe.phase2):
        if phase.encoder not in ENCODERS:
            raise InputError(f"encoder '{phase.encoder}': choose one of {', '.join(ENCODERS)}")
    if recipe.average < 1 and not recipe.phase2.epochs:
        raise InputError("recipe: average counts at the end of phase 2, which has no epochs")
    if not 0 < recipe.items.seconds <= SLICE_S:
        raise InputError(f"recipe: items of {recipe.items.seconds:g} s: at most {SLICE_S:g} s, the length of a slice")
    if recipe.items.rehearsal > 0.95 or not all((recipe.batch, recipe.checkpoint_every, recipe.validate_every)):
        raise InputError("recipe: needs a rehearsal of at most 0.95, and at least one item, step and checkpoint")
