"""The command that takes in foreign recordings: `slice`."""

from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, finite


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
