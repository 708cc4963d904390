"""The authors' commands that train: `pretrain`, `lineage`, `keep`, `study`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, Model, with_settings
from lass_lab.commands.training import Profile, Settings, planned
from lass_lab.signal.files import InputError, atomic_path

Sources = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of rendered sources, runs/sources by default. May be repeated: measured on is the first."
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads. By default as many as there are cores.")]
SOURCES = Path("runs/sources")


def pretrain(
    sources: Sources = None,
    run: Annotated[Path, typer.Option(help="The run's folder; one that was killed is resumed.")] = Path(
        "runs/pretrain"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")] = Path("runs/tiny"),
    start: Annotated[
        Path | None,
        typer.Option(help="Go on from the weights in this folder. The query network then stays as it is there."),
    ] = None,
    unheard: Annotated[
        Path | None, typer.Option(help="Sources in another SoundFont, to be measured as well, never trained on.")
    ] = None,
    settings: Settings = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make mixtures.")] = 0,
    fuse: Annotated[
        bool | None, typer.Option(help="Fused norms: faster on a CPU; by default where they pay and a C++ compiler is.")
    ] = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Train the tiny separator on mixtures of rendered sources, measure it, and write it with its numbers."""
    from authoring.training.model_card import write_card
    from authoring.training.pretraining import PretrainingRecipe, pretrain
    from lass_lab.commands.stopping import StopWhenAsked

    if (out / "model.safetensors").exists() and not force:
        raise InputError(f"{out}: holds weights already; pass --force to overwrite")
    _use(threads)
    recipe = PretrainingRecipe(contrastive=None) if start else PretrainingRecipe()
    recipe, sources = with_settings(recipe, settings or []), sources or [SOURCES]
    separator = pretrain(sources, run, recipe, start=start, callbacks=[StopWhenAsked()], workers=workers, fuse=fuse)
    separator.save_pretrained(out)
    print(write_card(out, sources, run, recipe, start=start, unheard=unheard))


def lineage(
    sources: Sources = None,
    run: Annotated[Path, typer.Option(help="A folder for all its runs.")] = Path("runs/lineage"),
    out: Annotated[Path, typer.Option(help="Folder for the table and an excerpt of each system.")] = Path(
        "runs/lineage/shown"
    ),
    threads: Threads = None,
) -> None:
    """Train LASS-Net, the first system of the field, and what came after it, by one recipe, and measure each."""
    from authoring.training.lineage import lineage
    from lass_lab.course.nb03.lineage import lineage_table

    _use(threads)
    lineage(sources or [SOURCES], run, out)
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
        list[str] | None,
        typer.Argument(help="heads, encoder, keeping, losses, data or recipes. By default all of them."),
    ] = None,
    run: Annotated[Path, typer.Option(help="A folder for all runs; equal ones are trained once.")] = Path("runs/study"),
    model: Model = "tiny",
    profile: Profile = None,
    settings: Settings = None,
    pairs: Annotated[int, typer.Option(min=2, help="Mixtures of other instruments to measure with.")] = 50,
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(help="Also write the tables to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Fine-tune in several ways that differ in one thing, and set them side by side, on the validation slices."""
    from authoring.training.study import STUDIES, studies_page, study

    if unknown := [name for name in names or [] if name not in STUDIES]:
        raise InputError(f"study '{unknown[0]}': choose one of {', '.join(STUDIES)}")
    _use(threads)
    recipe = planned("preserving", profile, settings)
    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        tables = {}
        for name in names or STUDIES:
            table = tables[name] = study(name, recipe, run, start=model, pairs=pairs)
            print(f"{name}: {STUDIES[name]['question']}")
            print(table.to_string(index=False, na_rep="", float_format="{:.2f}".format))
        if path:
            path.write_text(studies_page(tables, recipe), encoding="utf-8")


def _use(threads: int | None) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)
