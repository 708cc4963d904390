"""Commands that make a separator: `pretrain`, `lineage`, `weights`, `finetune`, `keep`, `study`."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lass_lab.commands.options import Model, finite
from lass_lab.signal.files import InputError

if TYPE_CHECKING:
    from lass_lab.experiments.recipes import FinetuningRecipe


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


def finetune(
    model: Model = "tiny",
    run: Annotated[
        Path | None, typer.Option(help="The run's folder; one that was stopped goes on. runs/finetune unless told.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="preserving keeps what was known; paper is the paper's own.")] = (
        "preserving"
    ),
    profile: Annotated[str | None, typer.Option(help="ci, quick or full; LASS_LAB_PROFILE's unless told.")] = None,
    data: Annotated[Path | None, typer.Option(help="Duets as `lass-lab slice` writes them; the shipped ones.")] = None,
    sources: Annotated[
        list[Path] | None, typer.Option(help="Sources to rehearse with; may be repeated; the shipped ones unless told.")
    ] = None,
    epochs: Annotated[
        tuple[int, int] | None, typer.Option(help="Of phase 1 and of phase 2; the profile's unless told.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(callback=finite, min=0, help="Learning rate of phase 1; the recipe's unless told.")
    ] = None,
    head: Annotated[str | None, typer.Option(help="audiosep, magnitude, paper, paper-complex or preserving.")] = None,
    loss: Annotated[str | None, typer.Option(help="decibels, relative-l1 or l1; the recipe's unless told.")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="What of the sentence encoder phase 2 lets learn: frozen, low-rank, top, whole.")
    ] = None,
    rehearsal: Annotated[
        float | None, typer.Option(callback=finite, min=0, max=0.95, help="Share of items of other sources.")
    ] = None,
    augmented: Annotated[
        float | None, typer.Option(callback=finite, min=0, max=1, help="Share of sources that are changed.")
    ] = None,
    captions: Annotated[bool | None, typer.Option(help="Ask in all phrasings in phase 2, or in one word.")] = None,
    distillation: Annotated[
        bool | None, typer.Option(help="Rehearse towards the old answers, not towards the true sources.")
    ] = None,
    frozen_blocks: Annotated[int | None, typer.Option(min=0, help="Encoder blocks that stand still.")] = None,
    average: Annotated[
        float | None,
        typer.Option(callback=finite, min=0, max=1, help="Share of the fine-tuned weights; the rest are the old ones."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the new head and of the items.")] = None,
    devices: Annotated[int, typer.Option(min=1, help="Processes on each machine, one a GPU.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines, started by SLURM or torchrun.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make items.")] = 0,
    fuse: Annotated[
        bool | None, typer.Option(help="Fused norms: faster on a CPU; by default where they pay and a C++ compiler is.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless told.")] = None,
) -> None:
    """Fine-tune a separator on the duets in two phases: query network frozen, then both networks together."""
    import torch

    from lass_lab.course.runs import finetune_folder
    from lass_lab.experiments.finetuning import finetune

    if threads:
        torch.set_num_threads(threads)
    plan = planned(recipe, profile, epochs, rate)
    run = run or finetune_folder(profile)
    plan = replace(
        plan,
        phase2=replace(plan.phase2, **_told(encoder=encoder, captions=captions)),
        items=replace(plan.items, **_told(rehearsal=rehearsal, augmented=augmented)),
        **_told(
            head=head, loss=loss, distillation=distillation, frozen_blocks=frozen_blocks, average=average, seed=seed
        ),
    )
    began = time.perf_counter()
    finetune(model, run, plan, data=data, bank=sources, devices=devices, nodes=nodes, workers=workers, fuse=fuse)
    minutes = (time.perf_counter() - began) / 60
    print(f"{run}: done in {minutes:.1f} minutes. Measure it: lass-lab evaluate --table paper --run {run}")


def planned(recipe: str, profile: str | None, epochs: tuple[int, int] | None, rate: float | None) -> "FinetuningRecipe":
    """A recipe at the size of a profile, with other epochs and another rate of phase 1 where they are told."""
    from lass_lab.course.profile import PROFILES
    from lass_lab.course.runs import sized_recipe

    if profile and profile not in PROFILES:
        raise InputError(f"profile '{profile}': choose one of {', '.join(PROFILES)}")
    plan = sized_recipe(recipe, PROFILES.get(profile or ""))
    first, second = epochs or (plan.phase1.epochs, plan.phase2.epochs)
    if min(first, second) < 0:
        raise InputError(f"epochs: there are no {min(first, second)} of them; 0 leaves a phase out")
    phase1 = replace(plan.phase1, epochs=first, **_told(rate=rate))
    return replace(plan, phase1=phase1, phase2=replace(plan.phase2, epochs=second))


def _told(**options: object) -> dict[str, object]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}
