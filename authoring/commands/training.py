"""The authors' commands that train: `pretrain`, `arms`, `lineage`, `keep`, `study`, `sight`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from authoring.commands.rendering import PACK
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
    recipe: Annotated[Path, typer.Option(help="The recipe's file (TOML).")] = TINY,
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
    chosen = with_settings(changed(PretrainingRecipe(), read_table(recipe)), settings or [])
    pretrain(sources, run, chosen, callbacks=[StopWhenAsked()]).save_pretrained(out)
    print(write_card(out, sources, run, chosen, unheard=unheard, pack=pack))


def arms(
    names: Annotated[
        list[str] | None, typer.Argument(help="Arms of authoring/training/arms.toml; all by default.")
    ] = None,
    sources: Sources = SOURCES,
    run: Annotated[Path, typer.Option(help="A folder for all arms; those that are done stay.")] = Path("runs/arms"),
    pack: Annotated[Path, typer.Option(help="The pack of recordings, to choose by.")] = PACK,
    minutes: Annotated[float, typer.Option(min=0.1, help="Of one core, in training, for each arm.")] = 20.0,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Pretrain in several ways that differ in one thing, each for equally long, and set them side by side."""
    from authoring.pages import page
    from authoring.training.arms import ARMS, BASE, arms, side_by_side
    from authoring.training.pretraining import PretrainingRecipe
    from lass_lab.experiments.recipes import changed, read_table

    if unknown := [name for name in names or [] if name not in ARMS]:
        raise InputError(f"arm '{unknown[0]}': choose one of {', '.join(ARMS)}")
    recipe = changed(PretrainingRecipe(), read_table(TINY))
    with atomic_path(out, force) if out else nullcontext() as path:
        chosen = {name: ARMS[name] for name in names or ARMS}
        table = side_by_side(arms(list(chosen), recipe, sources, run, pack, minutes=minutes))
        print(table.to_string())
        if path:
            path.write_text(
                page("arms.md", table=table, recipe=recipe, base=BASE, arms=chosen, minutes=minutes), encoding="utf-8"
            )


def lineage(
    sources: Sources = SOURCES[:1],
    run: Annotated[Path, typer.Option(help="A folder for all its runs.")] = Path("runs/lineage"),
    out: Annotated[Path, typer.Option(help="Folder for the table and excerpts.")] = Path("runs/lineage/shown"),
) -> None:
    """Train LASS-Net, the first system of the field, and what came after it, by one recipe, and measure each."""
    from authoring.training.lineage import lineage
    from lass_lab.course.nb03.lineage import lineage_table

    lineage(sources, run, out)
    print(lineage_table(out).to_string())


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
        typer.Argument(help="heads, encoder, keeping, losses, data or recipes; by default all of them."),
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
    duets: Annotated[int, typer.Option(min=2, help="To measure with.")] = 60,
    force: Force = False,
) -> None:
    """Train notebook 10's separator by sight, then without each of its losses, and measure what each is worth."""
    from authoring.training.sight import write_card

    write_card(out, run, duets, force)
