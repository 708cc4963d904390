"""The authors' commands that train: `pretrain`, `keep`, `study`, `sight`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, with_settings
from lass_lab.commands.training import Profile, Settings, planned
from lass_lab.signal.files import InputError, atomic_path

Sources = Annotated[list[Path], typer.Option(help="Folders of rendered sources; the first is the one tested on.")]
BANKS = ("sources", "sources-players", "sources-speech")
SOURCES = tuple(Path("runs", bank) for bank in BANKS)
TINY = Path(__file__).parents[1] / "training" / "tiny.toml"


def pretrain(
    sources: Sources = SOURCES,
    run: Annotated[Path, typer.Option(help="The run's folder; a killed run goes on.")] = Path("runs/pretrain"),
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")] = Path("runs/tiny"),
    unheard: Annotated[Path | None, typer.Option(help="Sources in another SoundFont, tested on as well.")] = None,
    pack: Annotated[
        Path | None, typer.Option(help="The pack of recordings, whose solos are tested on as well.")
    ] = None,
    settings: Settings = None,
    force: Force = False,
) -> None:
    """Train the tiny separator on mixtures of sources, measure it, and write it with its numbers."""
    from authoring.training.model_card import write_card
    from authoring.training.pretraining import PretrainingRecipe, pretrain
    from lass_lab.commands.stopping import StopWhenAsked
    from lass_lab.experiments.recipes import changed, read_table

    if (out / "model.safetensors").exists() and not force:
        raise InputError(f"{out}: holds weights already; pass --force to overwrite")
    chosen = with_settings(changed(PretrainingRecipe(), read_table(TINY)), settings or [])
    pretrain(sources, run, chosen, callbacks=[StopWhenAsked()]).save_pretrained(out)
    print(write_card(out, sources, run, chosen, unheard=unheard, pack=pack))


def keep(
    run: Annotated[Path, typer.Argument(help="A fine-tuning run, as `lass-lab finetune` writes it.")],
    out: Annotated[Path, typer.Option(help="Folder for the weights and their model card.")],
    phase1: Annotated[Path | None, typer.Option(help="Folder for the weights after phase 1 as well.")] = None,
    force: Force = False,
) -> None:
    """Keep what a fine-tuning run made: its weights, measured once on the test piece, with a model card."""
    from authoring.training.finetune_card import keep

    print(keep(run, out, phase1=phase1, force=force))


def study(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="heads, encoder, keeping, losses, data, recipes or sizes; by default all of them."),
    ] = None,
    run: Annotated[Path, typer.Option(help="A folder for all runs; equal ones are trained once.")] = Path("runs/study"),
    profile: Profile = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Also write the tables to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Fine-tune in several ways that differ in one thing, and set them side by side, on the validation slices."""
    from authoring.training.study import STUDIES, studies_page, study

    if unknown := [name for name in names or [] if name not in STUDIES]:
        raise InputError(f"study '{unknown[0]}': choose one of {', '.join(STUDIES)}")
    recipe = planned("preserving", profile, settings)
    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        tables = {}
        for name in names or STUDIES:
            table = tables[name] = study(name, recipe, run)
            print(f"{name}: {STUDIES[name]['question']}")
            print(table.to_string(index=False, na_rep="", float_format="{:.2f}".format))
        if path:
            path.write_text(studies_page(tables, recipe), encoding="utf-8")


def sight(
    run: Annotated[Path, typer.Option(help="A folder for all arms; those that are done stay.")] = Path("runs/sight"),
    out: Annotated[Path, typer.Option(help="Folder for the weights, their numbers and their card.")] = Path(
        "runs/sight/shipped"
    ),
    sources: Annotated[Path, typer.Option(help="A bank to train with, with a notes.csv.")] = Path("runs/sources"),
    duets: Annotated[int, typer.Option(min=2, help="To measure with.")] = 60,
    force: Force = False,
) -> None:
    """Train notebook 10's separator, also without each of its losses and without noise, and measure all of them."""
    from authoring.training.sight import write_card

    write_card(out, run, sources, duets, force)
