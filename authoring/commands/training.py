"""The authors' commands that train: `pretrain`, `lineage`, `keep`, `study`."""

import shlex
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, Model, finite
from lass_lab.commands.training import Profile, Settings, planned
from lass_lab.signal.files import InputError, atomic_path


def pretrain(
    sources: Annotated[
        list[Path] | None,
        typer.Option(help="Folder that `render sources` wrote; may be repeated, the first is measured on."),
    ] = None,
    run: Annotated[Path, typer.Option(help="The run's folder; one that was killed is resumed.")] = Path(
        "runs/pretrain"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")] = Path("runs/tiny"),
    start: Annotated[Path | None, typer.Option(help="Go on from the weights in this folder.")] = None,
    average: Annotated[
        float, typer.Option(callback=finite, min=0, max=1, help="Share of the new weights; the rest are earlier ones.")
    ] = 1.0,
    earlier: Annotated[
        Path | None, typer.Option(help="Folder of the weights to average with; those of --start unless told.")
    ] = None,
    unheard: Annotated[
        Path | None, typer.Option(help="Sources in another SoundFont, to be measured as well, never trained on.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 6500,
    rate: Annotated[float, typer.Option(callback=finite, min=0, help="Learning rate at its peak.")] = 2e-3,
    descent: Annotated[
        float, typer.Option(callback=finite, min=0, max=1, help="Share of the steps in which the rate falls.")
    ] = 0.6,
    loss: Annotated[str, typer.Option(help="decibels, relative-l1 or l1.")] = "decibels",
    sample_rate: Annotated[
        int, typer.Option(help="Train on the bins below half of this rate (Hz): 12000 takes half the time.")
    ] = 32000,
    freeze_norms: Annotated[
        bool, typer.Option("--freeze-norms", help="Keep the norms' statistics, as after a run at a lower rate.")
    ] = False,
    contrastive: Annotated[
        int | None, typer.Option(min=0, help="Steps of the query network's own training; with --start, none.")
    ] = None,
    sounds: Annotated[
        float, typer.Option(callback=finite, min=0, max=1, help="Share of queries that are a sound, not words.")
    ] = 0.15,
    equalised: Annotated[
        float, typer.Option(callback=finite, min=0, max=1, help="Share of sources that are filtered.")
    ] = 0.0,
    lean: Annotated[
        float,
        typer.Option(
            callback=finite, min=0, max=0.95, help="How far conditions lean towards another instrument's, at most."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the weights' start and of the mixtures.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make mixtures.")] = 0,
    fuse: Annotated[
        bool | None, typer.Option(help="Fused norms: faster on a CPU; by default where they pay and a C++ compiler is.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
    force: Force = False,
) -> None:
    """Train the tiny separator on mixtures of rendered sources, measure it, and write it with its numbers."""
    import torch

    from authoring.training.model_card import write_card
    from authoring.training.pretraining import PretrainingRecipe, pretrain
    from lass_lab.experiments.trainer import StopWhenAsked

    if (out / "model.safetensors").exists() and not force:
        raise InputError(f"{out}: holds weights already; pass --force to overwrite")
    if threads:
        torch.set_num_threads(threads)
    recipe = PretrainingRecipe(
        steps=steps, peak_rate=rate, descent=descent, loss=loss, sample_rate=sample_rate, freeze_norms=freeze_norms,
        lean=lean, average=average, seed=seed,
    )  # fmt: skip
    if contrastive is None:
        contrastive = 0 if start else recipe.contrastive.steps
    words = replace(recipe.contrastive, steps=contrastive) if contrastive else None
    recipe = replace(recipe, contrastive=words, mixtures=replace(recipe.mixtures, sounds=sounds, equalised=equalised))
    sources = sources or [Path("runs/sources")]
    separator = pretrain(
        sources, run, recipe, start=start, earlier=earlier, callbacks=[StopWhenAsked()], workers=workers, fuse=fuse
    )
    separator.save_pretrained(out)
    print(write_card(out, sources, run, recipe, earlier=earlier, unheard=unheard))


def lineage(
    sources: Annotated[
        list[Path] | None,
        typer.Option(help="Folder that `render sources` wrote; may be repeated, the first is measured on."),
    ] = None,
    run: Annotated[Path, typer.Option(help="A folder for all its runs.")] = Path("runs/lineage"),
    out: Annotated[Path, typer.Option(help="Folder for the table and what is heard of each.")] = Path(
        "runs/lineage/shown"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps of each.")] = 3000,
    pairs: Annotated[int, typer.Option(min=2, help="Mixtures to measure with, a trial.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the weights' start and of the mixtures.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
) -> None:
    """Train LASS-Net, the first system of the field, and what came after it, by one recipe, and measure each."""
    import torch

    from authoring.training.lineage import lineage
    from lass_lab.course.nb03.lineage import lineage_table

    if threads:
        torch.set_num_threads(threads)
    lineage(sources or [Path("runs/sources")], run, out, steps=steps, pairs=pairs, seed=seed)
    print(lineage_table(out).to_string())


def keep(
    run: Annotated[Path, typer.Argument(help="A fine-tuning run, as `lass-lab finetune` writes it.")],
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")],
    phase1: Annotated[Path | None, typer.Option(help="Folder for the weights after phase 1 as well.")] = None,
    pairs: Annotated[int, typer.Option(min=2, help="Mixtures of other instruments to measure with.")] = 100,
    force: Force = False,
) -> None:
    """Keep what a fine-tuning run made: its weights, measured once on the test piece, with a model card."""
    from authoring.training.finetune_card import keep

    print(keep(run, out, phase1=phase1, pairs=pairs, force=force))


def study(
    names: Annotated[
        list[str] | None, typer.Argument(help="heads, encoder, keeping, losses, hearing, recipes; all unless told.")
    ] = None,
    run: Annotated[Path, typer.Option(help="A folder for all runs; equal ones are trained once.")] = Path("runs/study"),
    model: Model = "tiny",
    profile: Profile = None,
    settings: Settings = None,
    pairs: Annotated[int, typer.Option(min=2, help="Mixtures of other instruments to measure with.")] = 50,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the tables to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Fine-tune in several ways that differ in one thing, and set them side by side, on the validation slices."""
    import torch

    from authoring.training.study import STUDIES, find_study, page, study

    if threads:
        torch.set_num_threads(threads)
    plan, names = planned("preserving", profile, settings), names or list(STUDIES)
    for name in names:
        find_study(name)  # now, not after the first one's hours
    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        tables = {}
        for name in names:
            table = tables[name] = study(name, plan, run, start=model, pairs=pairs)
            print(f"{name}: {find_study(name).question}")
            print(table.to_string(index=False, na_rep="", float_format="{:.2f}".format))
        if path:
            path.write_text(page(tables, plan, f"lass-lab {shlex.join(sys.argv[1:])}"), encoding="utf-8")
