"""Commands that make a separator: `pretrain`, `weights`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force
from lass_lab.signal.files import InputError


def pretrain(
    sources: Annotated[Path, typer.Option(help="Folder that `lass-lab render sources` wrote.")] = Path("runs/sources"),
    run: Annotated[Path, typer.Option(help="The run's folder; one that was killed is resumed.")] = Path(
        "runs/pretrain"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")] = Path("runs/tiny"),
    start: Annotated[Path | None, typer.Option(help="Go on from the weights in this folder.")] = None,
    unheard: Annotated[
        Path | None, typer.Option(help="Sources in another SoundFont, to be measured as well, never trained on.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 6500,
    rate: Annotated[float, typer.Option(min=0, help="Learning rate at its peak.")] = 2e-3,
    sample_rate: Annotated[
        int, typer.Option(help="Train on the bins below half of this rate (Hz): 12000 takes two fifths of the time.")
    ] = 32000,
    contrastive: Annotated[
        int | None, typer.Option(min=0, help="Steps of the query network's own training; with --start, none.")
    ] = None,
    sounds: Annotated[float, typer.Option(min=0, max=1, help="Share of queries that are a sound, not words.")] = 0.15,
    seed: Annotated[int, typer.Option(help="Of the weights' start and of the mixtures.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make mixtures.")] = 0,
    fuse: Annotated[
        bool | None, typer.Option(help="Fused norms: faster on a CPU; by default where a C++ compiler is.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
    force: Force = False,
) -> None:
    """Train the tiny separator on mixtures of rendered sources, measure it, and write it with its numbers."""
    import torch

    from lass_lab.experiments.model_card import write_card
    from lass_lab.experiments.pretraining import PretrainingRecipe, pretrain
    from lass_lab.models.fused import can_compile

    if (out / "model.safetensors").exists() and not force:
        raise InputError(f"{out}: holds weights already; pass --force to overwrite")
    if threads:
        torch.set_num_threads(threads)
    recipe = PretrainingRecipe(steps=steps, peak_rate=rate, sample_rate=sample_rate, seed=seed)
    if contrastive is None:
        contrastive = 0 if start else recipe.contrastive.steps
    words = replace(recipe.contrastive, steps=contrastive) if contrastive else None
    recipe = replace(recipe, contrastive=words, mixtures=replace(recipe.mixtures, sounds=sounds))
    fuse = can_compile() if fuse is None else fuse
    separator = pretrain(sources, run, recipe, start=start, workers=workers, fuse=fuse)
    separator.save_pretrained(out)
    print(write_card(out, sources, run, recipe, unheard=unheard))


def weights(
    name: Annotated[str, typer.Argument(help="The separator to make ready.")] = "audiosep",
    weights: Annotated[
        list[Path] | None,
        typer.Option(help="A file fetched by hand: the .ckpt, CLAP's .pt, or the tokenizer's .json; one option each."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read a checkpoint even if it asks for code to be run.")
    ] = False,
) -> None:
    """Fetch a separator's weights, check them, and make them ready to open without a network."""
    from lass_lab.models.weights import fetch_weights

    print("\n".join(fetch_weights(name, weights or [], trust=trust)))
