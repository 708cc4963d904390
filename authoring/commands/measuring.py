"""The authors' command that measures speed: `bench`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lass_lab.commands.options import Force
from lass_lab.signal.files import atomic_path


def bench(
    large: Annotated[bool, typer.Option(help="Measure AudioSep's size as well, with made weights.")] = True,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this page, FILE.md.")] = None,
    force: Force = False,
) -> None:
    """Measure speed and memory: every row a ratio against the plain float32 pass of the same network in this run."""
    from authoring.bench.benchmark import bench, bench_page
    from authoring.bench.cases import LARGE, TINY

    with atomic_path(out, force) if out else nullcontext() as path:  # what is in the way is told now, not afterwards
        table = bench((TINY, LARGE) if large else (TINY,))
        print(table.to_string(index=False, na_rep=""))
        if path:
            path.write_text(bench_page(table), encoding="utf-8")
