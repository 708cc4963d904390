"""Commands that make data: `render duets`, `render sources`, `render notes`, `render patches`, `render excerpts`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, finite

render = typer.Typer(help="Make the shipped audio again (needs the fluidsynth program and SoundFonts).")
_Soundfonts = Annotated[Path, typer.Option(help="Folder for a SoundFont of each instrument.")]


@render.command("duets")
def render_duets(
    out: Annotated[Path, typer.Option(help="Data folder to write duets/ and manifest.csv to.")],
    force: Force = False,
) -> None:
    """Render the duets: stems, their mixture, and the manifest."""
    from authoring.rendering.duets import make_duets

    print(make_duets(out, force=force))


@render.command("sources")
def render_sources(
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/sources"),
    clips: Annotated[int, typer.Option(min=1, help="Training clips per instrument and SoundFont.")] = 16,
    heldout: Annotated[int, typer.Option(min=0, help="Clips for validation, and as many for the test.")] = 2,
    seconds: Annotated[float, typer.Option(callback=finite, min=2, help="Length of a clip.")] = 30.0,
    soundfont: Annotated[
        list[str] | None,
        typer.Option(
            help="A SoundFont, or a folder with one for each instrument. [default: FluidR3_GM MuseScore_General]"
        ),
    ] = None,
    test_only: Annotated[bool, typer.Option(help="Render only the test split.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the music and of how it is played.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Number of processes.")] = 2,
) -> None:
    """Render the pretraining sources: seeded music by every taught instrument. A killed run goes on."""
    from authoring.rendering.sources import SOUNDFONTS, render_sources

    splits = {"test": heldout} if test_only else {"train": clips, "validation": heldout, "test": heldout}
    fonts = tuple(soundfont or SOUNDFONTS)
    print(render_sources(out, clips=splits, seconds=seconds, soundfonts=fonts, seed=seed, workers=workers))


@render.command("notes")
def render_notes(out: _Soundfonts = Path("runs/recorded-notes")) -> None:
    """Fetch single notes that players recorded, and make SoundFonts of them (needs the polyphone program)."""
    from authoring.rendering.soundfonts import make_recorded_notes

    print(make_recorded_notes(out))


@render.command("patches")
def render_patches(out: _Soundfonts = Path("runs/freepats")) -> None:
    """Fetch the patches of FreePats, and make SoundFonts of them (needs the polyphone program)."""
    from authoring.rendering.gus_patches import make_freepats

    print(make_freepats(out))


@render.command("excerpts")
def render_excerpts(
    sources: Annotated[Path, typer.Option(help="Folder that `render sources` wrote.")] = Path("runs/sources"),
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/excerpts"),
    seconds: Annotated[float, typer.Option(callback=finite, min=5, help="Length of a clip.")] = 12.0,
    force: Force = False,
) -> None:
    """Cut a small bank, such as the one that ships for rehearsal, out of the rendered sources."""
    from authoring.rendering.excerpts import excerpt_sources

    print(excerpt_sources(sources, out, seconds=seconds, force=force))
