"""Commands on the way to a separator: `slice`, `weights`, `finetune` and `export`."""

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lass_lab.commands.options import Data, Force, Model, finite, with_settings
from lass_lab.signal.files import InputError

if TYPE_CHECKING:
    from lass_lab.course.profile import Profile as Sizes
    from lass_lab.experiments.recipes import FinetuningRecipe

Profile = Annotated[str | None, typer.Option(help="ci, quick or full; by default that of LASS_LAB_PROFILE, or quick.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe; may be repeated."),
]


def slice_(
    folder: Annotated[Path, typer.Argument(help="Recordings with stems, as URMP, MUSDB or one folder a piece.")],
    out: Annotated[Path, typer.Option(help="Data folder, where duets/, manifest.csv and slices.csv are written.")],
    test: Annotated[list[str] | None, typer.Option(help="A piece to be only tested on; repeat for more.")] = None,
    seconds: Annotated[float, typer.Option(callback=finite, min=0.1, help="Length in seconds, at most 30.")] = 5.0,
    align: Annotated[
        bool, typer.Option("--align", help="Move stems that are late or early against the mixture.")
    ] = False,
    force: Force = False,
) -> None:
    """Check recordings with stems and make a data folder of them: 32 kHz, each mixture the sum of its stems, slices."""
    from lass_lab.datasets.slicing import slice_folder

    print(slice_folder(folder, out, seconds=seconds, test=test or (), align=align, force=force))


def weights(
    name: Annotated[str, typer.Argument(help="The separator to make ready.")] = "audiosep",
    weights: Annotated[
        list[Path] | None, typer.Option(help="A file fetched by hand: the .ckpt, CLAP's .pt, or the tokenizer's .json.")
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Read a checkpoint even if it asks to run code.")] = False,
) -> None:
    """Fetch a separator's weights, check them, and make them ready to open without a network."""
    from lass_lab.models.weights import fetch_weights

    print("\n".join(fetch_weights(name, weights or [], trust=trust)))


def finetune(
    model: Model = "tiny",
    run: Annotated[
        Path | None, typer.Option(help="The run's folder; by default the profile's. One that was stopped goes on.")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="preserving (keeps what was known), paper (the paper's own), or a recipe file (TOML).")
    ] = "preserving",
    profile: Profile = None,
    data: Data = None,
    sources: Annotated[
        list[Path] | None, typer.Option(help="Sources to rehearse with; by default the shipped ones.")
    ] = None,
    settings: Settings = None,
    devices: Annotated[int, typer.Option(min=1, help="Processes on each machine, one a GPU.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines, started by SLURM or torchrun.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make training items.")] = 0,
) -> None:
    """Fine-tune a separator on the duets in two phases: query network frozen, then both networks together.

    --set changes a field of the recipe: phase1.epochs=3, loss=l1, items.rehearsal=0.3, phase2.encoder=top. All fields
    are in lass_lab/experiments/recipes.py.
    """
    from lass_lab.commands.stopping import StopWhenAsked
    from lass_lab.course.runs import finetune_folder
    from lass_lab.experiments.finetuning import finetune

    plan = planned(recipe, profile, settings, fit=devices * nodes == 1)
    run = run or finetune_folder(profile)
    began, where = time.perf_counter(), {"devices": devices, "nodes": nodes, "workers": workers}
    finetune(model, run, plan, data=data, bank=sources, callbacks=[StopWhenAsked()], **where)
    minutes = (time.perf_counter() - began) / 60
    print(f"{run}: done in {minutes:.1f} minutes. Measure it: lass-lab evaluate --table paper --run {run}")


def export(
    query: Annotated[list[str], typer.Option(help="Words to ask for later; may be repeated.")],
    out: Annotated[Path, typer.Option(help="Folder for network.onnx, conditions.json and separate.py.")],
    model: Model = "tiny",
    force: Force = False,
) -> None:
    """Write a separation network as ONNX, with a page of Python that separates by it without PyTorch."""
    from lass_lab.models import load_separator
    from lass_lab.models.export import export

    separator = load_separator(model, device="cpu", precision="float32")
    print("\n".join(map(str, export(separator, query, out, force=force))))


def planned(recipe: str, profile: str | None, settings: Sequence[str] | None, fit: bool = False) -> "FinetuningRecipe":
    """A named recipe at the size of a profile, or one with what a recipe file says; then with the settings.

    `fit` takes as many of the profile's epochs as this computer can do in its time. Processes that train together would
    each find another number.

    Raises InputError: no such profile or recipe, or a wrong field or value.
    """
    from lass_lab.course.profile import PROFILES, current
    from lass_lab.course.runs import sized_recipe
    from lass_lab.course.speed import fitted
    from lass_lab.experiments.finetuning import check_recipe
    from lass_lab.experiments.recipes import RECIPES, changed, read_table

    if profile and profile not in PROFILES:
        raise InputError(f"profile '{profile}': choose one of {', '.join(PROFILES)}")
    named = recipe in RECIPES
    if not named and not Path(recipe).is_file():
        raise InputError(f"recipe '{recipe}': choose one of {', '.join(RECIPES)}, or a TOML file")
    size, table = PROFILES[profile] if profile else current(), {} if named else read_table(recipe)

    def plan(size: "Sizes") -> "FinetuningRecipe":
        return with_settings(changed(sized_recipe(recipe if named else "preserving", size), table), settings or [])

    check_recipe(whole := plan(size))  # what is wrong is told before anything is measured
    return plan(fitted(size, say=partial(print, file=sys.stderr))) if fit else whole
