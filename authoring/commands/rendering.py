"""Commands that make data: `render duets`, `sources`, `pack`, `recorded`, `speech`, `excerpts`, `notes`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force

render = typer.Typer(help="Make the shipped audio again (needs the fluidsynth program and SoundFonts).")
PACK = Path("../shared/sounds")
Pack = Annotated[Path, typer.Option(help="Folder of the pack of recordings.")]
TRAINED, HELDOUT = 16, 2  # clips to train with; for validation, and as many for the test


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
    soundfont: Annotated[list[str], typer.Option(help="A SoundFont; may be repeated.")] = (
        "FluidR3_GM",
        "MuseScore_General",
    ),
    test_only: Annotated[bool, typer.Option(help="Render only the test split.")] = False,
) -> None:
    """Render the pretraining sources: seeded music by every instrument but the trumpet. A killed run goes on."""
    from authoring.rendering.sources import render_sources

    splits = {"test": HELDOUT} if test_only else {"train": TRAINED, "validation": HELDOUT, "test": HELDOUT}
    print(render_sources(out, clips=splits, soundfonts=soundfont))


@render.command("pack")
def render_pack(out: Pack = PACK) -> None:
    """Fetch the pack of recorded notes, phrases and everyday sounds, each file from where it was published."""
    from authoring.recordings.pack import fetch_pack, read_pack

    fetch_pack(out, read_pack())


@render.command("recorded")
def render_recorded(
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/sources-players"),
    pack: Pack = PACK,
) -> None:
    """Make sources of recordings: music played with recorded notes, phrases, everyday sounds. A killed run goes on."""
    from authoring.recordings.bank import make_bank

    print(make_bank(pack, out))


@render.command("speech")
def render_speech(
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/sources-speech"),
) -> None:
    """Have public-domain sentences read aloud (needs the programs flite, festival and espeak-ng)."""
    from authoring.recordings.speech import make_speech

    print(make_speech(out))


@render.command("excerpts")
def render_excerpts(
    out: Annotated[Path, typer.Option(help="Folder for the clips and sources.csv.")] = Path("runs/excerpts"),
    force: Force = False,
) -> None:
    """Cut a small bank, such as the one that ships for rehearsal, out of runs/sources."""
    from authoring.rendering.sources import excerpt_sources

    print(excerpt_sources(Path("runs/sources"), out, force=force))


@render.command("notes")
def render_notes(
    excerpts: Annotated[Path, typer.Option(help="A bank of excerpts, or a rendered one; it gets a notes.csv.")] = Path(
        "data/sources"
    ),
    force: Force = False,
) -> None:
    """Write which notes the clips of a bank play, for films; excerpts were cut out of runs/sources."""
    from authoring.rendering.sources import write_notes

    bank = excerpts if (excerpts / "settings.json").is_file() else Path("runs/sources")
    print(write_notes(bank, excerpts, force=force))
