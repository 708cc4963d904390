"""The authors' command that measures speed: `bench`."""

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force, finite
from lass_lab.signal.files import atomic_path


def bench(
    seconds: Annotated[float, typer.Option(callback=finite, min=0, help="Of the long file; 0 leaves it out.")] = 180.0,
    hour: Annotated[
        float, typer.Option(callback=finite, min=0, help="Seconds from file to file, for memory; 0 leaves it out.")
    ] = 3600.0,
    large: Annotated[bool, typer.Option(help="Measure AudioSep's size as well, with made weights.")] = True,
    out: Annotated[
        Path | None, typer.Option(help="Also write the table to this file: CSV, or a page, FILE.md.")
    ] = None,
    force: Force = False,
) -> None:
    """Measure speed and memory: every row a ratio against the plain float32 pass of the same network in this run."""
    from authoring.bench.benchmark import bench, page
    from authoring.bench.cases import LARGE, TINY

    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        table = bench(seconds, hour, (TINY, LARGE) if large else (TINY,))
        print(table.to_string(index=False, na_rep=""))
        if path and path.suffix == ".md":
            path.write_text(page(table, f"lass-lab {shlex.join(sys.argv[1:])}"), encoding="utf-8")
        elif path:
            table.to_csv(path, index=False)
